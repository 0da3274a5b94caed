"""Ways in which the Connector and Graph fail, planted ahead of the calls that shall meet them."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum, unique
from fnmatch import fnmatchcase


@unique
class Trouble(StrEnum):
    THROTTLED = "throttled"  #: 429, with Retry-After where a time is given; nothing was done
    PRECONDITION = "precondition"  #: 412: another call was in the way; nothing was done
    DROPPED_BEFORE = "dropped_before"  #: the connection ends before anything was done
    DROPPED_AFTER = "dropped_after"  #: it was done, and the connection ends without an answer
    FAILED_BEFORE = "failed_before"  #: 503 with a page for people; nothing was done
    FAILED_AFTER = "failed_after"  #: 500, and yet it was done
    TIMED_OUT = "timed_out"  #: 408, and yet it was done
    HANGS_BEFORE = "hangs_before"  #: no answer until released, and only then is it done
    HANGS_AFTER = "hangs_after"  #: done at once, no answer until released


@dataclass(slots=True, kw_only=True)
class Fault:
    """Meets the next ``times`` calls of operations that match the glob ``operation``.

    With ``code`` the call is refused with that and ``status``, and ``trouble`` means nothing.
    """

    operation: str
    times: int
    trouble: Trouble = Trouble.FAILED_BEFORE
    retry_after_s: float | None = 1
    status: int = 0
    code: str = ""
    message: str = ""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    met: asyncio.Event = field(default_factory=asyncio.Event)


class Faults:
    def __init__(self) -> None:
        self._planted: list[Fault] = []

    def plant(
        self,
        operation: str,
        trouble: Trouble,
        *,
        times: int = 1,
        retry_after_s: float | None = 1,
    ) -> Fault:
        """Let the next *times* calls of *operation* (a glob) meet *trouble*."""
        return self._add(
            Fault(operation=operation, trouble=trouble, times=times, retry_after_s=retry_after_s)
        )

    def refuse(
        self, operation: str, status: int, code: str, *, message: str = "", times: int = 1
    ) -> Fault:
        """Let the next *times* calls of *operation* be refused with *status* and *code*."""
        return self._add(
            Fault(operation=operation, times=times, status=status, code=code, message=message)
        )

    def clear(self) -> None:
        for fault in self._planted:
            fault.released.set()
        self._planted.clear()

    def next(self, operation: str) -> Fault | None:
        for fault in self._planted:
            if fault.times > 0 and fnmatchcase(operation, fault.operation):
                fault.times -= 1
                fault.met.set()
                return fault
        return None

    def _add(self, fault: Fault) -> Fault:
        self._planted.append(fault)
        return fault
