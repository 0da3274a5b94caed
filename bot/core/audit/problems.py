"""What can be wrong with a log; the names are stable, and explained in docs/reference/audit.md."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Final

#: How many problems are told one by one; all are counted.
MOST_TOLD: Final = 100


@unique
class Fault(StrEnum):
    # The form of the file.
    NOT_AN_ENTRY = "not_an_entry"
    NOT_CANONICAL = "not_canonical"
    MISSING_ENTRY = "missing_entry"
    DUPLICATE_ENTRY = "duplicate_entry"
    OUT_OF_ORDER = "out_of_order"
    TIME_WENT_BACK = "time_went_back"
    CUT_TAIL = "cut_tail"
    BEYOND_CHECKPOINT = "beyond_checkpoint"
    ROOT_DIFFERS = "root_differs"
    BAD_SIGNATURE = "bad_signature"
    BAD_COMMITMENT = "bad_commitment"
    BAD_PROOF = "bad_proof"
    # Against what was known before.
    FORKED = "forked"
    SHORTER_THAN_KNOWN = "shorter_than_known"
    ANOTHER_LOG = "another_log"
    ANOTHER_KEY = "another_key"
    # What the entries say.
    UNKNOWN_PROPOSAL = "unknown_proposal"
    SUBMITTED_TWICE = "submitted_twice"
    IMPOSSIBLE_STEP = "impossible_step"
    WRONG_ACTOR = "wrong_actor"
    WRONG_DIGEST = "wrong_digest"
    WRONG_CARD = "wrong_card"
    DECISION_AFTER_END = "decision_after_end"
    APPROVED_TWICE = "approved_twice"
    APPROVED_WITHOUT_QUORUM = "approved_without_quorum"
    INTENT_WITHOUT_APPROVAL = "intent_without_approval"
    INTENT_WITHOUT_QUORUM = "intent_without_quorum"
    INTENT_WHILE_HALTED = "intent_while_halted"
    OUTCOME_WITHOUT_INTENT = "outcome_without_intent"
    SETTLED_WITHOUT_DOUBT = "settled_without_doubt"
    ACTION_DIFFERS = "action_differs"
    BROKEN_LINK = "broken_link"
    UNKNOWN_AGENT = "unknown_agent"
    UNKNOWN_PERSON = "unknown_person"
    UNKNOWN_HALT = "unknown_halt"
    UNKNOWN_POLICY = "unknown_policy"


#: These contradict what the reader knew before: the log is not damaged, it is another one.
DIVERGING: Final = frozenset(
    {Fault.FORKED, Fault.SHORTER_THAN_KNOWN, Fault.ANOTHER_LOG, Fault.ANOTHER_KEY}
)


@dataclass(frozen=True, slots=True)
class Problem:
    """``index`` is the entry's position in the log; None where it is about the whole."""

    index: int | None
    fault: Fault
    what: str


@dataclass(slots=True)
class Problems:
    """Keeps the first of them, counts all."""

    told: list[Problem] = field(default_factory=list)
    counts: Counter[Fault] = field(default_factory=Counter)

    def add_all(self, others: "Problems") -> None:
        """Add *others*, found in the same entries by somebody else, each at its place."""
        self.counts.update(others.counts)
        both = sorted([*others.told, *self.told], key=lambda problem: problem.index or 0)
        self.told = both[:MOST_TOLD]

    def add(self, index: int | None, fault: Fault, what: str) -> None:
        self.counts[fault] += 1
        if len(self.told) < MOST_TOLD:
            self.told.append(Problem(index, fault, what))

    @property
    def total(self) -> int:
        return self.counts.total()
