"""How much is measured: enough to trust, or enough to see whether it works."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """``decisions`` are those of each way in one round, ``starts`` those of the whole bot."""

    rounds: int
    round_s: float
    decisions: int
    starts: int


FULL: Final = Scale(rounds=5, round_s=5, decisions=150, starts=5)
QUICK: Final = Scale(rounds=2, round_s=2, decisions=40, starts=1)
