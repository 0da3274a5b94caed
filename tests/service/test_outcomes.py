"""What came of it: done, stale, in doubt, settled."""

from dataclasses import replace

import pytest

from bot.core.actors import OPERATOR
from bot.core.card import Button
from bot.core.effects import EffectKind
from bot.core.errors import (
    Conflict,
)
from bot.core.halts import HaltScope, HaltTarget
from bot.core.pressed import NotRecorded, Recorded
from bot.core.proposal import Action, Result
from bot.core.states import State
from bot.core.verbs import Audience, Facts, Reach
from bot.ports.connector import STALE, Failed, Found, InDoubt, Succeeded
from bot.service.execute import Execute
from bot.testing.notebook import Notebook
from tests.service.office import Office, open_office


async def test_a_lost_reply_is_in_doubt_and_a_look_up_settles_it() -> None:
    async def lose(_: Action) -> InDoubt:
        return InDoubt(reason="timeout", detail="No answer.")

    async with open_office(notebook=Notebook(behave=lose)) as office:
        proposal = await office.propose()
        await office.press(proposal)

        done = await office.until(proposal.id, State.SUCCEEDED)

        assert len(office.notebook.written) == 1
        assert done.outcome is not None
        assert done.outcome.reason == "found_by_look_up"


async def test_absent_proves_nothing_before_the_settling_time() -> None:
    async def vanish(_: Action) -> InDoubt:
        office.notebook.written.clear()
        return InDoubt(reason="timeout", detail="No answer.")

    async with open_office(notebook=Notebook(behave=vanish)) as office:
        proposal = await office.propose()
        await office.press(proposal)
        await office.until(proposal.id, State.IN_DOUBT)

        office.clock.advance(31)

        done = await office.until(proposal.id)
        assert done.state is State.FAILED
        assert done.outcome is not None
        assert done.outcome.reason == "absent_in_look_up"


async def test_a_named_person_settles_a_doubt_once() -> None:
    async def lose(_: Action) -> InDoubt:
        return InDoubt(reason="timeout", detail="No answer.")

    notebook = Notebook(behave=lose, verb=replace(Notebook().verb, can_look_up=False))
    async with open_office(notebook=notebook) as office:
        eve = await office.person("eve")
        proposal = await office.propose()
        await office.press(proposal)
        await office.until(proposal.id, State.IN_DOUBT)

        stranger = await office.press(proposal, Button.SETTLE_DONE, by=eve.id, note="I know")
        silent = await office.press(proposal, Button.SETTLE_DONE)
        settled = await office.press(proposal, Button.SETTLE_DONE, note="I see it there")
        again = await office.press(proposal, Button.SETTLE_NOT_DONE, note="no")

        assert isinstance(stranger, NotRecorded)
        assert isinstance(silent, NotRecorded)
        assert isinstance(settled, Recorded)
        assert isinstance(again, NotRecorded)
        done = await office.now(proposal.id)
        assert done.state is State.SUCCEEDED
        assert done.outcome is not None
        assert done.outcome.settled_by == office.dana.id
        assert len(office.notebook.written) == 1


async def test_a_connector_that_breaks_its_promise_leaves_a_doubt() -> None:
    async def explode(_: Action) -> Succeeded:
        raise RuntimeError("boom")

    notebook = Notebook(behave=explode, verb=replace(Notebook().verb, can_look_up=False))
    async with open_office(notebook=notebook) as office:
        proposal = await office.propose()
        await office.press(proposal)

        assert (await office.until(proposal.id, State.IN_DOUBT)).state is State.IN_DOUBT


async def test_a_changed_target_is_stale_and_asks_anew_with_the_difference() -> None:
    async def drift(_: Action) -> Failed:
        office.notebook.facts = replace(office.notebook.facts, etag="v2", before={"text": "new"})
        office.notebook.behave = None
        return Failed(reason=STALE, detail="It has changed.")

    notebook = Notebook(behave=drift, verb=replace(Notebook().verb, inspects=True))
    notebook.facts = replace(notebook.facts, etag="v1")
    async with open_office(notebook=notebook) as office:
        proposal = await office.propose()
        await office.press(proposal)
        failed = await office.until(proposal.id)

        assert failed.state is State.FAILED
        assert failed.reason == STALE
        (successor,) = [
            p for p in await office.reading.proposals(office.agent) if p.successor_of == proposal.id
        ]
        assert successor.state is State.PENDING
        assert successor.decisions == ()
        assert successor.digest != proposal.digest
        assert successor.facts.etag == "v2"


