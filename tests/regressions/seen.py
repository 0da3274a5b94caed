"""Which planted faults were seen to be found, each as it is written now."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from tests.regressions.planted import FAULTS, Fault

FILE = Path(__file__).with_name("seen.json")


def fingerprint(fault: Fault) -> str:
    """Return what changes when *fault* does."""
    changes = (part for edit in fault.edits for part in (edit.place, edit.old, edit.new))
    return hashlib.sha256("\0".join((fault.test, fault.only, *changes)).encode()).hexdigest()[:16]


def seen() -> Mapping[str, bool]:
    """Return for each fault whether its test was seen to find it, as it is written now."""
    known: dict[str, str] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return {fault.name: known.get(fault.name) == fingerprint(fault) for fault in FAULTS}


def keep(found: Mapping[str, str]) -> None:
    """Remember the fingerprints of faults that were found just now."""
    known: dict[str, str] = json.loads(FILE.read_text()) if FILE.exists() else {}
    names = {fault.name for fault in FAULTS}
    kept = {name: value for name, value in (known | dict(found)).items() if name in names}
    FILE.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
