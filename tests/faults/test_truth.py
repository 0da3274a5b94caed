"""What was found by trying to break the gate, each as small as it can be told."""

import asyncio
from dataclasses import replace

from bot.core.actors import OPERATOR
from bot.core.canonical import Digest
from bot.core.card import Button, Card
from bot.core.effects import EffectKind, Lease
from bot.core.halts import HaltScope, HaltTarget
from bot.core.ids import PersonId, ProposalId
from bot.core.pressed import NotRecorded, Recorded
from bot.core.proposal import Action
from bot.core.states import State
from bot.core.verbs import Verb
from bot.ports.chat import CardRef
from bot.ports.connector import STALE, Failed, Succeeded
from bot.service.connectors import Connectors
from bot.service.deliver import Deliver
from bot.service.execute import Execute
from bot.service.gate import Gate
from bot.service.settle import Settle
from bot.testing.notebook import Notebook
from bot.testing.silent_chat import SilentChat
from tests.service.office import Office, open_office

_KEYED = replace(Notebook().verb, idempotent=True)
_ELSEWHERE = Digest("sha256:" + "1" * 64)


async def test_what_would_now_go_elsewhere_is_not_taken_over() -> None:
    async with open_office(notebook=Notebook(verb=_KEYED), with_workers=False) as office:
        proposal = await office.propose()
        await office.press(proposal)
        (lost,) = await office.gate.dispatch.take(EffectKind.EXECUTE, limit=9)
        await office.claim(lost)

        changed = _with_verb(office, replace(_KEYED, config_digest=_ELSEWHERE))
        await Execute(changed).execute(await _leased(office, EffectKind.EXECUTE))

        assert (await office.now(proposal.id)).state is State.IN_DOUBT
        assert office.notebook.written == []


async def test_what_is_absent_elsewhere_is_not_called_failed() -> None:
    async with open_office(with_workers=False) as office:
        proposal = await _lost_with_its_worker(office)

        changed = _with_verb(office, replace(Notebook().verb, config_digest=_ELSEWHERE))
        await Settle(changed).look_up(await _leased(office, EffectKind.LOOK_UP))

        assert (await office.now(proposal)).state is State.IN_DOUBT


async def test_the_settling_time_begins_with_the_doubt_and_not_with_the_claim() -> None:
    async with open_office(with_workers=False) as office:
        proposal = await _lost_with_its_worker(office)

        (first,) = await office.gate.dispatch.take(EffectKind.LOOK_UP, limit=9)
        await Settle(office.gate).look_up(first)
        assert (await office.now(proposal)).state is State.IN_DOUBT

        await Settle(office.gate).look_up(await _leased(office, EffectKind.LOOK_UP))
        assert (await office.now(proposal)).state is State.FAILED


async def test_a_second_click_after_a_halt_is_not_told_that_it_is_approved() -> None:
    async with open_office(with_workers=False) as office:
        proposal = await office.propose()
        await office.press(proposal)
        await office.halts.halt(OPERATOR, HaltTarget(scope=HaltScope.ALL), reason="Stop")

        again = await office.press(proposal)
        other = await office.press(proposal, Button.REJECT)

        assert isinstance(again, Recorded)
        assert isinstance(other, NotRecorded)
        assert (again.state, other.state) == (State.REVOKED, State.REVOKED)


async def test_stopping_the_agent_does_not_call_revoked_what_was_done() -> None:
    async with open_office() as office:
        proposal = await office.propose()
        await office.press(proposal)
        await office.until(proposal.id, State.SUCCEEDED)

        pressed = await office.press(proposal, Button.STOP_AGENT)

        assert isinstance(pressed, Recorded)
        assert pressed.state is State.SUCCEEDED


