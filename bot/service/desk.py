"""What people do, whichever chat they use."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from bot.core.actors import Agent, Person, person_actor
from bot.core.approval import ApprovalMode, Choice
from bot.core.card import Button, Card, FullViewPage, build_card, full_view
from bot.core.errors import KeyturnError, NotAuthenticated, NotFound, Unavailable
from bot.core.halts import Halt, HaltScope, HaltTarget
from bot.core.ids import HaltId, PersonId, ProposalId
from bot.core.pressed import NotRecorded, NotYetRecorded, Pressed, Recorded
from bot.core.proposal import Proposal, Result
from bot.core.states import State
from bot.core.status import status_line
from bot.core.step import Ask
from bot.core.transitions import decision
from bot.core.transitions.decision import Vote
from bot.ports.desk import Click, HistoryEntry, Inbox, UndoOffer
from bot.ports.queries import (
    OPEN_STATES,
    AgentById,
    PendingCount,
    PersonById,
    ProposalById,
    Proposals,
)
from bot.service.approvers import approvers_of, membership_for
from bot.service.gate import Gate
from bot.service.halt import Halts
from bot.service.history import history_of
from bot.service.reading import as_they_are
from bot.service.receipts import Receipts
from bot.service.settle import Settle
from bot.service.sign_in import SignIn
from bot.service.undo import Undo, standing_of

#: A chat is answered within this; a commit that takes longer goes on by itself.
ANSWER_WITHIN_S = 2.5
_MAX_NOTE_CHARS = 2_000
_LOOK_THROUGH = 200
_CLOSED_STATES = tuple(state for state in State if state not in OPEN_STATES)


class OfficeDesk:
    """Implements :class:`bot.ports.desk.Desk` on the gate."""

    def __init__(self, gate: Gate, *, halts: Halts, sign_in: SignIn, receipts: Receipts) -> None:
        self._gate = gate
        self._halts = halts
        self._settle = Settle(gate)
        self._undo = Undo(gate)
        self._sign_in = sign_in
        self._receipts = receipts
        self._going_on: set[asyncio.Task[Pressed]] = set()

    async def press(self, click: Click) -> Pressed:
        task = asyncio.create_task(self._press(click))
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)
        done, _ = await asyncio.wait({task}, timeout=ANSWER_WITHIN_S)
        if not done:
            return NotYetRecorded(
                message="This takes longer than usual. It is not recorded yet; "
                "the card changes when it is."
            )
        pressed = task.result()
        self._gate.tally.count("clicks", _label(pressed))
        return pressed

    async def card(self, person: PersonId, proposal: ProposalId, *, max_chars: int) -> Card:
        found, agent = await self._visible(person, proposal)
        return await self._card(found, agent, person, max_chars=max_chars)

    async def full_view(self, person: PersonId, proposal: ProposalId, *, page: int) -> FullViewPage:
        found, _ = await self._visible(person, proposal)
        return full_view(found, page=page)

    async def undo_offer(self, person: PersonId, proposal: ProposalId) -> UndoOffer:
        found, _ = await self._visible(person, proposal)
        return await self._undo.offer(person, found)

    async def viewed(self, person: PersonId, proposal: ProposalId, *, chat: str) -> None:
        await self._visible(person, proposal)
        await self._gate.commit(
            Ask(proposals=(proposal,)),
            lambda snapshot: decision.view(
                snapshot, proposal_id=proposal, person=person, chat=chat
            ),
        )

    async def history(self, person: PersonId, proposal: ProposalId) -> Sequence[HistoryEntry]:
        await self._visible(person, proposal)
        return await history_of(self._gate.store, proposal)

    async def receipt(self, person: PersonId, proposal: ProposalId) -> str:
        await self._visible(person, proposal)
        value = await self._receipts.whole(proposal)
        return json.dumps(value, ensure_ascii=False, indent=1) + "\n"

    async def inbox(self, person: PersonId, *, max_chars: int, limit: int = 50) -> Inbox:
        store = self._gate.store
        await self.person(person)
        own = await store.read(Proposals(principal=person, states=OPEN_STATES, limit=limit))
        held = await store.read(Proposals(states=(State.PENDING,), limit=_LOOK_THROUGH))
        past = await store.read(Proposals(principal=person, states=_CLOSED_STATES, limit=limit))
        voted = await store.read(Proposals(states=_CLOSED_STATES, limit=_LOOK_THROUGH))
        others = [p for p in held if p.principal != person and _needs_four_eyes(p)]
        elsewhere = [p for p in voted if p.principal != person and _has_decided(p, person)]
        waiting, decided = [], []
        for proposal in await as_they_are(self._gate, [*own, *others, *past, *elsewhere]):
            agent = await store.read(AgentById(proposal.agent))
            if agent is None:
                continue
            card = await self._card(proposal, agent, person, max_chars=max_chars)
            if Button.APPROVE in card.buttons or Button.SETTLE_DONE in card.buttons:
                waiting.append(card)
            elif proposal.principal == person or _has_decided(proposal, person):
                decided.append(card)
        waiting.sort(key=lambda card: card.proposal)
        decided.sort(key=lambda card: card.changed_at, reverse=True)
        halts = await self._halts.list(active_only=True)
        return Inbox(
            waiting=waiting,
            decided=decided[:limit],
            halts=[halt for halt in halts if halt.target.principal in (None, person)],
            waiting_total=max(len(waiting), await store.read(PendingCount(principal=person))),
        )

    async def halt(self, person: PersonId, target: HaltTarget, *, reason: str, chat: str) -> Halt:
        return await self._halts.halt(
            person_actor(person), target, reason=reason[:_MAX_NOTE_CHARS], via=chat
        )

    async def resume(self, person: PersonId, halt: HaltId, *, reason: str, chat: str) -> Halt:
        return await self._halts.resume(
            person_actor(person), halt, reason=reason[:_MAX_NOTE_CHARS], via=chat
        )

    async def sign_in(self, code: str) -> Person:
        return await self._sign_in.redeem(code)

    async def person(self, person: PersonId) -> Person:
        found = await self._gate.store.read(PersonById(person))
        if found is None or not found.active:
            raise NotAuthenticated("This person is no longer active.")
        return found

    async def _press(self, click: Click) -> Pressed:
        try:
            match click.button:
                case Button.APPROVE:
                    return await self._decide(click, Choice.APPROVE)
                case Button.REJECT:
                    return await self._decide(click, Choice.REJECT)
                case Button.SETTLE_DONE:
                    return await self._settled(click, Result.SUCCEEDED)
                case Button.SETTLE_NOT_DONE:
                    return await self._settled(click, Result.FAILED)
                case Button.STOP_AGENT:
                    return await self._stop(click)
                case Button.UNDO:
                    return await self._undone(click)
                case Button.FULL_VIEW:
                    return NotRecorded(
                        code="not_a_decision", message="Open the full view to read it."
                    )
                case _:
                    assert_never(click.button)
        except KeyturnError as error:
            return NotRecorded(code=error.code, message=_for_people(error))

    async def _decide(self, click: Click, choice: Choice) -> Pressed:
        gate = self._gate
        found = await self._found(click.proposal)
        verb = gate.connectors.verbs.get(found.action.verb)
        membership = await membership_for(gate, found)
        chat = gate.chats.get(click.chat)
        vote = Vote(
            proposal=click.proposal,
            person=click.person,
            choice=choice,
            digest_prefix=click.digest_prefix,
            reason=click.note.strip()[:_MAX_NOTE_CHARS],
            chat=click.chat,
            max_chars=0 if chat is None else chat.max_chars,
        )
        pressed = await gate.commit(
            Ask(proposals=(found.id,), agent=found.agent, person=click.person),
            lambda snapshot: decision.decide(
                snapshot, vote, policy=gate.policies.current, verb=verb, membership=membership
            ),
        )
        return await self._naming_who_was_first(pressed)

    async def _settled(self, click: Click, result: Result) -> Pressed:
        found, agent = await self._visible(click.person, click.proposal)
        may_settle = found.principal == click.person or click.person in await approvers_of(
            self._gate, found, agent
        )
        if not may_settle:
            return NotRecorded(code="not_yours", message="This is not yours to settle.")
        if not click.note.strip():
            return NotRecorded(
                code="note_needed", message="Say how you found out, then record it again."
            )
        return await self._settle.by_person(
            click.person,
            click.proposal,
            result=result,
            note=click.note.strip()[:_MAX_NOTE_CHARS],
        )

    async def _undone(self, click: Click) -> Pressed:
        found, _ = await self._visible(click.person, click.proposal)
        chat = self._gate.chats.get(click.chat)
        return await self._undo.press(
            replace(click, note=click.note.strip()[:_MAX_NOTE_CHARS]),
            found,
            max_chars=0 if chat is None else chat.max_chars,
        )

    async def _stop(self, click: Click) -> Pressed:
        found = await self._found(click.proposal)
        target = HaltTarget(
            scope=HaltScope.AGENT_FOR_PRINCIPAL, agent=found.agent, principal=found.principal
        )
        await self._halts.halt(
            person_actor(click.person),
            target,
            reason=click.note.strip()[:_MAX_NOTE_CHARS] or "Stopped from the card.",
            via=click.chat,
        )
        now_is = (await as_they_are(self._gate, [await self._found(click.proposal)]))[0]
        return Recorded(
            state=now_is.state,
            message="Stopped. This agent can do nothing more for you until you resume it. "
            "What was being carried out at this moment may still finish.",
        )

    async def _naming_who_was_first(self, pressed: Pressed) -> Pressed:
        if not isinstance(pressed, NotRecorded) or pressed.decided_by is None:
            return pressed
        first = await self._gate.store.read(PersonById(pressed.decided_by))
        if first is None:
            return pressed
        return NotRecorded(
            code=pressed.code,
            message=f"{pressed.message} Decided by {first.display_name}.",
            state=pressed.state,
            decided_by=pressed.decided_by,
        )

    async def _found(self, proposal: ProposalId) -> Proposal:
        found = await self._gate.store.read(ProposalById(proposal))
        if found is None:
            raise NotFound("There is no such proposal.")
        return found

    async def _visible(self, person: PersonId, proposal: ProposalId) -> tuple[Proposal, Agent]:
        """Return the proposal for those it concerns: others are told there is none."""
        found = await self._found(proposal)
        agent = await self._gate.store.read(AgentById(found.agent))
        reader = await self.person(person)
        if agent is None:
            raise NotFound("There is no such proposal.")
        concerned = {agent.owner, *_people_of(found)}
        if found.undoes is not None:
            concerned |= _people_of(await self._found(found.undoes))
        if reader.id not in concerned and reader.id not in await approvers_of(
            self._gate, found, agent
        ):
            raise NotFound("There is no such proposal.")
        return (await as_they_are(self._gate, [found]))[0], agent

    async def _card(
        self, proposal: Proposal, agent: Agent, reader: PersonId, *, max_chars: int
    ) -> Card:
        principal = await self._gate.store.read(PersonById(proposal.principal))
        if principal is None:
            raise NotFound("There is no such proposal.")
        return build_card(
            proposal,
            agent=agent,
            principal=principal,
            reader=reader,
            may_decide=reader in await approvers_of(self._gate, proposal, agent),
            undo=await standing_of(self._gate, proposal, reader),
            status=status_line(proposal),
            max_chars=max_chars,
        )


def _for_people(error: KeyturnError) -> str:
    if isinstance(error, Unavailable):
        return "It could not be recorded just now. Press again in a moment."
    return error.message


def _people_of(proposal: Proposal) -> set[PersonId]:
    return {proposal.principal, *(decision_.person for decision_ in proposal.decisions)}


def _needs_four_eyes(proposal: Proposal) -> bool:
    return proposal.approval is not None and proposal.approval.mode is ApprovalMode.FOUR_EYES


def _has_decided(proposal: Proposal, person: PersonId) -> bool:
    return any(decision_.person == person for decision_ in proposal.decisions)


def _label(pressed: Pressed) -> str:
    match pressed:
        case Recorded():
            return "recorded"
        case NotRecorded(code=code):
            return code
        case NotYetRecorded():
            return "not_yet_recorded"
