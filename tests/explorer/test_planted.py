"""The explorer finds what it is there to find: faults planted in the bot's own code."""

from pathlib import Path

import pytest

from tests.explorer.planted import PLANTED
from tests.explorer.search import run
from tests.explorer.small_worlds import small_world


@pytest.mark.timeout(600)  # seconds of work; much else may run beside it
@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_fault_is_found(planted: str, tmp_path: Path) -> None:
    fault = PLANTED[planted]

    with fault.change.made():
        explored = run(small_world(fault.world).explored(tmp_path / "reopened.sqlite3"))

    assert explored.fault is not None
    # The shortest story that shows it, for whoever reads along with -s.
    print(f"\n{planted}: {explored.states} states\n  {explored.fault}")  # noqa: T201