async def test_a_card_that_was_on_its_way_while_somebody_decided_is_brought_up_to_date() -> None:
    async with open_office(with_workers=False) as office:
        proposal = await office.propose()

        class SlowChat(SilentChat):
            async def post(self, card: Card, to: PersonId, *, key: str) -> CardRef:
                ref = await SilentChat.post(self, card, to, key=key)
                await office.press(proposal, Button.REJECT)
                await deliver.refresh(await office.gate.dispatch.take(EffectKind.REFRESH, limit=9))
                return ref

        chat = SlowChat()
        deliver = Deliver(replace(office.gate, chats={chat.name: chat}))
        await deliver.deliver(await office.gate.dispatch.take(EffectKind.DELIVER, limit=9))
        async with asyncio.timeout(1):
            await deliver.refresh(await office.gate.dispatch.take(EffectKind.REFRESH, limit=9))

        (card,) = chat.cards.values()
        assert card.state is State.REJECTED


async def test_a_card_that_was_posted_and_never_recorded_is_found_again_and_told_the_end() -> None:
    async with open_office(with_workers=False) as office:
        proposal = await office.propose()
        office.store.break_log()
        posted = asyncio.Event()

        class Telling(SilentChat):
            async def post(self, card: Card, to: PersonId, *, key: str) -> CardRef:
                posted.set()
                return await SilentChat.post(self, card, to, key=key)

        telling = Telling(cards=office.chat.cards)
        posting = asyncio.create_task(
            Deliver(replace(office.gate, chats={telling.name: telling})).deliver(
                await office.gate.dispatch.take(EffectKind.DELIVER, limit=9)
            )
        )
        await posted.wait()
        posting.cancel()
        office.store.mend_log()
        await office.press(proposal, Button.REJECT)
        await Deliver(office.gate).refresh(
            await office.gate.dispatch.take(EffectKind.REFRESH, limit=9)
        )

        await Deliver(office.gate).deliver([await _leased(office, EffectKind.DELIVER)])
        async with asyncio.timeout(1):
            await Deliver(office.gate).refresh(
                await office.gate.dispatch.take(EffectKind.REFRESH, limit=9)
            )

        (card,) = office.chat.cards.values()
        assert card.state is State.REJECTED


async def test_the_agent_of_a_stale_proposal_is_led_to_its_successor() -> None:
    async def drift(_: Action) -> Failed:
        return Failed(reason=STALE, detail="It has changed.")

    async with open_office(notebook=Notebook(behave=drift)) as office:
        proposal = await office.propose()
        await office.press(proposal)

        failed = await office.until(proposal.id, State.FAILED)

        assert failed.superseded_by is not None
        assert (await office.now(failed.superseded_by)).successor_of == proposal.id


async def test_what_the_target_said_is_kept_until_it_can_be_recorded() -> None:
    async def succeed_while_the_disk_is_full(_: Action) -> Succeeded:
        office.store.break_log()
        asyncio.get_running_loop().call_later(0.05, office.store.mend_log)
        return Succeeded(detail="Done.", reference="note-1")

    notebook = Notebook(behave=succeed_while_the_disk_is_full)
    async with open_office(notebook=notebook) as office:
        proposal = await office.propose()
        await office.press(proposal)

        done = await office.until(proposal.id)

        assert done.state is State.SUCCEEDED
        assert done.outcome is not None
        assert done.outcome.reference == "note-1"


async def _lost_with_its_worker(office: Office) -> ProposalId:
    """Return a proposal whose claim is older than the settling time, and whose doubt is new."""
    proposal = await office.propose()
    await office.press(proposal)
    (lost,) = await office.gate.dispatch.take(EffectKind.EXECUTE, limit=9)
    await office.claim(lost)
    office.clock.advance(300)
    await Execute(office.gate).execute(await _leased(office, EffectKind.EXECUTE))
    assert (await office.now(proposal.id)).state is State.IN_DOUBT
    return proposal.id


def _with_verb(office: Office, verb: Verb) -> Gate:
    """Return the gate as it is after a start with other settings."""
    return replace(office.gate, connectors=Connectors([Notebook(verb=verb)]))


async def _leased(office: Office, kind: EffectKind) -> Lease:
    """Return the work of *kind*, which whoever had it has lost."""
    office.clock.advance(61)
    (lease,) = await office.store.lease([kind], limit=9, for_s=60)
    return lease
