from datetime import UTC, datetime


class SystemClock:
    """Implements :class:`bot.ports.clock.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)
