"""Tells channels what happened: once for each occasion and route, if that can be known."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from logging import getLogger
from typing import Final

from bot.core.actors import Actor, Agent, Person
from bot.core.audit.words import SYSTEM_NAMES
from bot.core.effects import Lease
from bot.core.ids import AgentId, PersonId, ProposalId
from bot.core.notice import Notice, NoticeRoute, Topic
from bot.core.notice_words import fits, of_day, of_halt, of_proposal
from bot.core.states import ActorKind, State
from bot.core.step import Ask
from bot.core.transitions.announcing import (
    HALT_ENDED,
    OCCASIONS,
    Announced,
    announced,
    announcement,
)
from bot.core.transitions.notice_routes import digest_effect
from bot.ports.chat import NotDeliveredNow, Undeliverable
from bot.ports.queries import (
    AgentById,
    Agents,
    Happened,
    Happenings,
    NoticeRoutes,
    PendingCount,
    PersonById,
    ProposalById,
)
from bot.ports.queries import Halts as HaltsQuery
from bot.service.gate import Gate

log = getLogger(__name__)

_A_DAY: Final = timedelta(days=1)
_ALL_HALTS: Final = 1000
_OVER: Final = Announced()


class Announce:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def announce(self, lease: Lease) -> None:
        """Tell what *lease* is about to its route once, and record what came of it.

        Raises:
            Conflict: somebody else has the lease by now, and tells it again.
        """
        came = await self._came_of(lease)
        is_given_up = await self._gate.commit(
            Ask(), lambda snapshot: announced(snapshot, lease, came)
        )
        if is_given_up:
            self._gate.tally.count("notices", "given_up")
            log.warning("notice given up", extra={"subject": lease.effect.subject})

    async def _came_of(self, lease: Lease) -> Announced:
        subject = lease.effect.subject
        for route in await self._gate.store.read(NoticeRoutes()):
            if route.id == subject:
                return await self._digest(route, lease)
            for occasion in OCCASIONS:
                if announcement(subject, occasion, route).id == lease.effect.id:
                    notice = await self._notice(subject, occasion, route)
                    return _OVER if notice is None else await self._tell(route, notice, lease)
        # The route has ended meanwhile.
        return _OVER

    async def _digest(self, route: NoticeRoute, lease: Lease) -> Announced:
        if Topic.DIGEST not in route.topics:
            return _OVER
        gate = self._gate
        now = gate.clock.now()
        follow = (digest_effect(route, gate.digest.next_after(now)),)
        agents = await gate.store.read(Agents())
        wanted = {agent.id for agent in agents if fits(route, agent=agent.name, verb=None)}
        happened = await gate.store.read(Happenings(since=now - _A_DAY, until=now))
        waiting = [
            await gate.store.read(PendingCount(agent=agent))
            for agent in (sorted(wanted) if route.agents else [None])
        ]
        notice = of_day(
            _counted(happened, wanted), waiting=sum(waiting), since=now - _A_DAY, at=now
        )
        came = await self._tell(route, notice, lease)
        return replace(came, follow=follow)

    async def _notice(self, subject: str, occasion: str, route: NoticeRoute) -> Notice | None:
        topic = OCCASIONS[occasion]
        if topic is Topic.HALT:
            return await self._of_halt(subject, route, has_ended=occasion == HALT_ENDED)
        store = self._gate.store
        proposal = await store.read(ProposalById(ProposalId(subject)))
        if proposal is None:
            return None
        if topic is Topic.IN_DOUBT and proposal.state is not State.IN_DOUBT:
            # Keyturn asked the target meanwhile, or a person has looked.
            return None
        agent = await store.read(AgentById(proposal.agent))
        principal = await store.read(PersonById(proposal.principal))
        if agent is None or principal is None:
            return None
        if not fits(route, agent=agent.name, verb=proposal.action.verb):
            return None
        now = self._gate.clock.now()
        return of_proposal(topic, proposal, agent=agent, principal=principal, at=now)

    async def _of_halt(self, subject: str, route: NoticeRoute, *, has_ended: bool) -> Notice | None:
        halts = await self._gate.store.read(HaltsQuery(limit=_ALL_HALTS))
        halt = next((one for one in halts if one.id == subject), None)
        if halt is None:
            return None
        agent = await self._agent(halt.target.agent)
        if not fits(route, agent=None if agent is None else agent.name, verb=None):
            return None
        principal = await self._person(halt.target.principal)
        who = halt.resumed_by if has_ended and halt.resumed_by is not None else halt.set_by
        return of_halt(
            halt,
            has_ended=has_ended,
            agent=agent,
            principal=principal,
            by=await self._name(who),
        )

    async def _tell(self, route: NoticeRoute, notice: Notice, lease: Lease) -> Announced:
        chat = self._gate.chats.get(route.chat)
        told = {"route": route.id, "chat": route.chat, "topic": notice.topic.value}
        if chat is None:
            log.warning("notice not told: the chat is not in the settings", extra=told)
            self._gate.tally.count("notices", "undeliverable")
            return _OVER
        try:
            await chat.announce(notice, place=route.place, key=lease.effect.id)
        except NotDeliveredNow as error:
            self._gate.tally.count("notices", "not_now")
            return Announced(retry_after_s=error.retry_after_s)
        except Undeliverable as error:
            log.warning("notice not told", extra={**told, "reason": error.reason})
            self._gate.tally.count("notices", "undeliverable")
            return _OVER
        self._gate.tally.count("notices", "told")
        return _OVER

    async def _agent(self, agent: AgentId | None) -> Agent | None:
        return None if agent is None else await self._gate.store.read(AgentById(agent))

    async def _person(self, person: PersonId | None) -> Person | None:
        return None if person is None else await self._gate.store.read(PersonById(person))

    async def _name(self, actor: Actor) -> str:
        if actor.kind is not ActorKind.PERSON:
            return SYSTEM_NAMES.get(actor.id, "Keyturn")
        person = await self._person(PersonId(actor.id))
        return "a person" if person is None else person.display_name


def _counted(happened: Mapping[Happened, int], agents: Collection[AgentId]) -> dict[str, int]:
    """Return what is told of a day, in order, of *agents* alone."""
    return {
        what: sum(
            count
            for one, count in happened.items()
            if one.agent in agents and one.type in types and (states is None or one.state in states)
        )
        for what, types, states in _TOLD
    }


_OUTCOMES: Final = ("execution.outcome", "execution.late_report", "grant.outcome", "settlement")
_TOLD: Final[tuple[tuple[str, Collection[str], Collection[State] | None], ...]] = (
    ("Proposed", ("proposal.submitted",), None),
    ("Allowed by a rule", ("proposal.submitted",), (State.APPROVED,)),
    ("Refused by a rule", ("proposal.submitted",), (State.DENIED,)),
    ("Approved by people", ("decision.approve",), (State.APPROVED,)),
    ("Rejected by people", ("decision.reject",), None),
    ("Nobody answered in time", ("proposal.expired",), None),
    ("Stopped", ("proposal.revoked",), None),
    ("Happened", _OUTCOMES, (State.SUCCEEDED,)),
    ("Did not happen", _OUTCOMES, (State.FAILED,)),
    ("Came into doubt", _OUTCOMES, (State.IN_DOUBT,)),
)
