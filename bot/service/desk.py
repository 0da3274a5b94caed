"""What people do, whichever chat they use."""

import asyncio
import json
from collections.abc import Collection, Sequence
from dataclasses import replace

from bot.core.actors import Person, person_actor
from bot.core.card import Button, Card, FullViewPage, full_view
from bot.core.halts import Halt, HaltTarget
from bot.core.identity import ChatIdentity
from bot.core.ids import HaltId, PersonId, ProposalId
from bot.core.notice import NoticeRoute, Topic
from bot.core.pressed import NotRecorded, NotYetRecorded, Pressed, Recorded
from bot.core.proposal import Proposal
from bot.core.states import State
from bot.core.step import Ask
from bot.core.transitions import decision
from bot.ports.desk import (
    ANSWER_WITHIN_S,
    AgentEntry,
    Click,
    HistoryEntry,
    Inbox,
    LinkCode,
    UndoOffer,
    Viewing,
    ViewLink,
)
from bot.ports.queries import (
    OPEN_STATES,
    AgentById,
    PendingCount,
    Proposals,
)
from bot.service.agents_seen import agents_seen
from bot.service.gate import Gate
from bot.service.halt import Halts
from bot.service.history import history_of
from bot.service.linking import Linking
from bot.service.lost_cards import lost_cards
from bot.service.notice_routes import NoticeBook
from bot.service.press import MAX_NOTE_CHARS, Press
from bot.service.reading import as_they_are
from bot.service.receipts import Receipts
from bot.service.sign_in import SignIn
from bot.service.undo import Undo
from bot.service.view_links import ViewLinks
from bot.service.visible import active_person, card_of, visible

#: How long the end of the process waits for clicks that are still to be recorded.
FINISH_WITHIN_S = 10.0
_LOOK_THROUGH = 200
_CLOSED_STATES = tuple(state for state in State if state not in OPEN_STATES)


