"""A few of the planted faults, planted: the runner itself works."""

from pathlib import Path

import pytest

from tests.regressions.faults import ROOT, copy_of_the_sources, try_out
from tests.regressions.planted import FAULTS

_SAMPLE = ("flips", "markup")


@pytest.mark.slow
@pytest.mark.parametrize("name", _SAMPLE)
def test_a_planted_fault_is_found(tmp_path: Path, name: str) -> None:
    (fault,) = (fault for fault in FAULTS if fault.name == name)

    trial = try_out(fault, copy_of_the_sources(ROOT, tmp_path / "base"))

    assert trial.found, trial.said


@pytest.mark.slow
def test_without_a_fault_nothing_is_found(tmp_path: Path) -> None:
    (fault,) = (fault for fault in FAULTS if fault.name == "flips")
    base = copy_of_the_sources(ROOT, tmp_path / "base")
    harmless = type(fault)(fault.name, fault.test, fault.says, (), fault.only)

    assert not try_out(harmless, base).found
