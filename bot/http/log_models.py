"""What is answered about the log: its signed head, its entries, and receipts from it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from bot.core.states import State
from bot.http.models import Answer


class CheckpointAnswer(Answer):
    """The committed head of the log, signed."""

    origin: Annotated[str, Field(examples=["keyturn/acme/5f0c1a7be2d94836"])]
    epoch: Annotated[int, Field(description="How many logs this deployment had before.")]
    size: int
    root: Annotated[str, Field(description="The RFC 6962 root hash, in hexadecimal.")]
    note: Annotated[str, Field(description="The C2SP signed note: keep it to verify later.")]
    keys: Annotated[list[str], Field(description="The keys that sign, as C2SP vkeys.")]


class OpeningAnswer(Answer):
    """What stands behind one commitment of an entry."""

    path: str
    salt: str
    value: Any


class LogEntryAnswer(Answer):
    """One entry; ``body`` is the exact text that is hashed."""

    body: str
    openings: list[OpeningAnswer]


class LogAnswer(Answer):
    """A page of entries, oldest first; ``next`` is where the next page starts."""

    entries: list[LogEntryAnswer]
    next: int | None


class ReceiptEntryAnswer(LogEntryAnswer):
    """One entry, and the hashes that lead from it to the signed root."""

    index: int
    proof: Annotated[list[str], Field(description="Hashes in base64, the lowest first.")]


class ReceiptAnswer(Answer):
    """A file of its own: `keyturn audit verify` checks it without this deployment."""

    format: Literal["keyturn.receipt"]
    version: int
    proposal: str
    state: State
    keys: Annotated[list[str], Field(description="The keys of the log, as C2SP vkeys.")]
    checkpoint: Annotated[str, Field(description="The C2SP signed note that all proofs lead to.")]
    entries: list[ReceiptEntryAnswer]