class OfficeDesk:
    """Implements :class:`bot.ports.desk.Desk` on the gate."""

    def __init__(self, gate: Gate, *, halts: Halts, sign_in: SignIn, receipts: Receipts) -> None:
        self._gate = gate
        self._halts = halts
        self._undo = Undo(gate)
        self._press = Press(gate, halts=halts, undo=self._undo)
        self._linking = Linking(gate)
        self._view_links = ViewLinks(gate)
        self._notices = NoticeBook(gate)
        self._sign_in = sign_in
        self._receipts = receipts
        self._going_on: set[asyncio.Task[Pressed]] = set()

    async def press(self, click: Click, *, within_s: float = ANSWER_WITHIN_S) -> Pressed:
        task = asyncio.create_task(self._press.press(click))
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)
        done, _ = await asyncio.wait({task}, timeout=within_s)
        if not done:
            return NotYetRecorded(
                message="This takes longer than usual. It is not recorded yet; "
                "the card changes when it is."
            )
        pressed = task.result()
        self._gate.tally.count("clicks", _label(pressed))
        return pressed

    async def finish(self, *, within_s: float = FINISH_WITHIN_S) -> None:
        """Wait for clicks that were answered with "not recorded yet", before the store closes."""
        if self._going_on:
            await asyncio.wait(self._going_on, timeout=within_s)

    async def card(self, person: PersonId, proposal: ProposalId, *, max_chars: int) -> Card:
        found, agent = await visible(self._gate, person, proposal)
        return await card_of(self._gate, found, agent, person, max_chars=max_chars)

    async def full_view(self, person: PersonId, proposal: ProposalId, *, page: int) -> FullViewPage:
        found, _ = await visible(self._gate, person, proposal)
        return full_view(found, page=page)

    async def view_link(self, person: PersonId, proposal: ProposalId, *, chat: str) -> ViewLink:
        return await self._view_links.link(person, proposal, chat=chat)

    async def open_view(self, code: str) -> Viewing:
        return await self._view_links.open(code)

    async def undo_offer(self, person: PersonId, proposal: ProposalId) -> UndoOffer:
        found, _ = await visible(self._gate, person, proposal)
        return await self._undo.offer(person, found)

    async def viewed(self, person: PersonId, proposal: ProposalId, *, chat: str) -> None:
        await visible(self._gate, person, proposal)
        await self._gate.commit(
            Ask(proposals=(proposal,)),
            lambda snapshot: decision.view(
                snapshot, proposal_id=proposal, person=person, chat=chat
            ),
        )

    async def history(self, person: PersonId, proposal: ProposalId) -> Sequence[HistoryEntry]:
        await visible(self._gate, person, proposal)
        return await history_of(self._gate.store, proposal)

    async def receipt(self, person: PersonId, proposal: ProposalId) -> str:
        await visible(self._gate, person, proposal)
        value = await self._receipts.whole(proposal)
        return json.dumps(value, ensure_ascii=False, indent=1) + "\n"

    async def inbox(
        self, person: PersonId, *, max_chars: int, limit: int = 50, page: int = 1
    ) -> Inbox:
        store = self._gate.store
        await self.person(person)
        pending = await store.read(PendingCount(principal=person))
        page, own = await self._page(person, page, limit=limit, last=-(-pending // limit))
        pages = max(page + (len(own) > limit), -(-pending // limit))
        held = await store.read(
            Proposals(states=OPEN_STATES, concerning=person, limit=_LOOK_THROUGH, oldest_first=True)
        )
        past = await store.read(Proposals(principal=person, states=_CLOSED_STATES, limit=limit))
        voted = await store.read(Proposals(states=_CLOSED_STATES, limit=_LOOK_THROUGH))
        others = held if page == 1 else ()
        elsewhere = [p for p in voted if p.principal != person and _has_decided(p, person)]
        waiting, decided = [], []
        for proposal in await as_they_are(self._gate, [*own[:limit], *others, *past, *elsewhere]):
            agent = await store.read(AgentById(proposal.agent))
            if agent is None:
                continue
            card = await card_of(self._gate, proposal, agent, person, max_chars=max_chars)
            if Button.APPROVE in card.buttons or Button.SETTLE_DONE in card.buttons:
                waiting.append(card)
            elif proposal.principal == person or _has_decided(proposal, person):
                decided.append(card)
        waiting.sort(key=lambda card: card.created_at)
        decided.sort(key=lambda card: card.changed_at, reverse=True)
        halts = await self._halts.list(active_only=True)
        return Inbox(
            waiting=waiting,
            decided=decided[:limit],
            halts=[halt for halt in halts if halt.target.principal in (None, person)],
            # Where all is on this page, it is counted; some of it may be for others to decide.
            waiting_total=len(waiting) if pages == 1 else max(len(waiting), pending),
            page=page,
            pages=pages,
        )

    async def halt(self, person: PersonId, target: HaltTarget, *, reason: str, chat: str) -> Halt:
        return await self._halts.halt(
            person_actor(person), target, reason=reason[:MAX_NOTE_CHARS], via=chat
        )

    async def resume(self, person: PersonId, halt: HaltId, *, reason: str, chat: str) -> Halt:
        return await self._halts.resume(
            person_actor(person), halt, reason=reason[:MAX_NOTE_CHARS], via=chat
        )

    async def sign_in(self, code: str) -> Person:
        return await self._sign_in.redeem(code)

    async def person(self, person: PersonId) -> Person:
        return await active_person(self._gate, person)

    async def person_of(self, identity: ChatIdentity) -> Person | None:
        return await self._linking.person_of(identity)

    async def linkable_chats(self) -> Sequence[str]:
        return self._linking.chats()

    async def link_code(self, person: PersonId, *, chat: str) -> LinkCode:
        return await self._linking.code(person_actor(person), person, chat=chat)

    async def whose_code(self, code: str, *, by: ChatIdentity | None = None) -> Person:
        return await self._linking.whose(code, by=by)

    async def link(self, code: str, identity: ChatIdentity) -> Person:
        return await self._linking.link(code, identity)

    async def identities(self, person: PersonId) -> Sequence[ChatIdentity]:
        return [linked.identity for linked in await self._linking.of(person)]

    async def unlink(self, person: PersonId, identity: ChatIdentity) -> None:
        await self._linking.unlink(person_actor(person), person, identity)

    async def cards_lost(self, chat: str, *, under: str) -> int:
        return await lost_cards(self._gate, chat, under=under)

    async def agents(self, person: PersonId) -> Sequence[AgentEntry]:
        reader = await self.person(person)
        return await agents_seen(self._gate, self._halts, reader)

    async def notice_routes(self, person: PersonId) -> Sequence[NoticeRoute]:
        return await self._notices.list_for(person)

    async def set_notice_route(
        self,
        person: PersonId,
        *,
        chat: str,
        place: str,
        place_name: str,
        topics: Collection[Topic],
        agents: Sequence[str] = (),
        verbs: Sequence[str] = (),
    ) -> NoticeRoute:
        return await self._notices.set(
            person_actor(person),
            chat=chat,
            place=place,
            place_name=place_name,
            topics=topics,
            agents=agents,
            verbs=verbs,
        )

    async def end_notice_route(self, person: PersonId, route: str) -> None:
        await self._notices.end(person_actor(person), route)

    async def _page(
        self, person: PersonId, page: int, *, limit: int, last: int
    ) -> tuple[int, Sequence[Proposal]]:
        """Return *page*, or *last* where that is empty, with what is open there and one more."""
        query = Proposals(principal=person, states=OPEN_STATES, limit=limit + 1, oldest_first=True)
        own = await self._gate.store.read(replace(query, skip=(page - 1) * limit))
        if own or page == 1:
            return page, own
        page = max(last, 1)
        return page, await self._gate.store.read(replace(query, skip=(page - 1) * limit))


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
