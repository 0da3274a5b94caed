"""The only way to learn the time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the present time, aware, in UTC. It MAY go back; the store's time MUST NOT."""
        ...
