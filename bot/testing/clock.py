"""A clock that moves only when a test says so."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """Implements :class:`bot.ports.clock.Clock`."""

    def __init__(self, at: datetime = datetime(2030, 1, 1, 12, tzinfo=UTC)) -> None:
        self._now = at

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def set(self, at: datetime) -> None:
        self._now = at
