"""`keyturn serve` as it is run, with a Teams beside it: linking, deciding, ends without warning."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.teams.pressable import Verb
from adapters.teams.testing import Activity, FakeTeams, Hand, Trouble, open_fake_teams
from bot.core.card import Button
from tests.cli.deployments import Deployment, asked_to_propose, make_deployment
from tests.cli.test_stopping import SlowTarget, notes, target
from tests.teams.stage import proposal_of, screen_of, section_of

__all__ = ["target"]  # a fixture

pytestmark = pytest.mark.slow

HOLD = """
version: 1
rules:
  - id: notes
    verbs: ["notes.*"]
    effect: {hold: {mode: confirm}}
"""


def configure(deployment: Deployment, teams: FakeTeams, target: SlowTarget) -> None:
    deployment.environment["PASSWORD"] = teams.issuer.app_password
    chats = {"teams": section_of(teams), "web": {}}
    text = deployment.config.read_text()
    assert "chats:\n  web: {}\n" in text
    deployment.config.write_text(
        text.replace("chats:\n  web: {}\n", f"chats: {json.dumps(chats)}\n")
    )
    deployment.set("connectors", json.dumps({"notes": notes(target.url)}))
    (deployment.home / "policy.yaml").write_text(HOLD)
    teams.deliveries.url = f"http://127.0.0.1:{deployment.ports['people']}/teams/messages"


async def done(act: Callable[..., Any], *words: Any, **more: Any) -> Any:
    """Do *act* in a thread: nothing here stands still for the bot."""
    return await asyncio.to_thread(lambda: act(*words, **more))


@asynccontextmanager
async def running(deployment: Deployment) -> AsyncIterator[None]:
    serving = deployment.serving()
    await asyncio.to_thread(serving.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(serving.__exit__, None, None, None)


@dataclass(frozen=True, slots=True)
class Scene:
    teams: FakeTeams
    deployment: Deployment
    hand: Hand

    async def agent(self) -> str:
        """Register Dana and an agent of hers, link her account, return the agent's token."""
        deployment = self.deployment
        await done(deployment.done, "person", "create", "dana")
        agent = await done(
            deployment.json,
            *("agent", "create", "helper", "--owner", "dana", "--purpose", "Helps"),
            *("--for", "dana", "--verb", "notes.*"),
        )
        made = await done(deployment.json, "person", "link-code", "dana", "--chat", "teams")
        await self.hand.type(f"link {made['code']}")
        asking = await self.teams.until(lambda: self.hand.messages()[-1:], within_s=20)
        told = await self.hand.press(asking[0], Verb.LINK)
        assert "is linked" in str(told.card)
        return str(agent["token"])

    async def propose(self, token: str, text: str) -> None:
        action = {"verb": "notes.add", "resource": "notes:x", "params": {"text": text}}
        answer = await done(asked_to_propose, self.deployment, token, action, key=text)
        assert answer.get("state") == "pending", answer

    async def card(self, text: str) -> Activity:
        def there() -> Activity | None:
            mine = [m for m in self.hand.messages() if proposal_of(m) and text in str(m.card)]
            return mine[-1] if mine else None

        return await self.teams.until(there, within_s=20)

    async def says(self, card: Activity, words: str) -> None:
        user = self.hand.account.user
        await self.teams.until(lambda: words in screen_of(card, user).text, within_s=30)


@pytest.fixture
async def scene(tmp_path: Path, target: SlowTarget) -> AsyncIterator[Scene]:
    async with open_fake_teams() as teams:
        deployment = await asyncio.to_thread(make_deployment, tmp_path / "keyturn-data")
        configure(deployment, teams, target)
        yield Scene(teams, deployment, teams.hand(teams.add_account("Dana")))


async def test_an_account_is_linked_and_decides_and_the_card_stays_true(
    scene: Scene, target: SlowTarget
) -> None:
    async with running(scene.deployment):
        token = await scene.agent()
        await scene.propose(token, "to-be-written")
        good = await scene.card("to-be-written")
        answer = await scene.hand.press(good, Verb.APPROVE)
        assert answer.status == 200
        assert await done(target.asked.wait, 10)
        target.may_answer.set()
        await scene.says(good, "Done")
        await scene.propose(token, "never-written")
        bad = await scene.card("never-written")
        await scene.hand.press(bad, Verb.REJECT, typed={"note": "Not this."})
        await scene.says(bad, "Rejected")
        listed = await done(scene.deployment.json, "proposals", "list", "--state", "rejected")
        assert len(listed["proposals"]) == 1
    assert len(target.notes) == 1


async def test_what_was_answered_has_survived_and_cards_are_found_after_a_kill(
    scene: Scene, target: SlowTarget
) -> None:
    target.may_answer.set()
    process, _ = await done(scene.deployment.start)
    try:
        token = await scene.agent()
        await scene.propose(token, "note-one")
        await scene.propose(token, "note-two")
        first, second = await scene.card("note-one"), await scene.card("note-two")
        answer = await scene.hand.press(first, Verb.APPROVE)
        assert answer.card is not None
        assert Button.APPROVE not in screen_of(first, scene.hand.account.user).buttons
    finally:
        await killed(process)
    async with running(scene.deployment):
        # What everybody sees of it, and not only who was answered.
        await scene.teams.until(lambda: Button.APPROVE not in screen_of(first).buttons, within_s=30)
        listed = await done(scene.deployment.json, "proposals", "list", "--state", "pending")
        assert [one["id"] for one in listed["proposals"]] == [proposal_of(second)]
        await scene.hand.press(second, Verb.REJECT, typed={"note": "Not this."})
        await scene.says(second, "Rejected")
    assert len(target.notes) <= 1
    assert len([m for m in scene.hand.messages() if proposal_of(m)]) == 2


async def test_a_card_that_was_being_sent_at_a_kill_is_not_sent_again(
    scene: Scene, target: SlowTarget
) -> None:
    target.may_answer.set()
    process, _ = await done(scene.deployment.start)
    try:
        token = await scene.agent()
        sending = scene.teams.faults.plant("send", Trouble.HANGS_AFTER)
        await scene.propose(token, "note-three")
        await asyncio.wait_for(sending.met.wait(), 20)
    finally:
        await killed(process)
        scene.teams.faults.clear()
    async with running(scene.deployment):
        lost = await scene.card("note-three")
        # By now it waits in the web inbox too. The one that was sent counts as well.
        await scene.hand.press(lost, Verb.APPROVE)
        await scene.says(lost, "Done")
    assert len([m for m in scene.hand.messages() if proposal_of(m)]) == 1
    assert len(target.notes) == 1


async def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    await asyncio.to_thread(process.communicate)
