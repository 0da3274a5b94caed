"""When an agent's webhook is called, with what, how often, and when it is left alone."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot.core.actors import OPERATOR
from bot.core.card import Button
from bot.core.effects import EffectKind
from bot.core.errors import InvalidInput, NotFound
from bot.core.halts import HaltScope, HaltTarget
from bot.core.ids import AgentId, ProposalId
from bot.core.proposal import Proposal
from bot.core.states import State
from bot.core.webhook_message import signature, spell_secret
from bot.ports.connector import Executed, InDoubt
from bot.ports.notifier import Gone, NotNow
from bot.ports.queries import AgentById, EffectsOf, Leaves
from bot.service.webhooks import WebhookBook
from bot.testing.notebook import Notebook
from bot.testing.silent_notifier import Posted, SilentNotifier
from store.sqlite import SqliteStore
from tests.service.office import ALLOW, DENY, Office, open_office

URL = "https://agent.your-company.net/keyturn?team=7"


async def with_webhook(office: Office, url: str = URL) -> str:
    _, secret = await WebhookBook(office.gate).set(OPERATOR, office.agent.id, url=url)
    return secret


async def until(office: Office, done: Callable[[], Awaitable[bool]]) -> None:
    """Let the work go on, and time with it, until *done*."""
    async with asyncio.timeout(20):
        while not await done():
            await asyncio.sleep(0.05)
            office.clock.advance(30)


async def settled(office: Office, proposal: ProposalId) -> None:
    """Return once nobody has to be told anything about *proposal* any more."""

    async def nothing_left() -> bool:
        left = await office.store.read(EffectsOf(proposal))
        return not any(effect.kind is EffectKind.NOTIFY for effect in left)

    await until(office, nothing_left)


def states(posted: list[Posted]) -> list[str]:
    return [json.loads(each.body)["data"]["state"] for each in posted]


async def rejected(office: Office, key: str = "k1") -> Proposal:
    held = await office.propose(key=key)
    await office.press(held, Button.REJECT, note="No.")
    return await office.now(held.id)


async def test_an_agent_is_told_of_the_end_without_any_content():
    notifier = SilentNotifier()
    async with open_office(notifier=notifier) as office:
        secret = await with_webhook(office)
        held = await office.propose("the secret plan")
        await office.press(held)
        await office.until(held.id, State.SUCCEEDED)
        await settled(office, held.id)
        [last] = [
            leaf
            for leaf in await office.store.read(Leaves(proposal=held.id))
            if leaf.type == "execution.outcome"
        ]
    [posted] = notifier.posted
    body = json.loads(posted.body)
    assert posted.url == URL
    assert body["type"] == "proposal.changed"
    assert body["data"] == {"proposal": held.id, "state": "succeeded", "cursor": str(last.index)}
    assert datetime.fromisoformat(body["timestamp"]) == last.at
    headers = posted.headers
    assert headers["webhook-signature"] == signature(
        secret,
        id=headers["webhook-id"],
        seconds=int(headers["webhook-timestamp"]),
        body=posted.body,
    )
    assert "secret plan" not in posted.body.decode()


@pytest.mark.parametrize(
    ("policy", "how", "told"),
    [
        (DENY, "nothing", ["denied"]),
        (None, "reject", ["rejected"]),
        (None, "withdraw", ["withdrawn"]),
        (None, "expire", ["expired"]),
        (None, "halt", ["revoked"]),
        (None, "supersede", ["superseded"]),
        (ALLOW, "doubt", ["in_doubt", "succeeded"]),
    ],
)
async def test_whatever_its_end_or_a_doubt_the_agent_is_told(
    policy: str | None, how: str, told: list[str]
):
    async def lose(_: Any) -> Executed:
        return InDoubt(reason="timeout", detail="No answer.")

    notifier = SilentNotifier()
    notebook = Notebook(behave=lose if how == "doubt" else None)
    given: dict[str, Any] = {} if policy is None else {"policy": policy}
    async with open_office(notifier=notifier, notebook=notebook, **given) as office:
        await with_webhook(office)
        held = await office.propose()
        match how:
            case "reject":
                await office.press(held, Button.REJECT)
            case "withdraw":
                await office.withdraw.withdraw(office.agent, held.id, reason="")
            case "expire":
                office.clock.advance(3600)
            case "halt":
                target = HaltTarget(scope=HaltScope.AGENT, agent=office.agent.id)
                await office.halts.halt(OPERATOR, target, reason="Enough")
            case "supersede":
                await office.propose("better", key="k2", supersedes=held.id)
            case "doubt":
                await office.until(held.id, State.IN_DOUBT)
                await office.press(held, Button.SETTLE_DONE, note="I looked.")
            case _:
                pass

        async def everything_told() -> bool:
            return len(notifier.posted) >= len(told)

        await until(office, everything_told)
        await settled(office, held.id)
    # In no promised order.
    assert sorted(states(notifier.posted)) == sorted(told)
    assert len({each.headers["webhook-id"] for each in notifier.posted}) == len(told)


async def test_an_agent_without_a_webhook_costs_nothing():
    async with open_office(with_workers=False) as office:
        ended = await rejected(office)
        left = await office.store.read(EffectsOf(ended.id))
    assert EffectKind.NOTIFY not in {effect.kind for effect in left}


async def test_what_was_not_taken_is_sent_again_as_the_same_message():
    notifier = SilentNotifier(answers=[NotNow(why="The receiver answered 500.")] * 3)
    async with open_office(notifier=notifier) as office:
        await with_webhook(office)
        ended = await rejected(office)
        await settled(office, ended.id)
    assert len(notifier.posted) == 4
    assert len({each.body for each in notifier.posted}) == 1
    assert len({each.headers["webhook-id"] for each in notifier.posted}) == 1
    times = [int(each.headers["webhook-timestamp"]) for each in notifier.posted]
    assert times == sorted(set(times))


async def test_retry_after_is_kept():
    notifier = SilentNotifier(answers=[NotNow(why="Later.", retry_after_s=3600)])
    async with open_office(notifier=notifier) as office:
        await with_webhook(office)
        ended = await rejected(office)
        await settled(office, ended.id)
    first, second = (int(each.headers["webhook-timestamp"]) for each in notifier.posted)
    assert second - first >= 3600


async def test_a_receiver_that_does_not_answer_is_left_in_peace_for_a_while():
    notifier = SilentNotifier(answers=[NotNow(why="Later.", retry_after_s=600)])
    async with open_office(notifier=notifier) as office:
        await with_webhook(office)
        first = await rejected(office, "k1")
        await notifier.arrived.wait()
        second = await rejected(office, "k2")
        await settled(office, second.id)
        await settled(office, first.id)
    times = [int(each.headers["webhook-timestamp"]) for each in notifier.posted]
    assert len(times) == 3
    assert times[1] - times[0] >= 600


async def test_after_a_day_it_is_given_up_and_people_can_see_that():
    notifier = SilentNotifier(answers=[NotNow(why="The receiver answered 500.")] * 500)
    async with open_office(notifier=notifier) as office:
        await with_webhook(office)
        ended = await rejected(office)

        async def given_up() -> bool:
            office.clock.advance(1800)
            return "proposal.not_told" in await office.leaf_types(ended.id)

        await until(office, given_up)
        history = await office.desk.history(office.dana.id, ended.id)
        assert not await office.store.read(EffectsOf(ended.id))
    assert history[-1].what == "The agent could not be told; it can still ask"
    assert 8 <= len(notifier.posted) < 200


async def test_a_receiver_that_is_gone_is_never_asked_again_until_an_admin_says_so():
    notifier = SilentNotifier(answers=[Gone()])
    async with open_office(notifier=notifier) as office:
        await with_webhook(office)
        first = await rejected(office, "k1")
        await settled(office, first.id)
        agent = await known(office, office.agent.id)
        assert agent.webhook is not None
        assert agent.webhook.stopped == "The receiver answered 410: it is gone."
        assert "agent.webhook_stopped" in await office.leaf_types()

        await rejected(office, "k2")
        await with_webhook(office)
        third = await rejected(office, "k3")
        await settled(office, third.id)
    told = [json.loads(each.body)["data"]["proposal"] for each in notifier.posted]
    assert told == [first.id, third.id]


async def known(office: Office, agent: AgentId) -> Any:
    return await office.store.read(AgentById(agent))


async def test_both_secrets_sign_while_one_is_renewed():
    notifier = SilentNotifier()
    async with open_office(notifier=notifier) as office:
        book = WebhookBook(office.gate)
        old = await with_webhook(office)
        _, new = await book.rotate(OPERATOR, office.agent.id, overlap_s=3600)
        await settled(office, (await rejected(office, "k1")).id)
        office.clock.advance(3601)
        await settled(office, (await rejected(office, "k2")).id)
        _, newest = await book.rotate(OPERATOR, office.agent.id, overlap_s=0)
        await settled(office, (await rejected(office, "k3")).id)
    assert len({old, new, newest}) == 3
    for posted, secrets in zip(notifier.posted, [[new, old], [new], [newest]], strict=True):
        headers = posted.headers
        signed = [
            signature(
                secret,
                id=headers["webhook-id"],
                seconds=int(headers["webhook-timestamp"]),
                body=posted.body,
            )
            for secret in secrets
        ]
        assert headers["webhook-signature"].split(" ") == signed


async def test_a_secret_is_on_the_shelf_while_it_signs_and_nowhere_else(tmp_path: Path):
    async def on_disk(clock: Any) -> SqliteStore:
        return await SqliteStore.open(tmp_path / "keyturn.sqlite3", clock=clock)

    async with open_office(make_store=on_disk) as office:
        book = WebhookBook(office.gate)
        secrets = [await with_webhook(office)]
        secrets += [(await book.rotate(OPERATOR, office.agent.id, overlap_s=9))[1]]
        assert len(await office.gate.shelf.list("webhook")) == 2
        secrets += [(await book.rotate(OPERATOR, office.agent.id, overlap_s=0))[1]]
        assert len(await office.gate.shelf.list("webhook")) == 1
        await settled(office, (await rejected(office)).id)
        await book.remove(OPERATOR, office.agent.id)
        assert await office.gate.shelf.list("webhook") == []
        assert await book.remove(OPERATOR, office.agent.id) == await known(office, office.agent.id)
    kept = everything_in(tmp_path)
    assert b"webhook_rotated" in kept
    for secret in secrets:
        assert secret.removeprefix("whsec_").encode() not in kept


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_secrets_and_addresses_are_in_no_log_and_no_leaf_in_clear(
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.DEBUG)
    notifier = SilentNotifier(answers=[NotNow(why="Later."), Gone()])
    async with open_office(notifier=notifier) as office:
        secret = await with_webhook(office)
        await settled(office, (await rejected(office)).id)
        leaves = await office.store.read(Leaves(limit=1000))
    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    recorded = b"\n".join(leaf.body for leaf in leaves).decode()
    assert "webhook stopped" in logged
    for value in (secret.removeprefix("whsec_"), "agent.your-company.net", "team=7"):
        assert value not in logged
        assert value not in recorded


async def test_a_secret_that_is_lost_stops_the_webhook_and_says_so():
    notifier = SilentNotifier()
    async with open_office(notifier=notifier) as office:
        await with_webhook(office)
        for item in await office.gate.shelf.list("webhook"):
            await office.gate.shelf.delete("webhook", item.key)
        await settled(office, (await rejected(office)).id)
        agent = await known(office, office.agent.id)
    assert notifier.posted == []
    assert agent.webhook.stopped == "Its signing secret is no longer on the shelf."


async def test_an_agent_that_is_revoked_is_told_nothing_more():
    notifier = SilentNotifier()
    async with open_office(notifier=notifier) as office:
        await with_webhook(office)
        held = await office.propose()
        await office.agents.revoke(OPERATOR, office.agent.id, reason="Over")
        await office.until(held.id, State.REVOKED)
        await settled(office, held.id)
    assert notifier.posted == []


async def test_a_webhook_set_later_is_told_what_happens_from_then_on():
    notifier = SilentNotifier()
    async with open_office(notifier=notifier) as office:
        before = await rejected(office, "k1")
        waiting = await office.propose("still there", key="k2")
        await with_webhook(office)
        await office.press(waiting, Button.REJECT)
        await office.until(waiting.id)
        await settled(office, waiting.id)
    told = [json.loads(each.body)["data"]["proposal"] for each in notifier.posted]
    assert told == [waiting.id]
    assert before.id not in told


async def test_what_is_not_an_address_is_refused_and_nothing_is_kept():
    notifier = SilentNotifier(refuses="The address is not https.")
    async with open_office(notifier=notifier) as office:
        with pytest.raises(InvalidInput, match="not https"):
            await with_webhook(office)
        assert (await known(office, office.agent.id)).webhook is None
        assert await office.gate.shelf.list("webhook") == []


async def test_there_is_nothing_to_renew_without_a_webhook():
    async with open_office() as office:
        book = WebhookBook(office.gate)
        with pytest.raises(InvalidInput, match="no webhook"):
            await book.rotate(OPERATOR, office.agent.id, overlap_s=0)
        with pytest.raises(InvalidInput, match="overlap"):
            await book.rotate(OPERATOR, office.agent.id, overlap_s=-1)
        with pytest.raises(NotFound):
            await book.set(OPERATOR, AgentId("agt_none"), url=URL)
        assert await office.gate.shelf.list("webhook") == []


def test_signatures_are_those_of_the_published_example():
    # https://docs.svix.com/receiving/verifying-payloads/how-manual
    assert (
        signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            seconds=1614265330,
            body=b'{"test": 2432232314}',
        )
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )
    assert spell_secret(bytes(32)).startswith("whsec_AAAA")
