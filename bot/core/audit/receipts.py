"""Verifies a receipt: the entries of one proposal, without the log they are in."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, cast

from bot.core.audit.entry import EntryReader, hash_of
from bot.core.audit.export import NotReadable, require_version
from bot.core.audit.life import Lives
from bot.core.audit.problems import DIVERGING, Fault, Problems
from bot.core.audit.register import Register
from bot.core.audit.verify import Known, Report, Verdict
from bot.core.checkpoint import Checkpoint, parse_checkpoint
from bot.core.merkle import ProofInvalid, verify_inclusion
from bot.core.receipt import FORMAT, VERSION
from bot.core.signed_note import Note, NoteInvalid, NoteKey


def verify_receipt(value: Mapping[str, Any], known: Known) -> Report:
    """Return what is found about the receipt *value*.

    Raises:
        NotReadable: it is no receipt, or one of a version that is not known here.
    """
    if value.get("format") != FORMAT:
        raise NotReadable("This is not a receipt.")
    require_version(value, known=VERSION)
    try:
        checkpoint, note = parse_checkpoint(value["checkpoint"])
        keys = [NoteKey.parse(key) for key in value["keys"]]
        entries = [_Entry(entry) for entry in value["entries"]]
        proposal, state = value["proposal"], value["state"]
    except NoteInvalid as error:
        raise NotReadable(f"The receipt is damaged: {error.message}.") from error
    except (KeyError, TypeError, AttributeError, binascii.Error, ValueError) as error:
        raise NotReadable("The receipt is damaged: a field is missing, or not what it was.") from (
            error
        )
    reading = _Reading(checkpoint, note)
    for entry in entries:
        reading.read(entry, proposal)
    reading.end(proposal, state)
    return reading.report(keys, known)


class _Entry:
    __slots__ = ("index", "openings", "proof", "raw")

    def __init__(self, value: Mapping[str, Any]) -> None:
        self.index: int = value["index"]
        self.raw: bytes = cast("str", value["body"]).encode()
        self.openings: list[Mapping[str, Any]] = value["openings"]
        self.proof = [base64.b64decode(step, validate=True) for step in value["proof"]]


class _Reading:
    def __init__(self, checkpoint: Checkpoint, note: Note) -> None:
        self._checkpoint = checkpoint
        self._note = note
        self._problems = Problems()
        self._reader = EntryReader(self._problems)
        self._register = Register(self._problems, whole=False)
        self._lives = Lives(self._problems, self._register, whole=False)
        self._count = 0

    def read(self, entry: _Entry, proposal: object) -> None:
        add = self._problems.add
        self._count += 1
        try:
            verify_inclusion(
                leaf=hash_of(entry.raw),
                index=entry.index,
                size=self._checkpoint.size,
                proof=entry.proof,
                root=self._checkpoint.root,
            )
        except ProofInvalid as error:
            add(entry.index, Fault.BAD_PROOF, f"is not in the log that was signed: {error.message}")
        body = self._reader.parse(entry.index, entry.raw)
        if body is None:
            return
        self._reader.check_spelling(entry.index, entry.raw, body)
        try:
            if body["i"] != entry.index or body.get("proposal") != proposal:
                add(entry.index, Fault.NOT_AN_ENTRY, "is not the entry that the receipt says")
                return
            self._reader.follow_time(entry.index, body)
            opened = self._reader.open(entry.index, body, entry.openings)
            if body["type"] == "proposal.submitted":
                self._reader.check_action(entry.index, opened)
            self._lives.follow(entry.index, body["type"], body)
        except (KeyError, TypeError, ValueError, AttributeError):
            what = "lacks a field that its type has, or one is of another form"
            add(entry.index, Fault.NOT_AN_ENTRY, what)

    def end(self, proposal: str, told: object) -> None:
        state = self._lives.state_of(proposal)
        if state is None:
            self._problems.add(None, Fault.UNKNOWN_PROPOSAL, "the receipt lacks its beginning")
        elif state != told:
            what = f"the receipt says {told}, and its entries end as {state}"
            self._problems.add(None, Fault.IMPOSSIBLE_STEP, what)

    def report(self, keys: list[NoteKey], known: Known) -> Report:
        add = self._problems.add
        if not any(key.signed(self._note) for key in keys):
            what = "the checkpoint is not signed by a key that this receipt names"
            add(None, Fault.BAD_SIGNATURE, what)
        key_is_known = any(key.signed(self._note) for key in known.keys)
        if known.keys and not key_is_known:
            what = "the checkpoint is not signed by the key that you know"
            add(None, Fault.ANOTHER_KEY, what)
        agreed = self._agreed(known, keys)
        is_witnessed = known.is_witnessed(self._note)
        return Report(
            verdict=self._verdict(is_anchored=key_is_known or bool(agreed) or is_witnessed),
            origin=self._checkpoint.origin,
            size=self._count,
            root=self._checkpoint.root,
            signed_by_known_key=key_is_known,
            agreed=agreed,
            witnessed_by=known.witnessed_by(self._note),
            problems=tuple(self._problems.told),
            counts=dict(self._problems.counts),
            opened=self._reader.opened,
            unknown_types=self._register.unknown_types,
        )

    def _agreed(self, known: Known, keys: list[NoteKey]) -> tuple[int, ...]:
        """Compare with checkpoints of the same size; a receipt cannot be held against others."""
        agreed = []
        for checkpoint, note in known.checkpoints:
            if checkpoint.origin != self._checkpoint.origin:
                what = f"the known checkpoint is of {checkpoint.origin}: this is another log"
                self._problems.add(None, Fault.ANOTHER_LOG, what)
            elif not any(key.signed(note) for key in known.keys or keys):
                what = "another key signed the known checkpoint"
                self._problems.add(None, Fault.ANOTHER_KEY, what)
            elif checkpoint.size == self._checkpoint.size:
                if checkpoint.root == self._checkpoint.root:
                    agreed.append(checkpoint.size)
                else:
                    what = f"the log of {checkpoint.size} entries is not the known one"
                    self._problems.add(None, Fault.FORKED, what)
        return tuple(agreed)

    def _verdict(self, *, is_anchored: bool) -> Verdict:
        faults = self._problems.counts.keys()
        if faults - DIVERGING:
            return Verdict.INVALID
        if faults:
            return Verdict.DIVERGED
        return Verdict.VERIFIED if is_anchored else Verdict.UNANCHORED
