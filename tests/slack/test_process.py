"""`keyturn serve` as it is run, with a Slack beside it: from linking an account to the effect."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.slack.pressable import ActionId
from adapters.slack.testing import FakeSlack, Hand, Message, Mode, open_fake_slack, texts_of
from tests.cli.deployments import Deployment, asked_to_propose, make_deployment
from tests.cli.test_stopping import SlowTarget, notes, target
from tests.slack.stage import screen_of, section_of

__all__ = ["target"]  # a fixture

pytestmark = pytest.mark.slow

HOLD = """
version: 1
rules:
  - id: notes
    verbs: ["notes.*"]
    effect: {hold: {mode: confirm}}
"""


async def modal_that_says(slack: FakeSlack, hand: Hand, words: str) -> dict[str, Any]:
    """Return the modal of *hand* as soon as it says *words*."""

    def there() -> dict[str, Any] | None:
        modal = hand.modal
        return modal if modal is not None and words in "\n".join(texts_of(modal)) else None

    return await slack.until(there, within_s=20)


@asynccontextmanager
async def running(deployment: Deployment, slack: FakeSlack) -> AsyncIterator[None]:
    """Run the bot in a process of its own; nothing here stands still for it."""
    serving = deployment.serving()
    await asyncio.to_thread(serving.__enter__)
    try:
        if slack.mode is Mode.SOCKET:
            await asyncio.wait_for(slack.socket.connected.wait(), 20)
        yield
    finally:
        await asyncio.to_thread(serving.__exit__, None, None, None)


def configure(deployment: Deployment, slack: FakeSlack, target: SlowTarget) -> None:
    deployment.environment |= {
        "BOT": slack.bot_token,
        "APP": slack.app_token,
        "SIGNING": slack.signing_secret,
    }
    chats = {"slack": section_of(slack), "web": {}}
    text = deployment.config.read_text()
    assert "chats:\n  web: {}\n" in text
    deployment.config.write_text(
        text.replace("chats:\n  web: {}\n", f"chats: {json.dumps(chats)}\n")
    )
    deployment.set("connectors", json.dumps({"notes": notes(target.url)}))
    (deployment.home / "policy.yaml").write_text(HOLD)
    slack.http.url = f"http://127.0.0.1:{deployment.ports['people']}/slack/events"


@pytest.mark.parametrize("mode", list(Mode))
async def test_an_account_is_linked_and_decides_and_the_card_stays_true(
    mode: Mode, tmp_path: Path, target: SlowTarget
) -> None:
    async with open_fake_slack(mode) as slack:
        deployment = await asyncio.to_thread(make_deployment, tmp_path / "keyturn-data")
        configure(deployment, slack, target)
        hand = slack.hand(slack.add_account("Dana"))

        async def done(act: Callable[..., Any], *words: Any, **more: Any) -> Any:
            return await asyncio.to_thread(lambda: act(*words, **more))

        async with running(deployment, slack):
            await done(deployment.done, "person", "create", "dana")
            agent = await done(
                deployment.json,
                *("agent", "create", "helper", "--owner", "dana", "--purpose", "Helps"),
                *("--for", "dana", "--verb", "notes.*"),
            )
            made = await done(deployment.json, "person", "link-code", "dana", "--chat", "slack")
            assert (await hand.command(f"link {made['code']}")).is_acked
            view = await modal_that_says(slack, hand, "dana")
            assert (await hand.press_in_view(view, ActionId.LINK)).is_acked
            await modal_that_says(slack, hand, "is linked")
            await hand.close_modal()

            async def proposed(text: str) -> Message:
                action = {"verb": "notes.add", "resource": "notes:x", "params": {"text": text}}
                answer = await done(asked_to_propose, deployment, agent["token"], action, key=text)
                assert answer.get("state") == "pending", answer

                def card() -> Message | None:
                    mine = [m for m in hand.messages() if text in str(m.blocks)]
                    return mine[-1] if mine else None

                return await slack.until(card, within_s=20)

            good = await proposed("to-be-written")
            assert (await hand.press(good, ActionId.APPROVE)).is_acked
            assert await done(target.asked.wait, 10)
            target.may_answer.set()
            await slack.until(lambda: "Done" in screen_of(good).text, within_s=20)

            bad = await proposed("not-to-be-written")
            await hand.press(bad, ActionId.REJECT)
            await slack.until(lambda: hand.modal is not None and "submit" in hand.modal)
            assert (await hand.submit({"note": "Not this."})).is_acked
            await slack.until(lambda: "Rejected" in screen_of(bad).text, within_s=20)
            listed = await done(deployment.json, "proposals", "list", "--state", "rejected")
            assert len(listed["proposals"]) == 1
