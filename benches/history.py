"""Whether a bot that has been used for years is as quick as a new one.

The years are made by copying: one proposal that was really decided, with its leaves, effects and
openings, a million times under other ids, into a log whose hashes are right.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benches.deployment import Deployment
from benches.load import load
from benches.office import Agent, PersonInChat
from benches.process import Server
from benches.spread import Spread
from bot.core.card import Button
from bot.core.merkle import Frontier, leaf_hash

CONNECTIONS: Final = 32
_CHUNK: Final = 10_000
_COLUMNS_OF: Final = {
    "proposal": "id, agent, principal, connector, idempotency_key, state, created_at, due_at,"
    " over, doc",
    "effect": "subject, id, kind, due_at, ready_at, held, attempt",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """``ratio`` is the submits of the full bot in units of those of the empty one."""

    finished: int
    pending: int
    ratio: Spread
    full_per_s: Spread
    empty_per_s: Spread


def measure(
    program: str,
    *,
    empty: tuple[Deployment, Server],
    full: tuple[Deployment, Server],
    finished: int,
    pending: int,
    rounds: int,
    seconds: float,
) -> History:
    """Load the two bots in turn, so that what disturbs the machine disturbs both."""

    def per_s(bot: tuple[Deployment, Server], run: str) -> float:
        deployment, server = bot
        return load(
            program,
            server.port,
            connections=CONNECTIONS,
            seconds=seconds,
            tokens=deployment.tokens,
            run=run,
            folder=deployment.folder,
        ).per_s

    pairs = [(per_s(empty, f"e{n}"), per_s(full, f"f{n}")) for n in range(rounds)]
    return History(
        finished=finished,
        pending=pending,
        ratio=Spread.of(with_history / without for without, with_history in pairs),
        full_per_s=Spread.of(with_history for _, with_history in pairs),
        empty_per_s=Spread.of(without for without, _ in pairs),
    )


def two_lives(deployment: Deployment) -> tuple[str, str]:
    """Have one proposal decided and leave another waiting, in the running bot; return their ids."""
    with Agent.of(deployment, 0) as agent, PersonInChat.of(deployment, 0) as person:
        decided, waiting = agent.submit(), agent.submit()
        person.begin_to_press(Button.REJECT, decided)
        person.pressed()
    return decided.id, waiting.id


def fill(
    database: Path,
    *,
    finished: tuple[str, int],
    pending: tuple[str, int],
    told: Callable[[int], None],
) -> None:
    """Copy the lives of two proposals as often as is asked, in a database that no bot has open.

    *told* gets the number of proposals made so far, now and then.
    """
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        log = _Log(connection)
        made = 0
        for proposal, copies in (pending, finished):
            life = _Life(connection, proposal)
            for first in range(0, copies, _CHUNK):
                connection.execute("BEGIN IMMEDIATE")
                numbers = range(made, made + min(_CHUNK, copies - first))
                life.copy(log, numbers)
                made += len(numbers)
                log.write_head(made)
                connection.execute("COMMIT")
                told(made)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class _Log:
    """The end of the log, which grows."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.at, self._position, frontier = connection.execute(
            "SELECT at, position, frontier FROM head"
        ).fetchone()
        self._frontier = Frontier.from_bytes(frontier)

    @property
    def size(self) -> int:
        return self._frontier.size

    def append(self, body: bytes) -> tuple[int, int, bytes]:
        """Return the index, time and hash of the leaf with *body*."""
        index, found = self.size, leaf_hash(body)
        self._frontier = self._frontier.append(found)
        self.at += 1
        return index, self.at, found

    def write_head(self, made: int) -> None:
        self._connection.execute(
            "UPDATE head SET at = ?, position = ?, size = ?, frontier = ?",
            (self.at, self._position + made, self.size, self._frontier.to_bytes()),
        )


class _Life:
    """The rows of one proposal, to be copied under other ids."""

    def __init__(self, connection: sqlite3.Connection, proposal: str) -> None:
        self._connection = connection
        self._id = proposal
        self._row = self._rows("proposal", "id")[0]
        self._effects = self._rows("effect", "subject")
        self._leaves: list[tuple[int, str, bytes, str | None]] = connection.execute(
            "SELECT leaf.idx, type, body, opening.doc FROM leaf LEFT JOIN opening USING (idx)"
            " WHERE proposal = ? ORDER BY idx",
            (proposal,),
        ).fetchall()

    def copy(self, log: _Log, numbers: range) -> None:
        self._insert("proposal", (self._proposal(number) for number in numbers))
        self._insert("effect", (row for number in numbers for row in self._copied(number)))
        leaves, openings = [], []
        for number in numbers:
            for idx, kind, body, opening in self._leaves:
                # The name of the index stands before no other number in a leaf.
                text = body.replace(self._id.encode(), _named(number).encode())
                text = text.replace(f'"i":{idx},'.encode(), f'"i":{log.size},'.encode(), 1)
                index, at, found = log.append(text)
                leaves.append((index, at, kind, _named(number), found, text))
                if opening is not None:
                    openings.append((index, opening))
        self._connection.executemany(
            "INSERT INTO leaf (idx, at, type, proposal, hash, body) VALUES (?, ?, ?, ?, ?, ?)",
            leaves,
        )
        self._connection.executemany("INSERT INTO opening (idx, doc) VALUES (?, ?)", openings)

    def _rows(self, table: str, key: str) -> list[tuple[Any, ...]]:
        sql = f"SELECT {_COLUMNS_OF[table]} FROM {table} WHERE {key} = ?"  # noqa: S608 - names of ours
        return self._connection.execute(sql, (self._id,)).fetchall()

    def _insert(self, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
        columns = _COLUMNS_OF[table]
        places = ", ".join("?" * len(columns.split(",")))
        sql = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608 - names of ours
        self._connection.executemany(sql, rows)

    def _proposal(self, number: int) -> tuple[Any, ...]:
        _, agent, principal, connector, key, *others, doc = self._row
        other_key = f"copy-{number}"
        text = doc.replace(self._id, _named(number)).replace(f'"{key}"', f'"{other_key}"')
        return (_named(number), agent, principal, connector, other_key, *others, text)

    def _copied(self, number: int) -> Iterator[tuple[Any, ...]]:
        for _, name, *others in self._effects:
            yield (_named(number), f"{name}-{number}", *others)


def _named(number: int) -> str:
    """Return an id that is older than any that a clock has given."""
    return f"prp_{number:026d}"
