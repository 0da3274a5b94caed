"""What happens between BEGIN and COMMIT: many steps, each in a savepoint of its own."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar, assert_never

from bot.core.actors import Agent, Person, Token
from bot.core.canonical import Digest
from bot.core.effects import Effect, EffectKind, Lease, Postponed
from bot.core.errors import Conflict, StoreUnavailable
from bot.core.halts import Halt
from bot.core.ids import EffectId, HaltId
from bot.core.leaf import Leaf
from bot.core.merkle import Frontier
from bot.core.policy_version import PolicyVersion
from bot.core.proposal import Proposal
from bot.core.step import Ask, Committed, Record, Refusal, Replay, Snapshot, Step, Transition
from bot.ports.clock import Clock
from bot.ports.store import Change
from store import codec
from store.codec import micros, moment
from store.sealing import seal_all
from store.sqlite.failures import unavailable

T = TypeVar("T")


class Transaction:
    """The state of the one writer: what it remembers between statements, and the statements.

    What is remembered is what the tables say, and is restored with them: after a failed step
    from before that step, after a failed commit by :meth:`forget`, which makes the next
    :meth:`begun` read it anew.
    """

    def __init__(
        self, connection: sqlite3.Connection, *, clock: Clock, birth_lease_s: float
    ) -> None:
        self._execute = connection.cursor().execute
        self._clock = clock
        self._birth_lease_s = birth_lease_s
        self._is_known = False
        self._at = 0
        self._position = 0
        self._frontier = Frontier()
        self._policy_digest: Digest | None = None
        self._halts: tuple[Halt, ...] = ()
        self._changes: list[Change] = []
        self._has_written = False

    def begun(self) -> None:
        """Prepare for the steps of a new transaction."""
        self._changes = []
        self._has_written = False
        if self._is_known:
            return
        at, self._position, frontier = self._execute(_HEAD).fetchone()
        # Time that was told and not written may be ahead of what was written.
        self._at = max(self._at, at)
        self._frontier = Frontier.from_bytes(frontier)
        policy = self._execute(_POLICY).fetchone()
        self._policy_digest = None if policy is None else Digest(policy[0])
        self._halts = tuple(codec.HALT.load(doc) for (doc,) in self._execute(_OPEN_HALTS))
        self._is_known = True

    def forget(self) -> None:
        """Believe nothing that was remembered: the transaction was not committed."""
        self._is_known = False

    def finish(self) -> list[Change] | None:
        """Write the head, last; return what to tell once it is committed.

        None says that nothing was written.
        """
        if not self._has_written:
            return None
        frontier = self._frontier
        self._execute(_SET_HEAD, (self._at, self._position, frontier.size, frontier.to_bytes()))
        return self._changes

    def step(self, ask: Ask, step: Callable[[Snapshot], Step[T]]) -> Committed[T]:
        """Run *step* and write what it returns.

        Raises:
            KeyturnError: the error of a Refusal, as it is.
            Conflict: a lease is no longer held, or another record has what must be one's own.
            StoreUnavailable: it cannot be written; other steps may still be.
            sqlite3.Error: nothing can be written in this transaction any more.
        """
        now_us = self._tick()
        now = moment(now_us)
        made = step(self._snapshot(ask, now))
        match made:
            case Transition():
                return self._in_savepoint(lambda: self._apply(made, now_us, now))
            case Replay(value):
                return Committed(value=value)
            case Refusal(error):
                raise error
            case _:
                assert_never(made)

    def lease(self, kinds: Iterable[EffectKind], *, limit: int, for_s: float) -> list[Lease]:
        """Lease due effects; raises as :meth:`step`."""
        now_us = self._tick()
        due: list[tuple[int, str, str, str, int | None, int]] = []
        for kind in kinds:
            due += self._execute(_DUE_EFFECTS, (kind.value, now_us, limit)).fetchall()
        if not due:
            return []
        due.sort()
        return self._in_savepoint(lambda: self._lease(due[:limit], now_us, for_s))

    def _tick(self) -> int:
        self._at = max(micros(self._clock.now()), self._at + 1)
        return self._at

    def _snapshot(self, ask: Ask, now: datetime) -> Snapshot:
        execute = self._execute
        proposals = {}
        for wanted in ask.proposals:
            row = execute(_PROPOSAL, (wanted,)).fetchone()
            if row is not None:
                proposals[wanted] = codec.PROPOSAL.load(row[0])
        agent = person = replayed = None
        of_agent = of_principal = 0
        if ask.agent is not None:
            row = execute(_AGENT, (ask.agent,)).fetchone()
            agent = None if row is None else codec.AGENT.load(row[0])
        if ask.person is not None:
            row = execute(_PERSON, (ask.person,)).fetchone()
            person = None if row is None else codec.PERSON.load(row[0])
        if ask.idempotency is not None:
            row = execute(_BY_KEY, (ask.idempotency.agent, ask.idempotency.key)).fetchone()
            replayed = None if row is None else codec.PROPOSAL.load(row[0])
        if ask.pending_of_agent is not None:
            (of_agent,) = execute(_PENDING_OF_AGENT, (ask.pending_of_agent,)).fetchone()
        if ask.pending_of_principal is not None:
            (of_principal,) = execute(_PENDING_OF_PRINCIPAL, (ask.pending_of_principal,)).fetchone()
        return Snapshot(
            now=now,
            proposals=proposals,
            agent=agent,
            person=person,
            replayed=replayed,
            pending_of_agent=of_agent,
            pending_of_principal=of_principal,
            halts=self._halts,
            policy_digest=self._policy_digest,
        )

    def _in_savepoint(self, write: Callable[[], T]) -> T:
        before = (self._position, self._frontier, self._policy_digest, self._halts)
        changes = len(self._changes)
        self._execute("SAVEPOINT step")
        try:
            written = write()
        except BaseException:
            self._position, self._frontier, self._policy_digest, self._halts = before
            del self._changes[changes:]
            self._execute("ROLLBACK TO step")
            self._execute("RELEASE step")
            raise
        self._execute("RELEASE step")
        self._has_written = True
        return written

    def _apply(self, made: Transition[T], now_us: int, now: datetime) -> Committed[T]:
        for lease in made.done:
            self._finish(lease)
        for postponed in made.postponed:
            self._postpone(postponed)
        for record in made.puts:
            try:
                self._put(record)
            except sqlite3.IntegrityError as error:
                raise _conflict(record, error) from error
        first = None
        if made.leaves:
            first = self._frontier.size
            self._append(
                seal_all(made.leaves, first=first, at=now, policy_digest=self._policy_digest), now_us
            )
        leases = self._add(made.effects, now_us) if made.effects else ()
        return Committed(value=made.value, leases=tuple(leases), first_leaf=first)

    def _put(self, record: Record) -> None:
        execute = self._execute
        match record:
            case Proposal():
                due_at = record.due_at
                execute(
                    _PUT_PROPOSAL,
                    (
                        record.id,
                        record.agent,
                        record.principal,
                        record.connector,
                        record.idempotency_key,
                        record.state.value,
                        micros(record.created_at),
                        None if due_at is None else micros(due_at),
                        codec.PROPOSAL.dump(record),
                    ),
                )
                self._position += 1
                self._changes.append(
                    Change(
                        position=self._position,
                        proposal=record.id,
                        state=record.state,
                        changed_at=record.changed_at,
                    )
                )
            case Agent():
                execute(_PUT_AGENT, (record.id, record.name, codec.AGENT.dump(record)))
            case Person():
                execute(_PUT_PERSON, (record.id, record.handle, codec.PERSON.dump(record)))
            case Token():
                doc = codec.TOKEN.dump(record)
                execute(_PUT_TOKEN, (record.id, record.hash, record.holder, doc))
            case Halt():
                doc = codec.HALT.dump(record)
                execute(_PUT_HALT, (record.id, record.is_active, record.swept, doc))
                self._halts = _with(self._halts, record)
            case PolicyVersion():
                execute(_PUT_POLICY, (record.digest, codec.POLICY.dump(record)))
                self._policy_digest = record.digest
            case _:
                assert_never(record)

    def _append(self, leaves: Sequence[Leaf], at: int) -> None:
        execute = self._execute
        frontier = self._frontier
        try:
            for n, leaf in enumerate(leaves):
                entry = (leaf.index, at + n, leaf.type, leaf.proposal, leaf.hash, leaf.body)
                execute(_APPEND_LEAF, entry)
                if leaf.openings:
                    execute(_ADD_OPENINGS, (leaf.index, codec.OPENINGS.dump(leaf.openings)))
                frontier = frontier.append(leaf.hash)
        except sqlite3.IntegrityError as error:
            raise unavailable(error) from error
        self._frontier = frontier
        self._at = max(self._at, at + len(leaves) - 1)

    def _add(self, effects: Iterable[Effect], now_us: int) -> list[Lease]:
        execute = self._execute
        leases = []
        for effect in effects:
            due_at = None if effect.due_at is None else micros(effect.due_at)
            ready_at = now_us if due_at is None else due_at
            held = self._birth_lease_s > 0 and ready_at <= now_us
            if held:
                ready_at = now_us + int(self._birth_lease_s * 1_000_000)
            added = execute(
                _ADD_EFFECT,
                (effect.subject, effect.id, effect.kind.value, due_at, ready_at, held, int(held)),
            )
            if held and added.rowcount == 1:
                leases.append(Lease(effect=effect, attempt=1, until=moment(ready_at)))
        return leases

    def _lease(
        self, due: Iterable[tuple[int, str, str, str, int | None, int]], now_us: int, for_s: float
    ) -> list[Lease]:
        until = now_us + int(for_s * 1_000_000)
        leases = []
        for _, subject, effect_id, kind, due_at, attempt in due:
            self._execute(_LEASE_EFFECT, (until, subject, effect_id))
            effect = Effect(
                id=EffectId(effect_id),
                kind=EffectKind(kind),
                subject=subject,
                due_at=None if due_at is None else moment(due_at),
            )
            leases.append(Lease(effect=effect, attempt=attempt + 1, until=moment(until)))
        return leases

    def _finish(self, lease: Lease) -> None:
        effect = lease.effect
        if self._execute(_FINISH, (effect.subject, effect.id, lease.attempt)).rowcount != 1:
            raise _lost(lease)

    def _postpone(self, postponed: Postponed) -> None:
        lease, due_at = postponed.lease, micros(postponed.due_at)
        key = (due_at, due_at, lease.effect.subject, lease.effect.id, lease.attempt)
        if self._execute(_POSTPONE, key).rowcount != 1:
            raise _lost(lease)


def _with(halts: Sequence[Halt], changed: Halt) -> tuple[Halt, ...]:
    """Return *halts* with *changed* in its place, or without it when it is over."""
    known: dict[HaltId, Halt] = {halt.id: halt for halt in halts}
    known[changed.id] = changed
    return tuple(halt for halt in known.values() if halt.is_active or not halt.swept)


def _lost(lease: Lease) -> Conflict:
    return Conflict(f"The lease of {lease.effect.id} is no longer held.")


def _conflict(record: Record, error: sqlite3.IntegrityError) -> Exception:
    match error.sqlite_errorcode:
        case sqlite3.SQLITE_CONSTRAINT_UNIQUE | sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
            what = type(record).__name__.lower()
            return Conflict(f"Another {what} has the same key, name, handle or hash already.")
        case _:
            return unavailable(error)


_HEAD = "SELECT at, position, frontier FROM head"
_SET_HEAD = "UPDATE head SET at = ?, position = ?, size = ?, frontier = ?"
_POLICY = "SELECT digest FROM policy ORDER BY seq DESC LIMIT 1"
_OPEN_HALTS = "SELECT doc FROM halt WHERE active OR NOT swept ORDER BY seq"
_PROPOSAL = "SELECT doc FROM proposal WHERE id = ?"
_BY_KEY = "SELECT doc FROM proposal WHERE agent = ? AND idempotency_key = ?"
_AGENT = "SELECT doc FROM agent WHERE id = ?"
_PERSON = "SELECT doc FROM person WHERE id = ?"
_PENDING_OF_AGENT = "SELECT coalesce(sum(n), 0) FROM pending WHERE agent = ?"
_PENDING_OF_PRINCIPAL = "SELECT coalesce(sum(n), 0) FROM pending WHERE principal = ?"
_PUT_PROPOSAL = """
    INSERT INTO proposal
        (id, agent, principal, connector, idempotency_key, state, created_at, due_at, doc)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, due_at = excluded.due_at,
        doc = excluded.doc
