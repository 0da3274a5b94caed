"""What every store must do, as tests: for whoever adds one.

Subclass :class:`StoreConformance` in a test module and give it two fixtures:

- ``store``: a new, empty store that takes its time from the fixture ``clock``, closed afterwards
- ``break_log``: an async function; once it was called, no leaf of that store can be written,
  as if the disk were full

A store that leases effects at birth should do so for less than a day.
"""

import pytest

from bot.testing.clock import ManualClock
from bot.testing.stores.accounts import Accounts
from bot.testing.stores.erasing import Erasing
from bot.testing.stores.log import BreakLog, Log
from bot.testing.stores.news import News
from bot.testing.stores.reading import Reading
from bot.testing.stores.steps import Steps
from bot.testing.stores.watching import Watching
from bot.testing.stores.work import Work

__all__ = ["BreakLog", "StoreConformance"]


class StoreConformance(Steps, Log, Work, Reading, News, Watching, Erasing, Accounts):
    """The contract of `bot.ports.store.Store`."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()
