"""A small change of the sources that one regression has to find."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """``old`` stands in ``place``, a file or a folder, exactly once; ``new`` takes its place."""

    place: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Fault:
    """``says`` completes "seen to fail with"; ``only`` names the parameters that are enough."""

    name: str
    test: str
    says: str
    edits: tuple[Edit, ...]
    only: str = ""


def a_fault(name: str, test: str, says: str, *edits: Edit, only: str = "") -> Fault:
    return Fault(name, test, says, edits, only)
