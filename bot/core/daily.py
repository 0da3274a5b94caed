"""An hour of the day, in the time of one place."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """``hour`` is from 0 to 23, as clocks in ``zone`` show it."""

    hour: int = 8
    zone: tzinfo = field(default=UTC)

    def next_after(self, now: datetime) -> datetime:
        """Return when it is that hour next, in UTC."""
        today = now.astimezone(self.zone).date()
        for days in range(3):
            local = datetime.combine(today + timedelta(days=days), time(self.hour), self.zone)
            # Where clocks are turned, an hour may be there twice, or not at all.
            at = local.astimezone(UTC)
            if at > now:
                return at
        raise AssertionError("a day is never that long")
