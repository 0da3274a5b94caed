"""What an agent is told of its proposals: each state that one of them entered."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from bot.core import effects
from bot.core.ids import ProposalId
from bot.core.proposal import Mode, Proposal
from bot.core.states import TERMINAL, State
from bot.core.step import Snapshot, Step, Transition

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A proposal entered ``state``; ``cursor`` is the index of the leaf that says so."""

    cursor: int
    proposal: ProposalId
    state: State
    at: datetime


def calls_for_agent(proposal: Proposal) -> bool:
    """Return whether its agent has something to do or to learn: it is its turn, or the end."""
    if not proposal.is_of(proposal.agent):
        return False
    if proposal.state is State.APPROVED:
        return proposal.mode is Mode.RELEASE
    return proposal.state in TERMINAL or proposal.state is State.IN_DOUBT


def with_news(snapshot: Snapshot, step: Step[T]) -> Step[T]:
    """Return *step* with the work of telling each agent that has a webhook what it changes."""
    if not snapshot.told or not isinstance(step, Transition):
        return step
    news = tuple(
        effects.notify(record.id, record.state)
        for record in step.puts
        if isinstance(record, Proposal) and _is_news(snapshot, record)
    )
    return replace(step, effects=(*step.effects, *news)) if news else step


def _is_news(snapshot: Snapshot, proposal: Proposal) -> bool:
    if proposal.agent not in snapshot.told or not calls_for_agent(proposal):
        return False
    before = snapshot.proposals.get(proposal.id)
    return before is None or before.state is not proposal.state
