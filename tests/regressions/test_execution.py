"""What is carried out: those bytes, there, once, if the world still is as it was shown."""

import json

from tests.regressions.known import known_failure
from tests.regressions.seats import Seat
from tests.regressions.town import Agent, Town, page_name, plain, until


@known_failure(
    id="F1",
    title="what ran is not what was approved",
    seen_in="OpenClaw, Pydantic AI, Agenta, LangChain",
    promise="The stored bytes are shown, decided about and sent; nobody can change them.",
)
@known_failure(
    id="T5",
    title="twelve tests, 5: from the card to the wire and back",
    seen_in="most of the field",
    promise="Every value on the card is what arrives at the target, and nothing besides.",
)
@known_failure(
    id="P8a",
    title="the approval is a yes or no that binds nothing",
    seen_in="a client of a hosted approval service",
    promise="A decision is about one digest, and counts for no other.",
)
@known_failure(
    id="P11d",
    title="no digest ties what was seen to what is done",
    seen_in="an agent control plane",
    promise="The digest is in the button, the decision, the log and the receipt.",
)
@known_failure(
    id="P4c",
    title="the gate says that it cleaned the arguments, and the old ones are used",
    seen_in="a guard for tool calls",
    promise="Keyturn changes no action: it is carried out as it was shown, or not at all.",
)
def test_what_is_sent_is_what_was_shown(town: Town, agent: Agent, dana: Seat) -> None:
    page = page_name("bytes")
    text = "Prices: 10 €\n\tfor “everyone” – עברית \U0001f511"
    tags = {"a/b": "1", "~": "two", "owner": "money"}
    proposal = agent.propose(page, text, params={"visibility": "team", "tags": tags})
    other = agent.propose(page_name("other"), "Prices: 99 €")
    card = plain(dana.card(proposal).tree.one("article").text)

    mixed = dana.press_form(proposal, dana.form(other))
    changed = [
        agent.ask(method, f"/v1/proposals/{proposal['id']}", {"action": {"params": {"text": "!"}}})
        for method in ("PUT", "PATCH", "POST")
    ]
    dana.press(proposal)
    receipt = agent.ask("GET", f"/v1/proposals/{proposal['id']}/receipt")
    assert agent.finally_(proposal)["state"] == "succeeded"

    assert "Not recorded." in mixed.said
    assert {answer.status for answer in changed} <= {404, 405}
    (write,) = town.wiki.written(page)
    assert write.value == {"text": text, "visibility": "team", "tags": tags, "key": proposal["id"]}
    for shown in ("Prices: 10 €", "for “everyone” – עברית \U0001f511", "two", "money"):
        assert shown in card
    (decision,) = town.recorded(proposal)["decisions"]
    assert decision["digest"] == proposal["digest"]
    assert proposal["digest"].removeprefix("sha256:") in json.dumps(receipt.body)


@known_failure(
    id="F4",
    title="the target changed between the card and the click, and is overwritten",
    seen_in="Autumn, margince, Terraform",
    promise="What has moved is not written; a new card shows what is there now.",
)
def test_a_target_that_moved_is_asked_about_again(town: Town, agent: Agent, dana: Seat) -> None:
    page = page_name("moved")
    town.wiki.edit(page, "as it was shown")
    proposal = agent.propose(page, "the agent's text")
    assert "as it was shown" in dana.card(proposal).tree.text
    form = dana.form(proposal)

    town.wiki.edit(page, "what a colleague wrote meanwhile")
    dana.press_form(proposal, form)

    told = agent.finally_(proposal)
    assert (told["state"], told["reason"], told["executed"]) == ("failed", "stale", False)
    assert [write.key for write in town.wiki.written(page)] == ["somebody else"] * 2
    successor = agent.read({"id": told["successor"]})
    assert successor["state"] == "pending"
    assert "what a colleague wrote meanwhile" in dana.card(successor).tree.text


@known_failure(
    id="T11",
    title="twelve tests, 11: the answer of the target is lost",
    seen_in="most of the field",
    promise="Nothing is sent a second time; it is in doubt until the target itself is asked.",
)
def test_a_lost_answer_is_looked_up_and_not_sent_again(
    town: Town, agent: Agent, dana: Seat
) -> None:
    page = page_name("lost")
    town.wiki.lost.add(page)
    proposal = agent.propose(page)
    dana.press(proposal)

    seen = set()

    def look() -> str:
        state = str(agent.read(proposal, wait_s=1)["state"])
        seen.add(state)
        return state

    until(look, lambda state: state == "succeeded")

    assert "failed" not in seen
    assert len(town.wiki.written(page)) == 1
    assert f"/writes/{proposal['id']}" in town.wiki.paths
    leaves = [leaf["type"] for leaf in town.recorded(proposal)["leaves"]]
    assert leaves.count("execution.intent") == 1


@known_failure(
    id="F5",
    title="editing before approving changes what the policy never saw",
    seen_in="LangChain, Vercel AI SDK, OpenAI Agents SDK",
    promise="Nobody edits a proposal: another action is another proposal, with its own card.",
)
def test_a_click_cannot_change_what_it_approves(town: Town, agent: Agent, dana: Seat) -> None:
    proposal = agent.propose(page := page_name("edit"), "as proposed")
    form = dana.form(proposal)

    for extra in (
        {"text": "as edited"},
        {"params": '{"text": "as edited"}'},
        {"verb": "page.free"},
    ):
        answer = dana.press_form(proposal, form | extra)
        assert answer.status == 422, extra
        assert agent.read(proposal)["state"] == "pending"
    dana.press_form(proposal, form)
    agent.finally_(proposal)

    assert [write.value["text"] for write in town.wiki.written(page)] == ["as proposed"]


@known_failure(
    id="P7g",
    title="a value of the agent becomes part of a path and leads elsewhere",
    seen_in="an approval queue for agents",
    promise="Each value stays within its part of the path, or the proposal is refused.",
)
def test_a_resource_cannot_lead_elsewhere(town: Town, agent: Agent) -> None:
    asked = len(town.wiki.paths)
    for name in ("../admin", "..", ".", "a/b", "a\\b", "/etc", "a\nb", "a\x00b", ""):
        answer = agent.submit(name, verb="page.free")
        assert (answer.status, answer.code) == (422, "invalid_input"), name
    assert town.wiki.paths[asked:] == []

    for name in ("%2e%2e", "a?b=c", "a#b", "a%2Fb"):
        agent.finally_(agent.submit(name, verb="page.free").body)
        assert [write.page for write in town.wiki.writes][-1] == name