async def test_more_readers_than_the_card_said_stops_it_before_it_is_sent() -> None:
    notebook = Notebook(verb=replace(Notebook().verb, inspects=True))
    async with open_office(notebook=notebook) as office:
        proposal = await office.propose()
        office.notebook.facts = Facts(audience=Audience(reach=Reach.PUBLIC, who="Everybody"))
        await office.press(proposal)

        failed = await office.until(proposal.id)

        assert failed.reason == STALE
        assert office.notebook.written == []


async def test_a_resource_that_changed_before_it_was_proposed_is_a_conflict() -> None:
    notebook = Notebook(verb=replace(Notebook().verb, inspects=True))
    notebook.facts = replace(notebook.facts, etag="v2")
    async with open_office(notebook=notebook) as office:
        with pytest.raises(Conflict):
            await office.propose(etag="v1")


async def test_nothing_moves_that_cannot_be_recorded(office: Office) -> None:
    proposal = await office.propose()
    office.store.break_log()

    pressed = await office.press(proposal)

    assert isinstance(pressed, NotRecorded)
    assert pressed.code == "store_unavailable"
    assert (await office.now(proposal.id)).state is State.PENDING
    assert office.notebook.written == []


async def test_a_lookup_that_finds_it_gives_its_reference() -> None:
    async def lose(_: Action) -> InDoubt:
        return InDoubt(reason="timeout", detail="No answer.")

    notebook = Notebook(behave=lose, answer_lookup=lambda _: Found(reference="note-77"))
    async with open_office(notebook=notebook) as office:
        proposal = await office.propose()
        await office.press(proposal)

        done = await office.until(proposal.id, State.SUCCEEDED)

        assert done.outcome is not None
        assert done.outcome.reference == "note-77"
        assert done.outcome.result is Result.SUCCEEDED


async def test_a_worker_that_lost_its_lease_does_not_begin() -> None:
    async with open_office(with_workers=False) as office:
        proposal = await office.propose()
        await office.press(proposal)
        (stale,) = await office.gate.dispatch.take(EffectKind.EXECUTE, limit=9)
        office.clock.advance(31)
        (fresh,) = await office.store.lease([EffectKind.EXECUTE], limit=9, for_s=60)
        execute = Execute(office.gate)

        with pytest.raises(Conflict):
            await execute.execute(stale)
        assert office.notebook.written == []

        await execute.execute(fresh)
        assert len(office.notebook.written) == 1


async def test_a_halt_that_comes_while_looking_once_more_stops_it_before_it_is_sent() -> None:
    looks = 0

    class Watched(Notebook):
        async def inspect(self, action: Action) -> Facts:
            nonlocal looks
            looks += 1
            if looks == 2:
                target = HaltTarget(scope=HaltScope.ALL)
                await office.halts.halt(OPERATOR, target, reason="something is wrong")
            return await Notebook.inspect(self, action)

    notebook = Watched(verb=replace(Notebook().verb, inspects=True))
    async with open_office(notebook=notebook) as office:
        proposal = await office.propose()
        await office.press(proposal)

        done = await office.until(proposal.id)

        assert (done.state, done.reason) == (State.FAILED, "halted")
        assert notebook.written == []


async def test_a_failure_after_a_take_over_proves_nothing_about_the_first_attempt() -> None:
    async def refuse(_: Action) -> Failed:
        return Failed(reason="refused", detail="It says no.")

    verb = replace(Notebook().verb, idempotent=True, can_look_up=False)
    async with open_office(notebook=Notebook(verb=verb), with_workers=False) as office:
        proposal = await office.propose()
        await office.press(proposal)
        (lost,) = await office.gate.dispatch.take(EffectKind.EXECUTE, limit=9)
        await office.claim(lost)
        office.clock.advance(61)
        (taken,) = await office.store.lease([EffectKind.EXECUTE], limit=9, for_s=60)

        office.notebook.behave = refuse
        await Execute(office.gate).execute(taken)

        found = await office.now(proposal.id)
        assert (found.state, found.reason) == (State.IN_DOUBT, "earlier_attempt")


async def test_a_verb_without_a_key_is_never_sent_again_after_a_lost_worker() -> None:
    async with open_office(with_workers=False) as office:
        proposal = await office.propose()
        await office.press(proposal)
        (lost,) = await office.gate.dispatch.take(EffectKind.EXECUTE, limit=9)
        await office.claim(lost)
        office.clock.advance(61)
        (taken,) = await office.store.lease([EffectKind.EXECUTE], limit=9, for_s=60)

        await Execute(office.gate).execute(taken)

        found = await office.now(proposal.id)
        assert (found.state, found.reason) == (State.IN_DOUBT, "worker_lost")
        assert office.notebook.written == []
