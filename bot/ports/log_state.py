"""What is remembered of the log outside of its database."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """The last checkpoint that was kept: ``note`` signs ``origin``, ``size`` and ``root``.

    ``epoch`` counts how often this deployment began a new log, by restoring a backup.
    """

    origin: str
    epoch: int
    size: int
    root: bytes
    note: str


class LogKeeper(Protocol):
    """Keeps one :class:`LogState` where whoever puts back the database does not put it back too."""

    async def read(self) -> LogState:
        """Return what was kept last.

        Raises:
            StoreRefused: it is not there, or damaged; the message says what to do.
        """
        ...

    async def keep(self, state: LogState) -> None:
        """Keep *state* in place of the one before. It MUST be durable, and never half of it.

        Raises:
            OSError: it could not be kept; the one before is still there.
        """
        ...
