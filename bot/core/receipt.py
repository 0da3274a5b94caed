"""Self-contained proof of one proposal's life: its entries, each with its place in the log.

It can be checked without the log, from the log's public key alone. It shows that these entries
are in the log that was signed; that there are no others about the proposal only the whole log
can show.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from bot.core.audit.export import entry_value
from bot.core.ids import ProposalId
from bot.core.leaf import Leaf, Opening
from bot.core.signed_note import Note, NoteKey
from bot.core.states import State

FORMAT: Final = "keyturn.receipt"
VERSION: Final = 1

#: Which of the openings of an entry somebody may see.
MaySee = Callable[[Leaf, Opening], bool]

#: What an agent is told of each type: what it said itself, and what the API answers it anyway.
#: The salt of the binding stays away, because it would let the hidden facts be guessed.
_TOLD_TO_AGENTS: Final[Mapping[str, frozenset[str]]] = {
    "proposal.submitted": frozenset({"action", "claims"}),
    "proposal.withdrawn": frozenset({"reason"}),
    "proposal.revoked": frozenset({"reason"}),
    "decision.reject": frozenset({"reason"}),
    "execution.outcome": frozenset({"detail", "reference"}),
    "execution.late_report": frozenset({"detail", "reference"}),
    "grant.outcome": frozenset({"detail", "reference"}),
    "settlement": frozenset({"detail", "reference"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """One entry with the hashes that lead from it to the root; lowest first."""

    leaf: Leaf
    proof: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """``note`` is the checkpoint that every proof leads to."""

    proposal: ProposalId
    state: State
    note: Note
    keys: Sequence[NoteKey]
    entries: Sequence[Proven]

    def value(self, *, may_see: MaySee) -> dict[str, Any]:
        """Return the receipt as plain values, with the openings that its reader *may_see*."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "proposal": self.proposal,
            "state": self.state.value,
            "keys": [str(key) for key in self.keys],
            "checkpoint": str(self.note),
            "entries": [
                {
                    "index": one.leaf.index,
                    **entry_value(one.leaf.body, _seen(one.leaf, may_see)),
                    "proof": [base64.b64encode(step).decode() for step in one.proof],
                }
                for one in self.entries
            ],
        }


def everything(_leaf: Leaf, _opening: Opening) -> bool:
    """May see: for people whom the proposal concerns, and for auditors."""
    return True


def told_to_agents(leaf: Leaf, opening: Opening) -> bool:
    """May see: for the agent; people appear to it by their ids alone."""
    return opening.path in _TOLD_TO_AGENTS.get(leaf.type, ())


def state_after(leaves: Sequence[Leaf]) -> State | None:
    """Return the state that the last of *leaves* says the proposal was in."""
    for leaf in reversed(leaves):
        state = orjson.loads(leaf.body).get("state")
        if state is not None:
            return State(state)
    return None


def _seen(leaf: Leaf, may_see: MaySee) -> Sequence[Opening]:
    return [opening for opening in leaf.openings if may_see(leaf, opening)]
