"""Several measures of one thing: the middle one, and how far the others were from it."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, measures: Iterable[float]) -> Self:
        found = sorted(measures)
        return cls(median=statistics.median(found), lowest=found[0], highest=found[-1])


def percentile(measures: Sequence[float], percent: float) -> float:
    """Return the measure that *percent* of *measures* do not exceed."""
    found = sorted(measures)
    return found[min(len(found) - 1, int(len(found) * percent / 100))]
