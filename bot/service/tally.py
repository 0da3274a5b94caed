"""Counts of what happened, for whoever exports them."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counters by (name, label) since the start of the process; lost with it."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, name: str, label: str = "") -> None:
        self.counts[name, label] += 1
