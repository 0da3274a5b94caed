"""Notices in words. Nothing of an action, and no words of an agent, ever stand in one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from bot.core.actors import Agent, Person
from bot.core.halts import Halt, HaltScope
from bot.core.notice import Notice, NoticeRoute, Topic
from bot.core.proposal import Proposal

_TITLES: Mapping[Topic, str] = {
    Topic.UNDELIVERABLE: "Nobody could be reached",
    Topic.IN_DOUBT: "It is not known whether something happened",
    Topic.NOT_MINE: "Asked of the wrong person",
}


def fits(route: NoticeRoute, *, agent: str | None, verb: str | None) -> bool:
    """Return whether *route* is told of what *agent* does with *verb*.

    What concerns every agent, or no verb in particular, is for every route.
    """
    return _one_fits(route.agents, agent) and _one_fits(route.verbs, verb)


def of_proposal(
    topic: Topic, proposal: Proposal, *, agent: Agent, principal: Person, at: datetime
) -> Notice:
    """Return the notice that *proposal* is undeliverable, in doubt, or not theirs to decide."""
    what = f"{agent.name}: {proposal.action.verb}, for {principal.display_name}."
    return Notice(
        topic=topic,
        title=_TITLES[topic],
        lines=(what, _WHAT_TO_DO[topic], f"Proposal {proposal.id}."),
        at=at,
        agent=agent.id,
    )


_WHAT_TO_DO: Mapping[Topic, str] = {
    Topic.UNDELIVERABLE: (
        "No card could be shown to anybody who may decide, so it waits until its time is over. "
        "`keyturn proposals show` says why."
    ),
    Topic.IN_DOUBT: (
        "It was begun, and no answer came. Keyturn does not repeat it. A person looks at the "
        "target and settles it in the inbox."
    ),
    Topic.NOT_MINE: (
        "The person who was asked says that it is not theirs. It is rejected. Look at whom this "
        "agent may act for."
    ),
}


def of_halt(
    halt: Halt, *, has_ended: bool, agent: Agent | None, principal: Person | None, by: str
) -> Notice:
    """Return the notice that *halt* was set, or has ended; *by* names who did it."""
    what = _halted(halt, agent, principal)
    return Notice(
        topic=Topic.HALT,
        title=f"Resumed: {what}" if has_ended else f"Stopped: {what}",
        lines=(
            f"By {by}.",
            "New work may begin again. What was stopped stays stopped."
            if has_ended
            else "What waited is revoked. Nothing new begins until somebody resumes it.",
        ),
        at=halt.resumed_at if has_ended and halt.resumed_at is not None else halt.set_at,
        agent=halt.target.agent,
    )


def of_day(counts: Mapping[str, int], *, waiting: int, since: datetime, at: datetime) -> Notice:
    """Return the digest: *counts* in the order in which they are told, and what waits now."""
    told = tuple(f"{what}: {count}" for what, count in counts.items() if count)
    return Notice(
        topic=Topic.DIGEST,
        title="Keyturn today",
        lines=(
            f"Since {since.astimezone(UTC):%Y-%m-%d %H:%M} UTC:",
            *(told or ("Nothing was proposed.",)),
            f"Waiting now: {waiting}",
        ),
        at=at,
    )


def _halted(halt: Halt, agent: Agent | None, principal: Person | None) -> str:
    name = halt.target.agent if agent is None else agent.name
    match halt.target.scope:
        case HaltScope.ALL:
            return "everything"
        case HaltScope.CONNECTOR:
            return f"the connector {halt.target.connector}"
        case HaltScope.AGENT:
            return f"the agent {name}"
        case HaltScope.AGENT_FOR_PRINCIPAL:
            whom = halt.target.principal if principal is None else principal.display_name
            return f"the agent {name} for {whom}"


def _one_fits(globs: tuple[str, ...], name: str | None) -> bool:
    return not globs or name is None or any(fnmatchcase(name, glob) for glob in globs)
