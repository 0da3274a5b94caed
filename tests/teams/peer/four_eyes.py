"""Two people of a group of Entra, each in a Teams of their own: the cards of all say the same.

python -m tests.teams.peer.four_eyes PROGRAM CHROMIUM FOLDER
"""

from pathlib import Path

from tests.teams.peer.playground import object_id
from tests.teams.peer.scene import Scene, open_scene, play

GROUP = "6f1c2d3e-2222-4222-8333-444455556666"
FIRST = "The build is on the page of the team."
SECOND = "The key is under the mat."
POLICY = f"""
version: 1
rules:
  - id: forum
    verbs: ["forum.*"]
    effect: {{hold: {{mode: four_eyes, approvers: ["group:teams:{GROUP}"], count: 2}}}}
"""


async def tell(program: Path, chromium: str, folder: Path) -> None:
    people = ["frank", "grace"]
    async with open_scene(program, chromium, folder, people=people, policy=POLICY) as scene:
        await scene.register("dana", "erin", *people, owner="erin", principal="dana")
        scene.entra.groups[GROUP] = {object_id(name) for name in people}
        for name in people:
            await scene.link(name)
        await two_approve(scene)
        await one_vetoes(scene)
        await who_left_the_group_decides_no_more(scene)


async def two_approve(scene: Scene) -> None:
    frank, grace = scene.people["frank"], scene.people["grace"]
    proposal = await scene.proposed(FIRST)
    for person in (frank, grace):
        await person.reads(FIRST)
    await frank.presses("Approve")
    for person in (frank, grace):
        await person.reads("1 has approved")
    assert (await scene.state(proposal))["state"] == "pending"
    assert scene.board.posts == {}
    await grace.presses("Approve")
    await scene.reaches(proposal, "succeeded")
    for person in (frank, grace):
        await person.reads("Done")
        await person.reads_no_more("Approve")
    assert scene.board.written == [FIRST]


async def one_vetoes(scene: Scene) -> None:
    frank, grace = scene.people["frank"], scene.people["grace"]
    proposal = await scene.proposed(SECOND)
    for person in (frank, grace):
        await person.reads(SECOND)
    await frank.presses("Approve")
    # A card that changes closes the question that was open on it.
    await grace.reads("1 has approved")
    await grace.presses("Reject…")
    await grace.presses("Reject it")
    await scene.reaches(proposal, "rejected")
    for person in (frank, grace):
        await person.reads("Rejected")
        await person.reads_no_more("Reject…")
    assert scene.board.written == [FIRST]


async def who_left_the_group_decides_no_more(scene: Scene) -> None:
    frank, grace = scene.people["frank"], scene.people["grace"]
    proposal = await scene.proposed(f"{SECOND} Really.")
    for person in (frank, grace):
        await person.reads("Really.")
    scene.entra.groups[GROUP].remove(object_id("grace"))
    await grace.presses("Approve")
    await grace.reads("not yours to see")
    await frank.presses("Approve")
    await frank.reads("1 has approved")
    assert (await scene.state(proposal))["state"] == "pending"
    assert scene.board.written == [FIRST]


if __name__ == "__main__":
    play(tell)
