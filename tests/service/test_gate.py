"""The life of a proposal through the real services, on a store that forgets."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.actors import OPERATOR, Role, person_actor
from bot.core.card import Button
from bot.core.effects import EffectKind
from bot.core.errors import (
    Halted,
    IllegalTransition,
    KeyReused,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    SecretInProposal,
    TooMany,
    UnknownVerb,
)
from bot.core.halts import HaltScope, HaltTarget
from bot.core.pressed import NotRecorded, Recorded
from bot.core.proposal import Action
from bot.core.states import State
from bot.core.verbs import Audience, Facts
from bot.ports.chat import NotDeliveredNow, Undeliverable
from bot.ports.queries import Halts as HaltsQuery
from bot.service.caps import Caps
from bot.service.deliver import Deliver
from bot.testing.notebook import Notebook
from tests.service.office import ALLOW, DENY, FOUR_EYES, HOLD, Office, open_office, request


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


async def test_a_card_that_cannot_be_delivered_is_said_to_the_agent(office: Office) -> None:
    office.chat.fail_with = Undeliverable("Not linked.", reason="not_linked")

    proposal = await office.propose()

    found = await office.until_delivered(proposal.id)
    assert found.undeliverable == "Not linked."
    assert found.state is State.PENDING


async def test_a_chat_that_asks_to_wait_is_not_asked_before() -> None:
    async with open_office(with_workers=False) as office:
        deliver = Deliver(office.gate)
        await office.propose()
        office.chat.fail_with = NotDeliveredNow("busy", retry_after_s=600)
        await deliver.deliver(await office.gate.dispatch.take(EffectKind.DELIVER, limit=9))

        office.clock.advance(590)
        assert await office.store.lease([EffectKind.DELIVER], limit=9, for_s=60) == []
        office.clock.advance(11)
        assert len(await office.store.lease([EffectKind.DELIVER], limit=9, for_s=60)) == 1


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


async def test_a_long_inbox_comes_page_by_page_the_oldest_first() -> None:
    async with open_office() as office:
        made = [(await office.propose(str(n), key=str(n))).id for n in range(5)]

        pages = [
            await office.desk.inbox(office.dana.id, max_chars=4000, limit=2, page=page)
            for page in (1, 2, 3, 4)
        ]

        shown = [[card.proposal for card in page.waiting] for page in pages]
        assert shown == [made[:2], made[2:4], made[4:], made[4:]]
        assert [(p.page, p.pages, p.waiting_total) for p in pages] == [
            (1, 3, 5),
            (2, 3, 5),
            (3, 3, 5),
            (3, 3, 5),
        ]


async def test_what_waits_for_others_is_not_counted_as_waiting_for_the_principal() -> None:
    async with open_office(policy=FOUR_EYES) as office:
        await office.propose()

        mine = await office.desk.inbox(office.dana.id, max_chars=4000)

        assert (mine.waiting_total, len(mine.waiting), len(mine.decided)) == (0, 0, 1)


async def test_much_that_waits_for_one_person_hides_nothing_from_another() -> None:
    caps = Caps(pending_per_agent=1000, pending_per_principal=1000, submits_per_minute=10_000)
    one_of_them = HOLD.replace("mode: confirm", "mode: confirm, approvers: [group:security]")
    async with open_office(policy=one_of_them, caps=caps) as office:
        eve = await office.person("eve")
        office.groups.members_of["security"] = frozenset({eve.id})
        first = await office.propose("for eve", key="first")
        await office.gate.policies.activate(HOLD, actor=OPERATOR)
        for n in range(220):
            await office.propose(str(n), key=str(n))

        hers = await office.desk.inbox(eve.id, max_chars=4000)

        assert [card.proposal for card in hers.waiting] == [first.id]


async def test_dry_run_keeps_nothing(office: Office) -> None:
    found = await office.submit.dry_run(office.agent, request())

    assert found.verdict.rules == ("notes",)
    assert list(await office.reading.proposals(office.agent)) == []


async def test_a_dry_run_does_not_read_the_target_for_the_agent() -> None:
    notebook = Notebook(verb=replace(Notebook().verb, inspects=True))
    notebook.facts = Facts(audience=Audience(who="All"), before={"text": "private"}, etag="v1")
    async with open_office(notebook=notebook) as office:
        found = await office.submit.dry_run(office.agent, request())

        assert found.facts == Facts(audience=Audience(who="All"))
        assert "private" not in repr(found)


async def test_an_admin_cannot_sign_in_as_somebody_else(office: Office) -> None:
    boss = await office.person("boss", Role.ADMIN)

    with pytest.raises(NotPermitted):
        await office.sign_in.link(person_actor(boss.id), office.dana.id)

    own = await office.sign_in.link(person_actor(boss.id), boss.id)
    assert (await office.sign_in.redeem(own.code)).id == boss.id
    with pytest.raises(NotAuthenticated):
        await office.sign_in.redeem(own.code)
