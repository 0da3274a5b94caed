"""The life of a proposal through the real services, on a store that forgets."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.actors import OPERATOR, person_actor
from bot.core.approval import Choice
from bot.core.card import Button
from bot.core.effects import EffectKind
from bot.core.errors import (
    Conflict,
    Halted,
    IllegalTransition,
    KeyReused,
    NotFound,
    NotPermitted,
    SecretInProposal,
    TooMany,
    UnknownVerb,
)
from bot.core.halts import HaltScope, HaltTarget
from bot.core.ids import PersonId
from bot.core.pressed import NotRecorded, Recorded
from bot.core.proposal import Action, Result
from bot.core.states import State
from bot.core.verbs import Audience, Facts, Reach
from bot.ports.chat import NotDeliveredNow, Undeliverable
from bot.ports.connector import STALE, Failed, Found, InDoubt, Succeeded
from bot.ports.queries import Halts as HaltsQuery
from bot.service.caps import Caps
from bot.service.deliver import Deliver
from bot.testing.notebook import Notebook
from tests.service.office import ALLOW, DENY, FOUR_EYES, Office, open_office, request


async def test_an_approved_action_is_carried_out_exactly_as_it_was_stored(office: Office) -> None:
    proposal = await office.propose("hello \u202e world")
    assert proposal.state is State.PENDING
    shown = await office.until_delivered(proposal.id)
    assert [d.person for d in shown.deliveries] == [office.dana.id]

    pressed = await office.press(proposal)
    done = await office.until(proposal.id, State.SUCCEEDED)

    assert isinstance(pressed, Recorded)
    assert [note.action for note in office.notebook.written] == [proposal.action_json.encode()]
    assert office.notebook.written[0].key == proposal.id
    assert done.outcome is not None
    assert done.outcome.reference == "note-1"
    assert await office.leaf_types(proposal.id) == [
        "proposal.submitted",
        "card.posted",
        "decision.approve",
        "execution.intent",
        "execution.outcome",
    ]


async def test_a_rejected_action_never_happens_and_the_agent_learns_why(office: Office) -> None:
    proposal = await office.propose()

    await office.press(proposal, Button.REJECT, note="wrong thread")

    found = await office.reading.proposal(office.agent, proposal.id)
    assert found.state is State.REJECTED
    assert found.reason == "wrong thread"
    assert office.notebook.written == []


async def test_the_same_key_and_body_again_is_the_same_proposal(office: Office) -> None:
    first = await office.submit.submit(office.agent, request("a"))
    again = await office.submit.submit(office.agent, request("a"))

    assert again.replayed
    assert again.proposal.id == first.proposal.id
    with pytest.raises(KeyReused):
        await office.propose("another body")


async def test_an_agent_cannot_see_or_take_back_what_belongs_to_another(office: Office) -> None:
    proposal = await office.propose()
    other, _ = await office.agents.create(
        OPERATOR,
        name="other",
        owner=office.dana.id,
        purpose="Something else",
        principals=[office.dana.id],
        verbs=["note.*"],
    )

    with pytest.raises(NotFound):
        await office.reading.proposal(other, proposal.id)
    with pytest.raises(NotFound):
        await office.withdraw.withdraw(other, proposal.id, reason="")
    with pytest.raises(NotFound):
        await office.propose(key="s", agent=other, supersedes=proposal.id)
    assert list(await office.reading.proposals(other)) == []


async def test_an_agent_acts_only_for_people_it_is_bound_to(office: Office) -> None:
    eve = await office.person("eve")

    with pytest.raises(NotPermitted):
        await office.propose(on_behalf_of=eve.id)


async def test_a_verb_outside_what_the_agent_may_propose_is_refused(office: Office) -> None:
    await office.agents.bind(
        OPERATOR, office.agent.id, principals=[office.dana.id], verbs=["other.*"]
    )
    agent = await office.agents.get("writer")

    with pytest.raises(NotPermitted):
        await office.propose(agent=agent)


async def test_a_verb_that_nobody_declares_is_unknown(office: Office) -> None:
    with pytest.raises(UnknownVerb):
        await office.propose(action=Action(verb="note.burn", resource="note:1", params={}))


async def test_a_secret_is_refused_and_not_repeated(office: Office) -> None:
    secret = "ghp_" + "A1b2C3d4E5f6G7h8I9j0" + "K1l2M3n4O5p6Q7r8"

    with pytest.raises(SecretInProposal) as refused:
        await office.propose(f"use {secret} please")

    assert secret not in refused.value.message
    assert refused.value.field == "/action/params/text"


async def test_waiting_returns_when_it_is_final(office: Office) -> None:
    proposal = await office.propose()
    waiting = asyncio.create_task(office.reading.wait(office.agent, proposal.id, timeout_s=10))

    await office.press(proposal, Button.REJECT)

    assert (await waiting).state is State.REJECTED


async def test_waiting_ends_when_time_is_up(office: Office) -> None:
    proposal = await office.propose()

    found = await office.reading.wait(office.agent, proposal.id, timeout_s=0.01)

    assert found.state is State.PENDING


async def test_waits_are_bounded_for_each_agent() -> None:
    async with open_office(caps=Caps(waits_per_agent=1)) as office:
        proposal = await office.propose()
        first = asyncio.create_task(office.reading.wait(office.agent, proposal.id, timeout_s=10))
        await asyncio.sleep(0)

        with pytest.raises(TooMany):
            await office.reading.wait(office.agent, proposal.id, timeout_s=10)
        first.cancel()


async def test_pending_proposals_are_bounded_and_freed_by_decisions() -> None:
    async with open_office(caps=Caps(pending_per_agent=2)) as office:
        first = await office.propose("1", key="1")
        await office.propose("2", key="2")
        with pytest.raises(TooMany):
            await office.propose("3", key="3")

        await office.press(first, Button.REJECT)

        assert (await office.propose("3", key="3")).state is State.PENDING


async def test_a_withdrawn_proposal_cannot_be_approved(office: Office) -> None:
    proposal = await office.propose()
    taken_back = await office.withdraw.withdraw(office.agent, proposal.id, reason="moot")

    pressed = await office.press(proposal)

    assert taken_back.state is State.WITHDRAWN
    assert isinstance(pressed, NotRecorded)
    assert office.notebook.written == []


async def test_what_is_done_cannot_be_withdrawn(office: Office) -> None:
    proposal = await office.propose()
    await office.press(proposal)
    await office.until(proposal.id, State.SUCCEEDED)

    with pytest.raises(IllegalTransition):
        await office.withdraw.withdraw(office.agent, proposal.id, reason="")


async def test_superseding_ends_the_earlier_proposal(office: Office) -> None:
    first = await office.propose("draft", key="1")

    second = await office.propose("final", key="2", supersedes=first.id)

    earlier = await office.now(first.id)
    assert earlier.state is State.SUPERSEDED
    assert earlier.superseded_by == second.id
    assert isinstance(await office.press(first), NotRecorded)
    with pytest.raises(IllegalTransition):
        await office.propose("again", key="3", supersedes=first.id)


async def test_silence_is_no_and_is_not_called_a_denial(office: Office) -> None:
    proposal = await office.propose()

    office.clock.advance(1801)
    pressed = await office.press(proposal)

    found = await office.reading.proposal(office.agent, proposal.id)
    assert isinstance(pressed, NotRecorded)
    assert pressed.code == "expired"
    assert found.state is State.EXPIRED
    assert office.notebook.written == []


async def test_an_expired_proposal_reads_as_expired_before_its_row_says_so(office: Office) -> None:
    proposal = await office.propose()
    office.clock.advance(1801)

    found = await office.reading.proposal(office.agent, proposal.id)

    assert found.state is State.EXPIRED
    await office.expire()
    assert (await office.now(proposal.id)).state is State.EXPIRED


async def test_a_halt_ends_what_waits_and_refuses_what_comes(office: Office) -> None:
    proposal = await office.propose()
    target = HaltTarget(
        scope=HaltScope.AGENT_FOR_PRINCIPAL, agent=office.agent.id, principal=office.dana.id
    )

    halt = await office.halts.halt(person_actor(office.dana.id), target, reason="strange")

    assert (await office.reading.proposal(office.agent, proposal.id)).state is State.REVOKED
    with pytest.raises(Halted):
        await office.propose("more", key="k2")
    pressed = await office.press(proposal)
    assert isinstance(pressed, NotRecorded)
    await office.until(proposal.id, State.REVOKED)
    assert office.notebook.written == []

    await office.halts.resume(person_actor(office.dana.id), halt.id, reason="explained")

    assert (await office.propose("more", key="k2")).state is State.PENDING
    assert (await office.now(proposal.id)).state is State.REVOKED


async def test_the_stop_button_stops_the_agent_for_that_person(office: Office) -> None:
    proposal = await office.propose()

    pressed = await office.press(proposal, Button.STOP_AGENT)

    assert isinstance(pressed, Recorded)
    with pytest.raises(Halted):
        await office.propose("more", key="k2")


async def test_nobody_stops_what_is_not_theirs(office: Office) -> None:
    eve = await office.person("eve")

    for target in (
        HaltTarget(scope=HaltScope.ALL),
        HaltTarget(scope=HaltScope.AGENT, agent=office.agent.id),
        HaltTarget(
            scope=HaltScope.AGENT_FOR_PRINCIPAL, agent=office.agent.id, principal=office.dana.id
        ),
    ):
        with pytest.raises(NotPermitted):
            await office.halts.halt(person_actor(eve.id), target, reason="")
    assert await office.store.read(HaltsQuery()) == []


async def test_only_the_named_person_can_decide(office: Office) -> None:
    eve = await office.person("eve")
    proposal = await office.propose()

    pressed = await office.press(proposal, by=eve.id)
    nobody = await office.press(proposal, by=PersonId("per_unknown"))

    assert isinstance(pressed, NotRecorded)
    assert pressed.code == "not_yours"
    assert isinstance(nobody, NotRecorded)
    assert (await office.now(proposal.id)).state is State.PENDING
    assert "click.refused" in await office.leaf_types(proposal.id)


async def test_a_card_of_another_digest_does_not_count(office: Office) -> None:
    proposal = await office.propose()

    for prefix in ("", "0" * 16, proposal.digest.removeprefix("sha256:")[:15]):
        pressed = await office.press(proposal, digest_prefix=prefix)
        assert isinstance(pressed, NotRecorded)
        assert pressed.code == "card_out_of_date"


async def test_what_does_not_fit_the_card_has_to_be_read_first(office: Office) -> None:
    proposal = await office.propose("long " * 2000)

    refused = await office.press(proposal)
    await office.desk.viewed(office.dana.id, proposal.id, chat="silent")
    pressed = await office.press(proposal)

    assert isinstance(refused, NotRecorded)
    assert refused.code == "full_view_first"
    assert isinstance(pressed, Recorded)
    await office.until(proposal.id, State.SUCCEEDED)


async def test_an_allowed_action_is_carried_out_without_asking() -> None:
    async with open_office(policy=ALLOW) as office:
        proposal = await office.propose()

        done = await office.until(proposal.id)

        assert done.state is State.SUCCEEDED
        assert office.chat.cards == {}


async def test_a_denied_action_is_recorded_and_never_looked_at() -> None:
    class Curious(Notebook):
        async def inspect(self, action: Action) -> Facts:
            raise AssertionError(f"a denied action must not be looked at: {action}")

    async with open_office(policy=DENY, notebook=Curious()) as office:
        proposal = await office.propose()

        assert proposal.state is State.DENIED
        assert proposal.reason == "Notes are closed."
        assert await office.leaf_types(proposal.id) == ["proposal.submitted"]


async def test_a_policy_that_became_stricter_stops_what_was_approved_under_the_old(
    office: Office,
) -> None:
    proposal = await office.propose()
    await office.gate.policies.activate(DENY, actor=OPERATOR)

    pressed = await office.press(proposal)

    assert isinstance(pressed, NotRecorded)
    assert (await office.now(proposal.id)).state is State.REVOKED


async def test_a_policy_that_asks_for_more_people_stops_what_one_would_have_approved(
    office: Office,
) -> None:
    proposal = await office.propose()
    await office.gate.policies.activate(FOUR_EYES, actor=OPERATOR)

    assert isinstance(await office.press(proposal), NotRecorded)
    assert office.notebook.written == []


async def test_a_laxer_policy_changes_nothing_for_what_waits(office: Office) -> None:
    proposal = await office.propose()
    await office.gate.policies.activate(ALLOW, actor=OPERATOR)

    assert (await office.now(proposal.id)).state is State.PENDING
    assert isinstance(await office.press(proposal), Recorded)


async def test_two_distinct_people_without_a_stake_decide_together() -> None:
    async with open_office(policy=FOUR_EYES) as office:
        ann, bob = await office.person("ann"), await office.person("bob")
        members = frozenset({ann.id, bob.id, office.dana.id})
        office.groups.members_of["security"] = members
        proposal = await office.propose()

        own = await office.press(proposal)
        first = await office.press(proposal, by=ann.id)
        again = await office.press(proposal, by=ann.id)
        assert (await office.now(proposal.id)).state is State.PENDING
        second = await office.press(proposal, by=bob.id)

        assert isinstance(own, NotRecorded)
        assert isinstance(first, Recorded)
        assert isinstance(again, Recorded)
        assert isinstance(second, Recorded)
        done = await office.until(proposal.id)
        assert done.state is State.SUCCEEDED
        assert [d.choice for d in done.decisions] == [Choice.APPROVE, Choice.APPROVE]


async def test_one_rejection_vetoes_and_an_approval_may_become_one() -> None:
    async with open_office(policy=FOUR_EYES) as office:
        ann, bob = await office.person("ann"), await office.person("bob")
        office.groups.members_of["security"] = frozenset({ann.id, bob.id})
        proposal = await office.propose()

        await office.press(proposal, by=ann.id)
        await office.press(proposal, Button.REJECT, by=ann.id, note="on second thought")

        assert (await office.now(proposal.id)).state is State.REJECTED


async def test_who_left_the_group_no_longer_counts() -> None:
    async with open_office(policy=FOUR_EYES) as office:
        ann, bob, cid = [await office.person(handle) for handle in ("ann", "bob", "cid")]
        office.groups.members_of["security"] = frozenset({ann.id, bob.id, cid.id})
        proposal = await office.propose()
        await office.press(proposal, by=ann.id)

        office.groups.members_of["security"] = frozenset({bob.id, cid.id})
        await office.press(proposal, by=bob.id)

        assert (await office.now(proposal.id)).state is State.PENDING
        assert isinstance(await office.press(proposal, by=ann.id), NotRecorded)


async def test_a_group_that_cannot_be_read_means_nobody() -> None:
    async with open_office(policy=FOUR_EYES) as office:
        ann = await office.person("ann")
        proposal = await office.propose()

        assert isinstance(await office.press(proposal, by=ann.id), NotRecorded)
        delivered = await office.until_delivered(proposal.id)
        assert delivered.undeliverable == "Nobody may decide about it."


async def test_an_agent_that_was_revoked_can_do_nothing_more(office: Office) -> None:
    proposal = await office.propose()

    await office.agents.revoke(OPERATOR, office.agent.id, reason="stolen")

    assert isinstance(await office.press(proposal), NotRecorded)
    with pytest.raises((NotPermitted, Halted)):
        await office.propose("more", key="k2")
    await office.until(proposal.id, State.REVOKED)


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


async def test_a_card_that_cannot_be_delivered_is_said_to_the_agent(office: Office) -> None:
    office.chat.fail_with = Undeliverable("Not linked.", reason="not_linked")

    proposal = await office.propose()

    found = await office.until_delivered(proposal.id)
    assert found.undeliverable == "Not linked."
    assert found.state is State.PENDING


async def test_a_chat_that_is_down_gets_the_card_later() -> None:
    async with open_office(with_workers=False) as office:
        deliver = Deliver(office.gate)
        proposal = await office.propose()

        office.chat.fail_with = NotDeliveredNow("down", retry_after_s=1)
        await deliver.deliver(await office.gate.dispatch.take(EffectKind.DELIVER, limit=9))
        assert not (await office.now(proposal.id)).deliveries
        assert await office.store.lease([EffectKind.DELIVER], limit=9, for_s=60) == []

        office.chat.fail_with = None
        office.clock.advance(10)
        await deliver.deliver(await office.store.lease([EffectKind.DELIVER], limit=9, for_s=60))
        assert (await office.now(proposal.id)).deliveries


async def test_of_many_clicks_at_once_exactly_one_wins_and_all_are_told(office: Office) -> None:
    proposal = await office.propose()
    buttons = [Button.APPROVE, Button.REJECT] * 32

    answers = await asyncio.gather(*(office.press(proposal, b) for b in buttons * 3))

    assert len(answers) == len(buttons) * 3
    done = await office.until(proposal.id)
    assert len(done.decisions) == 1
    assert len(office.notebook.written) == (done.state is State.SUCCEEDED)
    types = await office.leaf_types(proposal.id)
    assert types.count("decision.approve") + types.count("decision.reject") == 1


async def test_nothing_moves_that_cannot_be_recorded(office: Office) -> None:
    proposal = await office.propose()
    office.store.break_log()

    pressed = await office.press(proposal)

    assert isinstance(pressed, NotRecorded)
    assert pressed.code == "store_unavailable"
    assert (await office.now(proposal.id)).state is State.PENDING
    assert office.notebook.written == []


async def test_the_history_tells_the_story_in_words(office: Office) -> None:
    proposal = await office.propose()
    await office.until_delivered(proposal.id)
    await office.press(proposal)
    await office.until(proposal.id)

    story = await office.desk.history(office.dana.id, proposal.id)

    assert [(entry.what, entry.who) for entry in story] == [
        ("Proposed", "writer"),
        ("Card shown in silent", "Keyturn"),
        ("Approved in silent", "Dana"),
        ("Began to carry it out", "Keyturn"),
        ("Carried out: it happened", "Keyturn"),
    ]


async def test_the_inbox_holds_what_waits_for_me_and_what_became_of_the_rest(
    office: Office,
) -> None:
    eve = await office.person("eve")
    waiting = await office.propose("1", key="1")
    rejected = await office.propose("2", key="2")
    await office.press(rejected, Button.REJECT)

    mine = await office.desk.inbox(office.dana.id, max_chars=4000)
    others = await office.desk.inbox(eve.id, max_chars=4000)

    assert [card.proposal for card in mine.waiting] == [waiting.id]
    assert [card.proposal for card in mine.decided] == [rejected.id]
    assert (others.waiting, others.decided) == ([], [])
    with pytest.raises(NotFound):
        await office.desk.card(eve.id, waiting.id, max_chars=4000)


async def test_dry_run_keeps_nothing(office: Office) -> None:
    found = await office.submit.dry_run(office.agent, request())

    assert found.verdict.rules == ("notes",)
    assert list(await office.reading.proposals(office.agent)) == []


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
