"""Logs as files: exported from a store, read again, and changed by hand."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from bot.core.audit.entries import LOG_OPENED
from bot.core.audit.export import entry_line, header_of, read_header
from bot.core.audit.verify import Known, LogAudit, Report
from bot.core.canonical import Json, canonical
from bot.core.checkpoint import Checkpoint, new_origin
from bot.core.errors import StoreUnavailable
from bot.core.leaf import Leaf, Opening
from bot.core.merkle import leaf_hash, root_of
from bot.core.signed_note import Note, Signer
from bot.ports.queries import Leaves
from bot.ports.store import Store


def new_signer() -> Signer:
    return Signer(new_origin("test", os.urandom(8)), os.urandom(32))


@dataclass
class Entry:
    """One entry of a log that a test may change."""

    body: bytes
    openings: list[Opening] = field(default_factory=list)

    def value(self) -> dict[str, Any]:
        value: dict[str, Any] = orjson.loads(self.body)
        return value

    def set(self, **changed: Json) -> None:
        self.body = canonical({**self.value(), **changed})


class Log:
    """Entries with a key: exported and signed anew at any moment, as an insider could."""

    def __init__(self, entries: Iterable[Entry], signer: Signer) -> None:
        self.entries = list(entries)
        self.signer = signer

    def copy(self) -> "Log":
        return Log([Entry(e.body, list(e.openings)) for e in self.entries], self.signer)

    def checkpoint(self, size: int | None = None) -> tuple[Checkpoint, Note]:
        """Return what was signed when the log had *size* entries."""
        entries = self.entries if size is None else self.entries[:size]
        checkpoint = Checkpoint(
            origin=self.signer.key.name,
            size=len(entries),
            root=root_of(leaf_hash(e.body) for e in entries),
        )
        return checkpoint, checkpoint.signed_by([self.signer])

    def lines(self, *, signed: Note | None = None, with_openings: bool = True) -> list[bytes]:
        """Return the export, under a checkpoint of its own or under *signed*."""
        note = signed or self.checkpoint()[1]
        header = header_of(note, [self.signer.key], with_openings=with_openings)
        shown = (e.openings if with_openings else () for e in self.entries)
        rows = zip(self.entries, shown, strict=True)
        return [header.line(), *(entry_line(e.body, openings) for e, openings in rows)]

    def renumber(self) -> None:
        """Give every entry the index of its place, as somebody would who covers their tracks."""
        for number, entry in enumerate(self.entries):
            if entry.value()["i"] != number:
                entry.set(i=number)

    def find(self, type_: str, *, where: Callable[[dict[str, Any]], bool] = lambda _: True) -> int:
        """Return the index of the first entry of *type_* that fits."""
        for number, entry in enumerate(self.entries):
            value = entry.value()
            if value["type"] == type_ and where(value):
                return number
        raise AssertionError(f"there is no {type_} in this log")


def log_of(leaves: Iterable[Leaf], signer: Signer) -> Log:
    return Log((Entry(leaf.body, list(leaf.openings)) for leaf in leaves), signer)


def audit(lines: Sequence[bytes], **known: Any) -> Report:
    """Return what verifying *lines* finds."""
    reading = LogAudit(read_header(lines[0]), Known(**known))
    for line in lines[1:]:
        reading.entry(line)
    return reading.report()


def verify(log: Log, **known: Any) -> Report:
    return audit(log.lines(), **known)


async def require_sound(store: Store) -> None:
    """Check that the log in *store* verifies, with every type of entry known."""
    try:
        leaves = await store.read(Leaves(limit=1_000_000))
    except StoreUnavailable:
        return  # the test closed or broke it
    opened = [leaf for leaf in leaves if leaf.type == LOG_OPENED]
    name = orjson.loads(opened[-1].body)["origin"] if opened else new_origin("test", os.urandom(8))
    report = verify(log_of(leaves, Signer(name, os.urandom(32))))
    found = [f"entry {p.index} {p.fault}: {p.what}" for p in report.problems]
    assert not found, f"the log of this test does not verify: {found}"
    unknown = "name these types in bot/core/audit/entries.py"
    assert not report.unknown_types, f"{unknown}: {report.unknown_types}"
