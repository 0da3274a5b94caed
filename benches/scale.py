"""How much is measured: enough to trust, or enough to see whether it works."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """``decisions`` are those of each way in one round, ``starts`` those of the whole bot.

    ``parked`` are the agents that wait at once; ``finished`` and ``pending`` the proposals of a
    bot that has been used for years.
    """

    rounds: int
    round_s: float
    decisions: int
    starts: int
    parked: int
    finished: int
    pending: int


FULL: Final = Scale(
    rounds=5,
    round_s=5,
    decisions=150,
    starts=5,
    parked=10_000,
    finished=1_000_000,
    pending=10_000,
)
QUICK: Final = Scale(
    rounds=2,
    round_s=2,
    decisions=40,
    starts=1,
    parked=1_000,
    finished=20_000,
    pending=1_000,
)
