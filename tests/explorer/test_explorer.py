"""No order of events in a small world leads to what must never be."""

from pathlib import Path

import pytest

from tests.explorer.search import run
from tests.explorer.small_worlds import SMALL_WORLDS, SmallWorld


@pytest.mark.timeout(600)  # seconds of work; much else may run beside it
@pytest.mark.parametrize("world", SMALL_WORLDS, ids=lambda world: world.name)
def test_no_order_of_events_breaks_a_law(world: SmallWorld, tmp_path: Path) -> None:
    explored = run(world.explored(tmp_path / "reopened.sqlite3"))

    assert explored.fault is None, str(explored.fault)
    assert explored.states >= world.at_least
    print(f"\n{world.name}: {explored.states} states, {explored.transitions} transitions")  # noqa: T201
