"""Everything a step asks for, in one statement."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from bot.core.canonical import Digest
from bot.core.halts import Halt
from bot.core.step import Ask, Snapshot
from store import codec


def take_snapshot(
    execute: Callable[..., sqlite3.Cursor],
    ask: Ask,
    *,
    now: datetime,
    halts: Sequence[Halt],
    policy_digest: Digest | None,
) -> Snapshot:
    """Return what *ask* names, as the open transaction sees it."""
    values: list[str] = [*ask.proposals]
    if ask.agent is not None:
        values.append(ask.agent)
    if ask.person is not None:
        values.append(ask.person)
    if ask.idempotency is not None:
        values += (ask.idempotency.agent, ask.idempotency.key)
    if ask.pending_of_agent is not None:
        values.append(ask.pending_of_agent)
    if ask.pending_of_principal is not None:
        values.append(ask.pending_of_principal)
    if not values:
        return Snapshot(now=now, halts=halts, policy_digest=policy_digest)
    sql = _select(
        len(ask.proposals),
        ask.agent is not None,
        ask.person is not None,
        ask.idempotency is not None,
        ask.pending_of_agent is not None,
        ask.pending_of_principal is not None,
    )
    found = iter(execute(sql, values).fetchone())
    proposals = {}
    for wanted in ask.proposals:
        doc = next(found)
        if doc is not None:
            proposals[wanted] = codec.PROPOSAL.load(doc)
    agent = person = replayed = None
    if ask.agent is not None and (doc := next(found)) is not None:
        agent = codec.AGENT.load(doc)
    if ask.person is not None and (doc := next(found)) is not None:
        person = codec.PERSON.load(doc)
    if ask.idempotency is not None and (doc := next(found)) is not None:
        replayed = codec.PROPOSAL.load(doc)
    return Snapshot(
        now=now,
        proposals=proposals,
        agent=agent,
        person=person,
        replayed=replayed,
        pending_of_agent=next(found) if ask.pending_of_agent is not None else 0,
        pending_of_principal=next(found) if ask.pending_of_principal is not None else 0,
        halts=halts,
        policy_digest=policy_digest,
    )


@lru_cache(maxsize=256)
def _select(proposals: int, *asked: bool) -> str:
    parts = [_PROPOSAL] * proposals
    parts += [part for part, is_asked in zip(_PARTS, asked, strict=True) if is_asked]
    return f"SELECT {', '.join(parts)}"


_PROPOSAL: Final = "(SELECT doc FROM proposal WHERE id = ?)"
_PARTS: Final = (
    "(SELECT doc FROM agent WHERE id = ?)",
    "(SELECT doc FROM person WHERE id = ?)",
    "(SELECT doc FROM proposal WHERE agent = ? AND idempotency_key = ?)",
    "(SELECT coalesce(sum(n), 0) FROM pending WHERE agent = ?)",
    "(SELECT coalesce(sum(n), 0) FROM pending WHERE principal = ?)",
)
