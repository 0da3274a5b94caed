"""Verifies an exported log: its form, its root, what is known of it, and what it says happened."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any, Final

from bot.core.audit.entries import LOG_OPENED
from bot.core.audit.entry import EntryReader, hash_of
from bot.core.audit.export import Header
from bot.core.audit.life import Lives
from bot.core.audit.lines import parts_of
from bot.core.audit.problems import DIVERGING, Fault, Problem, Problems
from bot.core.audit.register import Register
from bot.core.audit.tree import GrowingTree
from bot.core.checkpoint import Checkpoint
from bot.core.signed_note import Note, NoteKey


@unique
class Verdict(StrEnum):
    VERIFIED = "verified"  #: whole, and agrees with what was known before
    UNANCHORED = "unanchored"  #: whole, but nothing that was known before says it is the one log
    DIVERGED = "diverged"  #: whole, but contradicts what was known before
    INVALID = "invalid"  #: damaged, or tells what cannot have happened


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the reader has from elsewhere: earlier checkpoints, the log's keys, its witnesses."""

    checkpoints: Sequence[tuple[Checkpoint, Note]] = ()
    keys: Sequence[NoteKey] = ()
    witnesses: Sequence[NoteKey] = ()
    #: How many of the witnesses have to have signed.
    quorum: int = 0

    def witnessed_by(self, note: Note) -> tuple[str, ...]:
        """Return the names of the witnesses that signed *note*.

        One key is one witness under however many names, because what it signs names nobody.
        """
        signed = {key.public: key.name for key in self.witnesses if key.signed(note)}
        return tuple(signed.values())

    def is_witnessed(self, note: Note) -> bool:
        return 0 < self.quorum <= len(self.witnessed_by(note))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of it. ``agreed`` are the sizes of known checkpoints that the log agrees with."""

    verdict: Verdict
    origin: str
    size: int
    root: bytes
    signed_by_known_key: bool
    agreed: tuple[int, ...]
    witnessed_by: tuple[str, ...]
    problems: tuple[Problem, ...]
    counts: dict[Fault, int]
    opened: int
    unknown_types: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


_LATER: Final = "Export the log again; if it is still shorter, entries were removed."


class LogAudit:
    """Reads one export line by line; :meth:`report` is asked when there are no more lines.

    Where *form* is false, somebody else looks at the form of the same lines, and says in
    :meth:`add` what was found.
    """

    def __init__(self, header: Header, known: Known, *, form: bool = True) -> None:
        self._looks_at_form = form
        self._header = header
        self._known = known
        self._problems = Problems()
        self._tree = GrowingTree()
        self._entries = EntryReader(self._problems)
        self._register = Register(self._problems, whole=True)
        self._lives = Lives(self._problems, self._register, whole=True)
        self._roots: dict[int, bytes] = {}
        self._opened_as: str | None = None
        self._wanted = {checkpoint.size for checkpoint, _ in known.checkpoints}
        self._wanted.add(header.checkpoint.size)
        self._note_root()

    @property
    def size(self) -> int:
        """How many entries were read."""
        return self._tree.size

    def entry(self, line: bytes) -> None:
        """Read the line of the next entry.

        Raises:
            NotReadable: it is not such a line: the file is cut in the middle, or damaged.
        """
        tree = self._tree
        index = tree.size
        raw, openings = parts_of(line, index)
        body = self._entries.parse(index, raw)
        if body is not None and self._looks_at_form:
            self._entries.check_spelling(index, raw, body)
        if body is not None and body["type"] == LOG_OPENED:
            self._note_root()
        tree.append(hash_of(raw))
        if tree.size in self._wanted:
            self._note_root()
        if body is None:
            return
        try:
            self._follow(index, body, openings)
        except (KeyError, TypeError, ValueError, AttributeError):
            what = "lacks a field that its type has, or one is of another form"
            self._problems.add(index, Fault.NOT_AN_ENTRY, what)

    def add(self, problems: Problems, opened: int) -> None:
        """Add what was found in the form of the same lines, and how many values were opened."""
        self._problems.add_all(problems)
        self._entries.opened += opened

    def report(self) -> Report:
        """Return what came of all lines."""
        self._lives.close()
        key_is_known = self._check_signature()
        self._check_end()
        agreed = self._compare()
        is_witnessed = self._known.is_witnessed(self._header.note)
        return Report(
            verdict=self._verdict(is_anchored=bool(agreed) or is_witnessed),
            origin=self._header.checkpoint.origin,
            size=self._tree.size,
            root=self._tree.root(),
            signed_by_known_key=key_is_known,
            agreed=agreed,
            witnessed_by=self._known.witnessed_by(self._header.note),
            problems=tuple(self._problems.told),
            counts=dict(self._problems.counts),
            opened=self._entries.opened,
            unknown_types=self._register.unknown_types,
        )

    def _follow(self, index: int, body: dict[str, Any], openings: Sequence[Any]) -> None:
        type_ = body["type"]
        self._entries.place(index, body)
        self._register.check_actor(index, body["actor"])
        if openings and self._looks_at_form:
            opened = self._entries.open(index, body, openings)
            if type_ == "proposal.submitted":
                self._entries.check_action(index, opened)
        if "proposal" in body:
            self._lives.follow(index, type_, body)
        else:
            self._register.follow(index, type_, body)
        self._register.check_policy(index, body["policy"])
        if type_ == LOG_OPENED:
            self._reopen(index, body)

    def _reopen(self, index: int, body: dict[str, Any]) -> None:
        """Check that a restored log goes on from exactly what stands before it."""
        before = body["before"]
        root = self._roots.get(index)
        if root is None or (before["size"], before["root"]) != (index, root.hex()):
            what = "goes on from another log than the one that stands before it"
            self._problems.add(index, Fault.BROKEN_LINK, what)
        self._opened_as = body["origin"]

    def _note_root(self) -> None:
        self._roots[self._tree.size] = self._tree.root()

    def _check_signature(self) -> bool:
        """Check who signed the checkpoint; return whether it was a key that was known before."""
        header, known = self._header, self._known.keys
        if not any(key.signed(header.note) for key in header.keys):
            what = "the checkpoint is not signed by a key that this file names"
            self._problems.add(None, Fault.BAD_SIGNATURE, what)
        if known and not any(key.signed(header.note) for key in known):
            what = "the checkpoint is not signed by the key that you know"
            self._problems.add(None, Fault.ANOTHER_KEY, what)
            return False
        return bool(known)

    def _check_end(self) -> None:
        told, size = self._header.checkpoint, self._tree.size
        if self._opened_as not in (None, told.origin):
            what = f"the log was opened again as {self._opened_as}, and this one is {told.origin}"
            self._problems.add(None, Fault.BROKEN_LINK, what)
        if size < told.size:
            what = f"the file ends after {size} entries, and its checkpoint is of {told.size}"
            self._problems.add(None, Fault.CUT_TAIL, what)
        elif size > told.size:
            what = f"{size - told.size} entries stand behind the end that the checkpoint signs"
            self._problems.add(told.size, Fault.BEYOND_CHECKPOINT, what)
        root = self._roots.get(told.size)
        if root is not None and root != told.root:
            what = "the entries do not make the root that the checkpoint signs"
            self._problems.add(None, Fault.ROOT_DIFFERS, what)

    def _compare(self) -> tuple[int, ...]:
        """Hold the log against every known checkpoint; return the sizes that agree."""
        keys = self._known.keys or self._header.keys
        return tuple(
            checkpoint.size
            for checkpoint, note in self._known.checkpoints
            if self._agrees(checkpoint, note, keys)
        )

    def _agrees(self, checkpoint: Checkpoint, note: Note, keys: Sequence[NoteKey]) -> bool:
        add = self._problems.add
        if checkpoint.origin != self._header.checkpoint.origin:
            what = f"the known checkpoint is of {checkpoint.origin}: this is another log"
            add(None, Fault.ANOTHER_LOG, what)
            return False
        if not any(key.signed(note) for key in keys):
            add(None, Fault.ANOTHER_KEY, "another key signed the known checkpoint")
            return False
        root = self._roots.get(checkpoint.size)
        if root is None:
            what = f"{self._tree.size} entries, and {checkpoint.size} are known. {_LATER}"
            add(None, Fault.SHORTER_THAN_KNOWN, what)
            return False
        if root != checkpoint.root:
            what = f"the first {checkpoint.size} entries are not those of the known checkpoint"
            add(None, Fault.FORKED, what)
            return False
        # Every log begins with no entries, so agreeing about that shows nothing.
        return checkpoint.size > 0

    def _verdict(self, *, is_anchored: bool) -> Verdict:
        faults = self._problems.counts.keys()
        if faults - DIVERGING:
            return Verdict.INVALID
        if faults:
            return Verdict.DIVERGED
        return Verdict.VERIFIED if is_anchored else Verdict.UNANCHORED
