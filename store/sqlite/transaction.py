"""What happens between BEGIN and COMMIT: many steps, each whole or not at all."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, TypeAlias, TypeVar, assert_never, cast

from bot.core.actors import Agent
from bot.core.canonical import Digest
from bot.core.effects import Effect, EffectKind, Lease
from bot.core.errors import Conflict
from bot.core.halts import Halt
from bot.core.ids import AgentId, EffectId, HaltId
from bot.core.leaf import Leaf
from bot.core.merkle import Frontier
from bot.core.notice import NoticeRoute
from bot.core.policy_version import PolicyVersion
from bot.core.proposal import Proposal
from bot.core.step import (
    Ask,
    Committed,
    Gone,
    Record,
    Refusal,
    Replay,
    Snapshot,
    Step,
    Transition,
)
from bot.ports.clock import Clock
from bot.ports.store import Change
from store import codec
from store.codec import micros, moment
from store.sealing import seal_all
from store.sqlite.rows import (
    ADD_EFFECT,
    ADD_OPENINGS,
    APPEND_LEAF,
    Values,
    Write,
    effect_values,
    leaf_values,
    opening_values,
    write_of,
)
from store.sqlite.snapshot import take_snapshot

T = TypeVar("T")

_Put: TypeAlias = tuple[Record, Write]


class HalfWritten(Exception):
    """A step failed after it had written: its transaction must be rolled back."""


class Transaction:
    """The one writer's statements, and what it remembers between them.

    What is remembered is what the tables say. A step changes it when its statements have
    succeeded; after a failed commit :meth:`forget` makes the next :meth:`begun` read it anew.
    """

    def __init__(
        self, connection: sqlite3.Connection, *, clock: Clock, birth_lease_s: float
    ) -> None:
        self._connection = connection
        cursor = connection.cursor()
        self._execute = cursor.execute
        self._execute_many = cursor.executemany
        self._clock = clock
        self._birth_lease = _duration(birth_lease_s)
        self._is_known = False
        self._now = 0
        self._position = 0
        self._size = 0
        self._frontier = Frontier()
        self._policy_digest: Digest | None = None
        self._halts: tuple[Halt, ...] = ()
        self._told: frozenset[AgentId] = frozenset()
        self._routes: tuple[NoticeRoute, ...] = ()
        self._has_written = False
        self._changes: list[Change] = []
        self._hashes: list[bytes] = []
        self._leaves: list[Values] = []
        self._openings: list[Values] = []

    def begun(self) -> None:
        """Prepare for the steps of a new transaction.

        Raises:
            sqlite3.Error: what must be known could not be read.
        """
        self._has_written = False
        self._changes = []
        self._hashes.clear()
        self._leaves.clear()
        self._openings.clear()
        if self._is_known:
            return
        now, self._position, frontier = self._execute(_HEAD).fetchone()
        # Times that were told but not written may be later than what was written.
        self._now = max(self._now, now)
        self._frontier = Frontier.from_bytes(frontier)
        self._size = self._frontier.size
        policy = self._execute(_POLICY).fetchone()
        self._policy_digest = None if policy is None else Digest(policy[0])
        self._halts = tuple(codec.HALT.recall(doc) for (doc,) in self._execute(_HALTS).fetchall())
        agents = (codec.AGENT.recall(doc) for (doc,) in self._execute(_WITH_WEBHOOK).fetchall())
        self._told = frozenset(agent.id for agent in agents if agent.is_told)
        routes = self._execute(_NOTICE_ROUTES).fetchall()
        self._routes = tuple(codec.NOTICE_ROUTE.recall(doc) for (doc,) in routes)
        self._is_known = True

    def forget(self) -> None:
        """Believe nothing that is remembered: the transaction was not committed."""
        self._is_known = False

    def flush(self) -> None:
        """Write the leaves of the steps so far, which no later step reads.

        Raises:
            sqlite3.Error: the log cannot be written, and nothing of the transaction may be kept.
        """
        if self._leaves:
            self._execute_many(APPEND_LEAF, self._leaves)
            self._leaves.clear()
        if self._openings:
            self._execute_many(ADD_OPENINGS, self._openings)
            self._openings.clear()

    def finish(self) -> list[Change] | None:
        """Write what is left, the head last; return what to tell once it is committed.

        None says that nothing was written.

        Raises:
            sqlite3.Error: as :meth:`flush`.
        """
        if not self._has_written:
            return None
        self.flush()
        self._frontier = frontier = self._frontier.extended(self._hashes)
        self._execute(_SET_HEAD, (self._now, self._position, self._size, frontier.to_bytes()))
        return self._changes

    def step(self, ask: Ask, step: Callable[[Snapshot], Step[T]]) -> Committed[T]:
        """Run *step* and write what it returns.

        Raises:
            KeyturnError: the error of a Refusal, as it is.
            Conflict: a lease is no longer held, or another record has what must be one's own.
            sqlite3.Error, HalfWritten: nothing of the transaction may be kept.
        """
        now_us = self._tick()
        now = moment(now_us)
        snapshot = take_snapshot(
            self._execute,
            ask,
            now=now,
            halts=self._halts,
            told=self._told,
            routes=self._routes,
            policy_digest=self._policy_digest,
        )
        made = step(snapshot)
        match made:
            case Transition():
                return self._apply(made, now_us, now)
            case Replay(value):
                return Committed(value=value)
            case Refusal(error):
                raise error
            case _:
                assert_never(made)

    def lease(self, kinds: Iterable[EffectKind], *, limit: int, for_s: float) -> list[Lease]:
        """Lease due effects, oldest first.

        Raises:
            sqlite3.Error, HalfWritten: nothing of the transaction may be kept.
        """
        now = self._tick()
        due: list[tuple[int, str, str, str, int | None, int]] = []
        for kind in kinds:
            due += self._execute(_DUE_EFFECTS, (kind.value, now, limit)).fetchall()
        due.sort(key=lambda row: row[:3])
        until = now + _duration(for_s)
        leases = []
        for _, subject, effect_id, kind_name, due_at, attempt in due[:limit]:
            self._execute(_LEASE_EFFECT, (until, subject, effect_id))
            self._has_written = True
            effect = Effect(
                id=EffectId(effect_id),
                kind=EffectKind(kind_name),
                subject=subject,
                due_at=None if due_at is None else moment(due_at),
            )
            leases.append(Lease(effect=effect, attempt=attempt + 1, until=moment(until)))
        return leases

    def _tick(self) -> int:
        self._now = max(micros(self._clock.now()), self._now + 1)
        return self._now

    def _apply(self, made: Transition[T], now_us: int, now: datetime) -> Committed[T]:
        # All that can fail for a reason of its own comes before the first statement.
        puts = [(record, write_of(record)) for record in made.puts]
        effects = [
            (effect, effect_values(effect, now=now_us, birth_lease=self._birth_lease))
            for effect in made.effects
        ]
        policy_digest = self._policy_digest
        for record in made.puts:
            if isinstance(record, PolicyVersion):
                policy_digest = record.digest
        leaves = seal_all(made.leaves, first=self._size, at=now, policy_digest=policy_digest)
        leaf_rows, opening_rows = leaf_values(leaves, at=now_us), opening_values(leaves)

        if len(made.done) + len(made.postponed) + len(made.renewed) + len(puts) > 1:
            self._write_in_savepoint(made, puts)
        else:
            # A statement is a savepoint of its own.
            self._write(made, puts)
        leases = self._add(effects)

        self._has_written = True
        self._policy_digest = policy_digest
        self._leaves += leaf_rows
        self._openings += opening_rows
        self._remember(made.puts, leaves)
        return Committed(
            value=made.value,
            leases=leases,
            first_leaf=leaves[0].index if leaves else None,
        )

    def _write_in_savepoint(self, made: Transition[T], puts: Sequence[_Put]) -> None:
        self._execute("SAVEPOINT step")
        try:
            self._write(made, puts)
        except BaseException:
            # An error such as a full disk may have ended the whole transaction already.
            if self._connection.in_transaction:
                self._execute("ROLLBACK TO step")
                self._execute("RELEASE step")
            raise
        self._execute("RELEASE step")

    def _write(self, made: Transition[T], puts: Sequence[_Put]) -> None:
        execute = self._execute
        for lease in made.done:
            key = (lease.effect.subject, lease.effect.id, lease.attempt)
            if execute(_FINISH, key).rowcount != 1:
                raise _lost(lease)
        for postponed in made.postponed:
            lease, due_at = postponed.lease, micros(postponed.due_at)
            key = (lease.effect.subject, lease.effect.id, lease.attempt)
            if execute(_POSTPONE, (due_at, due_at, *key)).rowcount != 1:
                raise _lost(lease)
        for renewed in made.renewed:
            lease = renewed.lease
            key = (lease.effect.subject, lease.effect.id, lease.attempt)
            if execute(_RENEW, (micros(renewed.until), *key)).rowcount != 1:
                raise _lost(lease)
        for record, (sql, values) in puts:
            try:
                execute(sql, values)
            except sqlite3.IntegrityError as error:
                if error.sqlite_errorcode not in _NOT_UNIQUE:
                    raise
                what = type(record).__name__.lower()
                raise Conflict(f"Another {what} has its key, name, handle or hash.") from error

    def _add(self, effects: Iterable[tuple[Effect, Values]]) -> tuple[Lease, ...]:
        leases = []
        for effect, values in effects:
            try:
                is_new = self._execute(ADD_EFFECT, values).rowcount == 1
            except sqlite3.Error as error:
                raise HalfWritten from error
            *_, ready_at, held, attempt = values
            if is_new and held:
                until = moment(cast("int", ready_at))
                leases.append(Lease(effect=effect, attempt=cast("int", attempt), until=until))
        return tuple(leases)

    def _remember(self, puts: Iterable[Record], leaves: Sequence[Leaf]) -> None:
        for record in puts:
            match record:
                case Proposal():
                    self._position += 1
                    self._changes.append(
                        Change(
                            position=self._position,
                            proposal=record.id,
                            state=record.state,
                            changed_at=record.changed_at,
                        )
                    )
                case Halt():
                    self._halts = _with(self._halts, record)
                case Agent():
                    others = self._told - {record.id}
                    self._told = others | {record.id} if record.is_told else others
                case NoticeRoute() as route:
                    known = {other.id: other for other in self._routes}
                    self._routes = tuple((known | {route.id: route}).values())
                case Gone(NoticeRoute() as route):
                    self._routes = tuple(r for r in self._routes if r.id != route.id)
                case _:
                    pass
        if leaves:
            self._hashes += [leaf.hash for leaf in leaves]
            self._size += len(leaves)
            # A leaf a microsecond: the next step comes after the last of them.
            self._now += len(leaves) - 1


def _with(halts: Iterable[Halt], changed: Halt) -> tuple[Halt, ...]:
    """Return *halts* with *changed* in its place, or without it when it is over."""
    known: dict[HaltId, Halt] = {halt.id: halt for halt in halts}
    known[changed.id] = changed
    return tuple(halt for halt in known.values() if halt.is_active or not halt.swept)


def _lost(lease: Lease) -> Conflict:
    return Conflict(f"The lease of {lease.effect.id} is no longer held.")


def _duration(seconds: float) -> int:
    return round(seconds * 1_000_000)


_NOT_UNIQUE: Final = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)

_HEAD: Final = "SELECT at, position, frontier FROM head"
_SET_HEAD: Final = "UPDATE head SET at = ?, position = ?, size = ?, frontier = ?"
_POLICY: Final = "SELECT digest FROM policy ORDER BY seq DESC LIMIT 1"
_HALTS: Final = "SELECT doc FROM halt WHERE active OR NOT swept ORDER BY seq"
_WITH_WEBHOOK: Final = "SELECT doc FROM agent WHERE json_extract(doc, '$.webhook') IS NOT NULL"
_NOTICE_ROUTES: Final = "SELECT doc FROM notice_route ORDER BY seq"
_DUE_EFFECTS: Final = """
    SELECT ready_at, subject, id, kind, due_at, attempt FROM effect
    WHERE kind = ? AND ready_at <= ? ORDER BY ready_at LIMIT ?
"""
_LEASE_EFFECT: Final = """
    UPDATE effect SET held = 1, ready_at = ?, attempt = attempt + 1 WHERE subject = ? AND id = ?
"""
_FINISH: Final = """
    UPDATE effect SET held = 0, ready_at = NULL
    WHERE subject = ? AND id = ? AND attempt = ? AND held
"""
_RENEW: Final = """
    UPDATE effect SET ready_at = ?
    WHERE subject = ? AND id = ? AND attempt = ? AND held
"""
_POSTPONE: Final = """
    UPDATE effect SET held = 0, due_at = ?, ready_at = ?
    WHERE subject = ? AND id = ? AND attempt = ? AND held
"""
