"""What came of telling an agent through its webhook: said, to be said again, or given up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from bot.core.effects import Lease, Postponed
from bot.core.ids import ProposalId
from bot.core.leaf import LeafDraft
from bot.core.news import News
from bot.core.proposal import Proposal
from bot.core.proposal_leaf import leaf_about
from bot.core.step import Snapshot, Step, Transition
from bot.core.transitions.webhooks import MESSENGER, stop

#: For how long one message is tried. What happened can be read for as long as the log is kept.
GIVE_UP_AFTER: Final = timedelta(days=1)
#: Tries that follow even when Keyturn itself was down for a day.
FEWEST_TRIES: Final = 8

_SHORTEST_PAUSE_S: Final = 2.0
_LONGEST_PAUSE_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Said:
    """The agent has it, or there is nobody to be told any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSaid:
    """To be tried again in ``pause_s`` seconds; ``why`` is one sentence."""

    news: News
    pause_s: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwanted:
    """Nothing is to be sent to ``url`` any more; ``why`` is one sentence for admins."""

    url: str
    why: str


Told: TypeAlias = Said | NotSaid | Unwanted


def told(snapshot: Snapshot, lease: Lease, came: Told) -> Step[None]:
    """Record what *came* of one attempt."""
    match came:
        case Said():
            return Transition(value=None, leaves=(), done=(lease,))
        case NotSaid(news=news, pause_s=pause_s, why=why):
            again_at = snapshot.now + timedelta(seconds=pause_s)
            if again_at - news.at < GIVE_UP_AFTER or lease.attempt < FEWEST_TRIES:
                later = Postponed(lease=lease, due_at=again_at)
                return Transition(value=None, leaves=(), postponed=(later,))
            return Transition(
                value=None, leaves=_not_told(snapshot, lease, news, why), done=(lease,)
            )
        case Unwanted(url=url, why=why):
            return stop(snapshot, lease, url=url, why=why)


def pause_s(news: News, *, now: datetime, chance: float) -> float:
    """Return how long to leave *news* after a try: a quarter to a half of its age.

    So the pauses grow with each try. *chance*, from 0 to 1, spreads them.
    """
    age_s = (now - news.at).total_seconds()
    return min(max(age_s / 2, _SHORTEST_PAUSE_S), _LONGEST_PAUSE_S) * (0.5 + chance / 2)


def _not_told(snapshot: Snapshot, lease: Lease, news: News, why: str) -> tuple[LeafDraft, ...]:
    proposal = snapshot.proposals.get(ProposalId(lease.effect.subject))
    return () if proposal is None else (_not_told_leaf(proposal, news, why),)


def _not_told_leaf(proposal: Proposal, news: News, why: str) -> LeafDraft:
    return leaf_about(
        proposal,
        "proposal.not_told",
        MESSENGER,
        clear={"news": news.state.value, "cursor": news.cursor},
        private={"why": why},
    )
