"""Ways in which Slack fails, planted ahead of the calls that shall meet them."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum, unique
from fnmatch import fnmatchcase


@unique
class Trouble(StrEnum):
    RATE_LIMITED = "rate_limited"  #: 429 with Retry-After; nothing was done
    DROPPED_BEFORE = "dropped_before"  #: the connection ends before anything was done
    DROPPED_AFTER = "dropped_after"  #: it was done, and the connection ends without an answer
    FAILED_BEFORE = "failed_before"  #: 503 with a page for people; nothing was done
    FAILED_AFTER = "failed_after"  #: 500, and yet it was done
    HANGS_BEFORE = "hangs_before"  #: no answer until released, and only then is it done
    HANGS_AFTER = "hangs_after"  #: done at once, no answer until released


@dataclass(slots=True, kw_only=True)
class Fault:
    """Meets the next ``times`` calls of methods that match the glob ``method``."""

    method: str
    trouble: Trouble
    times: int
    retry_after_s: int = 1
    error: str = ""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    met: asyncio.Event = field(default_factory=asyncio.Event)


class Faults:
    def __init__(self) -> None:
        self._planted: list[Fault] = []

    def plant(
        self, method: str, trouble: Trouble, *, times: int = 1, retry_after_s: int = 1
    ) -> Fault:
        """Let the next *times* calls of *method* (a glob) meet *trouble*."""
        fault = Fault(method=method, trouble=trouble, times=times, retry_after_s=retry_after_s)
        self._planted.append(fault)
        return fault

    def refuse(self, method: str, error: str, *, times: int = 1) -> Fault:
        """Let the next *times* calls of *method* be answered with *error* and do nothing."""
        fault = Fault(method=method, trouble=Trouble.FAILED_BEFORE, times=times, error=error)
        self._planted.append(fault)
        return fault

    def clear(self) -> None:
        for fault in self._planted:
            fault.released.set()
        self._planted.clear()

    def next(self, method: str) -> Fault | None:
        for fault in self._planted:
            if fault.times > 0 and fnmatchcase(method, fault.method):
                fault.times -= 1
                fault.met.set()
                return fault
        return None
