"""A connector carries out one family of verbs with a credential that it alone holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from bot.core.proposal import Action
from bot.core.verbs import Facts, Preview, Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """The target says that the effect happened; ``reference`` is its own id or link for it."""

    detail: str
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The effect provably did not happen. ``reason`` is a stable code, ``stale`` among them."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InDoubt:
    """Nobody can tell whether the effect happened."""

    reason: str
    detail: str


Executed: TypeAlias = Succeeded | Failed | InDoubt


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The look-up saw the effect."""

    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """The look-up did not see the effect; before the settling time that proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The look-up could not tell."""

    detail: str


LookedUp: TypeAlias = Found | Absent | Unknown

#: The reason of a Failed when what people were shown is no longer so.
STALE = "stale"


class Connector(Protocol):
    """One family of verbs. A connector never sees who decided, only what to do."""

    @property
    def name(self) -> str: ...

    @property
    def verbs(self) -> Mapping[str, Verb]:
        """Every verb by name. MUST NOT change while the connector lives."""
        ...

    async def inspect(self, action: Action) -> Facts:
        """Observe who would see *action* and what it would change. MUST have no effect.

        Raises:
            InvalidInput: the resource cannot exist, or the params do not fit it.
            UpstreamFailed: the target could not be asked, answered wrongly, or too much.
        """
        ...

    def preview(self, action: Action, facts: Facts) -> Preview:
        """Return what the card says. MUST be pure and total for any params the schema allows."""
        ...

    def undo(self, action: Action, *, reference: str | None) -> Action | None:
        """Return the action that takes back what *action* did, where its verb declares an undo.

        *reference* is the target's own for what was written. MUST be pure, and return None where
        these do not tell exactly what to take back.
        """
        ...

    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: datetime
    ) -> Executed:
        """Carry *action* out once, sending *key* where the target takes an idempotency key.

        MUST send exactly what *action* holds, MUST NOT retry, MUST return before *deadline* and
        MUST NOT raise: whatever cannot be proven not to have happened is InDoubt. *etag* pins
        what people were shown; a target that has moved on is Failed(stale).
        """
        ...

    async def lookup(self, action: Action, *, key: str) -> LookedUp:
        """Ask the target whether the effect of *action* under *key* happened. MUST NOT raise."""
        ...

    async def close(self) -> None: ...
