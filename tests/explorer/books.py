"""What the tables say, read without any of the bot's code."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=16_384)
def _parsed(text: str | bytes) -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


@dataclass(frozen=True, slots=True)
class Leaf:
    index: int
    at: int
    hash: bytes
    body: bytes

    @property
    def entry(self) -> Mapping[str, Any]:
        return _parsed(self.body)


@dataclass(frozen=True, slots=True)
class Work:
    """An effect's row. Times are microseconds since 1970; ``ready_at`` is None once it is done."""

    subject: str
    kind: str
    ready_at: int | None
    is_held: bool
    attempt: int


@dataclass(frozen=True, slots=True)
class Books:
    """``proposals`` and ``halts`` are the records as JSON, by their ids."""

    proposals: Mapping[str, Mapping[str, Any]]
    halts: Mapping[str, Mapping[str, Any]]
    works: Sequence[Work]
    leaves: Sequence[Leaf]
    size: int
    frontier: bytes
    policy: str

    def state(self, proposal: str) -> str:
        found = self.proposals.get(proposal)
        return "" if found is None else str(found["state"])


def read_books(connection: sqlite3.Connection) -> Books:
    def rows(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    ((size, frontier),) = rows("SELECT size, frontier FROM head")
    return Books(
        proposals={name: _parsed(doc) for name, doc in rows("SELECT id, doc FROM proposal")},
        halts={name: _parsed(doc) for name, doc in rows("SELECT id, doc FROM halt")},
        works=[
            Work(subject, kind, ready_at, bool(held), attempt)
            for subject, kind, ready_at, held, attempt in rows(
                "SELECT subject, kind, ready_at, held, attempt FROM effect ORDER BY subject, id"
            )
        ],
        leaves=[Leaf(*row) for row in rows("SELECT idx, at, hash, body FROM leaf ORDER BY idx")],
        size=size,
        frontier=frontier,
        policy=rows("SELECT digest FROM policy ORDER BY seq DESC LIMIT 1")[0][0],
    )