"""
_PUT_AGENT = """
    INSERT INTO agent (id, name, doc) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, doc = excluded.doc
"""
_PUT_PERSON = """
    INSERT INTO person (id, handle, doc) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET handle = excluded.handle, doc = excluded.doc
"""
_PUT_TOKEN = """
    INSERT INTO token (id, hash, holder, doc) VALUES (?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET doc = excluded.doc
"""
_PUT_HALT = """
    INSERT INTO halt (id, active, swept, doc) VALUES (?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET active = excluded.active, swept = excluded.swept,
        doc = excluded.doc
"""
_PUT_POLICY = "INSERT INTO policy (digest, doc) VALUES (?, ?)"
_APPEND_LEAF = "INSERT INTO leaf (idx, at, type, proposal, hash, body) VALUES (?, ?, ?, ?, ?, ?)"
_ADD_OPENINGS = "INSERT INTO opening (idx, doc) VALUES (?, ?)"
_ADD_EFFECT = "INSERT OR IGNORE INTO effect VALUES (?, ?, ?, ?, ?, ?, ?)"
_DUE_EFFECTS = """
    SELECT ready_at, subject, id, kind, due_at, attempt FROM effect
    WHERE kind = ? AND ready_at <= ? ORDER BY ready_at LIMIT ?
"""
_LEASE_EFFECT = """
    UPDATE effect SET held = 1, ready_at = ?, attempt = attempt + 1 WHERE subject = ? AND id = ?
"""
_FINISH = """
    UPDATE effect SET held = 0, ready_at = NULL
    WHERE subject = ? AND id = ? AND attempt = ? AND held
"""
_POSTPONE = """
    UPDATE effect SET held = 0, due_at = ?, ready_at = ?
    WHERE subject = ? AND id = ? AND attempt = ? AND held
"""
