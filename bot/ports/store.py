"""The store remembers everything decisive."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from bot.core.effects import EffectKind, Lease
from bot.core.erasure import Erased, Erasure
from bot.core.frozen import frozen
from bot.core.ids import ProposalId
from bot.core.states import State
from bot.core.step import Ask, Committed, Snapshot, Step
from bot.ports.queries import Query

T = TypeVar("T")


@frozen
class Change:
    """A proposal was committed in ``state``; ``position`` counts the changes of this store."""

    position: int
    proposal: ProposalId
    state: State
    changed_at: datetime


class Store(Protocol):
    """One write door, fenced work, reads, and news of changes.

    After any failure of :meth:`transact` a caller MUST assume neither that it was kept nor
    that it was not: it asks again with the same keys.
    """

    async def transact(self, ask: Ask, step: Callable[[Snapshot], Step[T]]) -> Committed[T]:
        """Run *step* on a consistent snapshot and make what it returns durable.

        The store MUST seal every leaf in the same commit as the change it records, give each
        commit's leaves consecutive indexes and strictly increasing times, and MUST return only
        when all of it is durable. If a leaf cannot be written, nothing may change. *step* MAY
        be run more than once. A Replay or Refusal MUST write nothing. An effect whose id is
        known already MUST NOT be added again, done or not.

        The effects of a transition that are due MUST come back leased in ``Committed.leases``
        or be found by :meth:`lease`.

        Raises:
            KeyturnError: the error of a Refusal, as it is.
            Conflict: a lease in ``done``, ``postponed`` or ``renewed`` is no longer held.
            StoreUnavailable: it could not be made durable.
        """
        ...

    async def lease(self, kinds: Sequence[EffectKind], *, limit: int, for_s: float) -> list[Lease]:
        """Return up to *limit* due effects of *kinds* that nobody holds, oldest first.

        Each lease MUST be durable before it is returned, held for *for_s* seconds of the
        store's time, and carry an attempt one higher than the last.
        """
        ...

    async def erase(self, erasure: Erasure) -> Committed[Erased]:
        """Remove what is kept about one person, as `bot.core.erasure.Erasing` says.

        Openings, records and the covering leaf MUST change in one commit. When this returns, no
        byte of what went may be left in any file of the store: not in a journal, a free page or
        an older version of a row. What is interrupted after its commit MUST be cleaned up before
        the store answers again, or when it is asked once more. Leaves, and so the root, MUST stay.

        Raises:
            NotFound: there is no such person.
            Conflict: something has to end first; nothing was changed.
            StoreUnavailable: it is not known whether it was kept, or traces are left: ask again.
        """
        ...

    async def read(self, query: Query[T]) -> T:
        """Return the answer to *query* from committed state only."""
        ...

    def watch(self, after: int | None = None) -> AsyncIterator[Change]:
        """Yield every change committed from now on, or after position *after* if still known.

        It wakes its readers; it MAY skip a change when a later one of the same proposal
        follows, and MUST NOT hold up :meth:`transact` when a reader is slow.
        """
        ...

    async def close(self) -> None:
        """Finish what was begun, refuse what comes, and free every resource."""
        ...
