"""A desk without a store: it keeps what chats asked of it, and can be told how to answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.core.actors import Agent, Person, Role, person_actor
from bot.core.approval import Choice, Decision
from bot.core.card import Button, Card, FullViewPage, UndoStanding, build_card, full_view
from bot.core.errors import IllegalTransition, NotAuthenticated, NotFound, NotPermitted
from bot.core.halts import Halt, HaltScope, HaltTarget, covers, may_halt, widest_stop
from bot.core.ids import AgentId, HaltId, PersonId, ProposalId, halt_id, proposal_id
from bot.core.pressed import NotRecorded, Pressed, Recorded
from bot.core.proposal import Outcome, Proposal, Result, Viewed
from bot.core.states import TERMINAL, State
from bot.core.status import status_line
from bot.core.tokens import TOKEN_ENTROPY_BYTES, TokenKind, spell_token
from bot.core.transitions.undo import is_offered
from bot.ports.desk import (
    ANSWER_WITHIN_S,
    AgentEntry,
    Click,
    HistoryEntry,
    Inbox,
    UndoOffer,
    Viewing,
    ViewLink,
)
from bot.testing.desk_accounts import MemoryAccounts

VIEW_LINK_TTL_S = 600


@dataclass(slots=True, kw_only=True)
class MemoryDesk(MemoryAccounts):
    """Implements :class:`bot.ports.desk.Desk`.

    ``journal`` holds every call that would change something, ``clicks`` the presses among them.
    ``answer`` is what the next press gets instead of being carried out, ``fail_with`` is raised by
    everything, and ``without_warnings`` leaves Keyturn's own warnings off the cards.
    """

    known_agents: dict[AgentId, Agent] = field(default_factory=dict)
    proposals: dict[ProposalId, Proposal] = field(default_factory=dict)
    approvers: dict[ProposalId, frozenset[PersonId]] = field(default_factory=dict)
    histories: dict[ProposalId, list[HistoryEntry]] = field(default_factory=dict)
    codes: dict[str, PersonId] = field(default_factory=dict)
    view_codes: dict[str, tuple[Viewing, datetime]] = field(default_factory=dict)
    halts: dict[HaltId, Halt] = field(default_factory=dict)
    answer: Pressed | None = None
    without_warnings: bool = False

    @property
    def clicks(self) -> list[Click]:
        return [what for name, what in self.journal if name == "press"]

    def hold(self, proposal: Proposal, *, approvers: Iterable[PersonId] | None = None) -> None:
        """Keep *proposal*; those who may decide are *approvers*, else its principal."""
        self.proposals[proposal.id] = proposal
        if approvers is not None:
            self.approvers[proposal.id] = frozenset(approvers)

    def card_for(self, person: PersonId, proposal: ProposalId, *, max_chars: int) -> Card:
        found = self._visible(person, proposal)
        card = build_card(
            found,
            agent=self.known_agents[found.agent],
            principal=self.people[found.principal],
            reader=person,
            may_decide=person in self._approvers(found),
            undo=self._standing(found, person),
            status=status_line(found),
            max_chars=max_chars,
        )
        return replace(card, warnings=()) if self.without_warnings else card

    async def press(self, click: Click, *, within_s: float = ANSWER_WITHIN_S) -> Pressed:  # noqa: ARG002 - nothing takes longer here
        self._record("press", click)
        if self.answer is not None:
            answer, self.answer = self.answer, None
            return answer
        found = self.proposals.get(click.proposal)
        if found is None:
            return NotRecorded(code="not_found", message="There is no such proposal.")
        if click.person not in {found.principal, *self._approvers(found)}:
            return NotRecorded(code="not_yours", message="This decision is not yours to make.")
        if click.button is Button.UNDO:
            return self._undo(found, click)
        if found.state in TERMINAL:
            return NotRecorded(code="too_late", message=status_line(found), state=found.state)
        state, message = _AFTER[click.button]
        self.proposals[found.id] = self._after(found, click, state)
        return Recorded(state=state, message=message)

    async def card(self, person: PersonId, proposal: ProposalId, *, max_chars: int) -> Card:
        self._work()
        return self.card_for(person, proposal, max_chars=max_chars)

    async def full_view(self, person: PersonId, proposal: ProposalId, *, page: int) -> FullViewPage:
        self._work()
        return full_view(self._visible(person, proposal), page=page)

    async def view_link(self, person: PersonId, proposal: ProposalId, *, chat: str) -> ViewLink:
        found = self._visible(person, proposal)
        self._record("view_link", (person, proposal, chat))
        count = sum(name == "view_link" for name, _ in self.journal)
        code = spell_token(TokenKind.VIEW, count.to_bytes(TOKEN_ENTROPY_BYTES, "big"))
        expires_at = self.clock.now() + timedelta(seconds=VIEW_LINK_TTL_S)
        self.view_codes[code] = (
            Viewing(person=person, proposal=found.id, chat=chat),
            expires_at,
        )
        return ViewLink(url_path=f"/view/{code}", expires_at=expires_at)

    async def open_view(self, code: str) -> Viewing:
        self._record("open_view", code)
        viewing, expires_at = self.view_codes.pop(code, (None, self.clock.now()))
        if viewing is None or self.clock.now() >= expires_at:
            raise NotAuthenticated("This link has been used, or its time is over.")
        await self.person(viewing.person)
        self._visible(viewing.person, viewing.proposal)
        return viewing

    async def undo_offer(self, person: PersonId, proposal: ProposalId) -> UndoOffer:
        self._work()
        found = self._visible(person, proposal)
        if not self._standing(found, person).offered or found.undo_until is None:
            raise IllegalTransition("The time in which Keyturn can undo this has passed.")
        return UndoOffer(
            audience=found.facts.audience,
            effect=f"Take back: {found.preview.effect}",
            target=found.preview.target,
            until=found.undo_until,
        )

    async def viewed(self, person: PersonId, proposal: ProposalId, *, chat: str) -> None:
        found = self._visible(person, proposal)
        self._record("viewed", (person, proposal, chat))
        view = Viewed(person=person, digest=found.digest, chat=chat, at=self.clock.now())
        self.proposals[proposal] = replace(found, views=(*found.views, view))

    async def cards_lost(self, chat: str, *, under: str) -> int:
        self._record("cards_lost", (chat, under))
        return 0

    async def history(self, person: PersonId, proposal: ProposalId) -> Sequence[HistoryEntry]:
        self._work()
        return self.histories.get(self._visible(person, proposal).id, [])

    async def receipt(self, person: PersonId, proposal: ProposalId) -> str:
        self._work()
        return f'{{"proposal": "{self._visible(person, proposal).id}"}}\n'

    async def inbox(
        self, person: PersonId, *, max_chars: int, limit: int = 50, page: int = 1
    ) -> Inbox:
        self._work()
        waiting: list[Card] = []
        decided: list[Card] = []
        for found in sorted(self.proposals.values(), key=lambda p: p.id):
            if person != found.principal and person not in self._approvers(found):
                continue
            card = self.card_for(person, found.id, max_chars=max_chars)
            asked = Button.APPROVE in card.buttons or Button.SETTLE_DONE in card.buttons
            (waiting if asked else decided).append(card)
        pages = max(1, -(-len(waiting) // limit))
        page = min(max(page, 1), pages)
        return Inbox(
            waiting=waiting[(page - 1) * limit : page * limit],
            decided=sorted(decided, key=lambda card: card.changed_at, reverse=True)[:limit],
            halts=[halt for halt in self.halts.values() if halt.is_active],
            waiting_total=len(waiting),
            page=page,
            pages=pages,
        )

    async def halt(self, person: PersonId, target: HaltTarget, *, reason: str, chat: str) -> Halt:
        self._record("halt", (person, target, reason, chat))
        agent = self.known_agents.get(target.agent) if target.agent else None
        if not may_halt(person_actor(person), target, person=self.people[person], agent=agent):
            raise NotPermitted("It is not yours to stop.")
        return self._stop(person, target, reason)

    async def resume(self, person: PersonId, halt: HaltId, *, reason: str, chat: str) -> Halt:
        self._record("resume", (person, halt, reason, chat))
        found = self.halts.get(halt)
        if found is None or not found.is_active:
            raise NotFound("There is no such stop, or it was ended before.")
        ended = replace(
            found,
            resumed_by=person_actor(person),
            resumed_at=self.clock.now(),
            resume_reason=reason,
        )
        self.halts[halt] = ended
        return ended

    async def sign_in(self, code: str) -> Person:
        self._record("sign_in", code)
        person = self.codes.pop(code, None)
        if person is None:
            raise NotAuthenticated("This link was used, or it is too old.")
        return await self.person(person)

    async def agents(self, person: PersonId) -> Sequence[AgentEntry]:
        reader = await self.person(person)
        return [
            AgentEntry(
                id=agent.id,
                name=agent.name,
                purpose=agent.purpose,
                owner_name=self.people[agent.owner].display_name,
                active=agent.active,
                acts_for_reader=person in agent.principals,
                pending=sum(
                    found.state is State.PENDING and found.agent == agent.id
                    for found in self.proposals.values()
                    if found.principal == person
                ),
                halts=[
                    halt
                    for halt in self.halts.values()
                    if halt.is_active
                    and covers(halt.target, agent=agent.id, principal=person, connector="")
                ],
                may_stop=widest_stop(agent, reader),
            )
            for agent in sorted(self.known_agents.values(), key=lambda agent: agent.name)
            if Role.ADMIN in reader.roles or person in (agent.owner, *agent.principals)
        ]

    def _after(self, found: Proposal, click: Click, state: State) -> Proposal:
        now = self.clock.now()
        changed = replace(found, state=state, changed_at=now)
        match click.button:
            case Button.APPROVE | Button.REJECT | Button.NOT_MINE:
                approves = click.button is Button.APPROVE
                decision = Decision(
                    person=click.person,
                    choice=Choice.APPROVE if approves else Choice.REJECT,
                    digest=found.digest,
                    card_digest=found.digest,
                    reason=click.note,
                    chat=click.chat,
                    at=now,
                )
                return replace(changed, decisions=(*found.decisions, decision))
            case Button.SETTLE_DONE | Button.SETTLE_NOT_DONE:
                outcome = Outcome(
                    result=Result(state.value),
                    reason="settled",
                    detail=click.note,
                    settled_by=click.person,
                    at=now,
                )
                return replace(changed, outcome=outcome)
            case Button.STOP_AGENT:
                target = HaltTarget(
                    scope=HaltScope.AGENT_FOR_PRINCIPAL,
                    agent=found.agent,
                    principal=found.principal,
                )
                self._stop(click.person, target, click.note)
                return changed
            case Button.FULL_VIEW | Button.UNDO:
                return found

    def _undo(self, found: Proposal, click: Click) -> Pressed:
        if not self._standing(found, click.person).offered:
            return NotRecorded(
                code="undo_too_late",
                message="The time in which Keyturn can undo this has passed.",
                state=found.state,
            )
        now = self.clock.now()
        undo = replace(
            found,
            id=proposal_id(now, len(self.proposals).to_bytes(16, "big")),
            proposer=person_actor(click.person),
            principal=click.person,
            preview=replace(found.preview, effect=f"Take back: {found.preview.effect}"),
            state=State.EXECUTING,
            outcome=None,
            undo_window_s=None,
            undoes=found.id,
            created_at=now,
            changed_at=now,
        )
        self.proposals[undo.id] = undo
        self.proposals[found.id] = replace(found, undone_by=undo.id, changed_at=now)
        return Recorded(state=found.state, message="It is being undone now.")

    def _standing(self, proposal: Proposal, reader: PersonId) -> UndoStanding:
        by = self.proposals.get(proposal.undone_by) if proposal.undone_by else None
        now = self.clock.now()
        return UndoStanding(offered=is_offered(proposal, reader, by=by, now=now), by=by)

    def _stop(self, person: PersonId, target: HaltTarget, reason: str) -> Halt:
        halt = Halt(
            id=halt_id(len(self.halts).to_bytes(16, "big")),
            target=target,
            set_by=person_actor(person),
            set_at=self.clock.now(),
            reason=reason,
        )
        self.halts[halt.id] = halt
        return halt

    def _approvers(self, proposal: Proposal) -> frozenset[PersonId]:
        return self.approvers.get(proposal.id, frozenset({proposal.principal}))

    def _visible(self, person: PersonId, proposal: ProposalId) -> Proposal:
        found = self.proposals.get(proposal)
        if found is None or not {person} & {found.principal, *self._approvers(found)}:
            raise NotFound("There is no such proposal.")
        return found


_AFTER = {
    Button.APPROVE: (State.APPROVED, "Approved. It will be carried out now."),
    Button.REJECT: (State.REJECTED, "Rejected. The agent is told."),
    Button.NOT_MINE: (State.REJECTED, "Reported as not yours. The agent is told."),
    Button.SETTLE_DONE: (State.SUCCEEDED, "Recorded that it happened."),
    Button.SETTLE_NOT_DONE: (State.FAILED, "Recorded that it did not happen."),
    Button.STOP_AGENT: (State.REVOKED, "Stopped. This agent can do nothing more for you."),
    Button.FULL_VIEW: (State.PENDING, "Open the full view to read it."),
    Button.UNDO: (State.SUCCEEDED, "It is being undone now."),
}
