"""Everything a step asks for, in one statement."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from bot.core.canonical import Digest
from bot.core.halts import Halt
from bot.core.ids import AgentId
from bot.core.notice import NoticeRoute
from bot.core.step import Ask, Snapshot
from store import codec


def take_snapshot(
    execute: Callable[..., sqlite3.Cursor],
    ask: Ask,
    *,
    now: datetime,
    halts: Sequence[Halt],
    told: frozenset[AgentId],
    routes: Sequence[NoticeRoute],
    policy_digest: Digest | None,
) -> Snapshot:
    """Return what *ask* names, as the open transaction sees it."""
    sql, values = _SELECT, list[str](ask.proposals)
    if values:
        sql += _PROPOSAL * len(values)
    if ask.agent is not None:
        sql += _AGENT
        values.append(ask.agent)
    if ask.person is not None:
        sql += _PERSON
        values.append(ask.person)
    if ask.resource_server is not None:
        sql += _RESOURCE_SERVER
        values.append(ask.resource_server)
    if ask.identity is not None:
        sql += _IDENTITY
        values.append(ask.identity.key)
    if ask.idempotency is not None:
        sql += _BY_KEY
        values += (ask.idempotency.agent, ask.idempotency.key)
    if ask.pending_of_agent is not None:
        sql += _PENDING_OF_AGENT
        values.append(ask.pending_of_agent)
    if ask.pending_of_principal is not None:
        sql += _PENDING_OF_PRINCIPAL
        values.append(ask.pending_of_principal)
    if not values:
        return Snapshot(now=now, halts=halts, told=told, routes=routes, policy_digest=policy_digest)

    _, *found = execute(sql, values).fetchone()
    found.reverse()
    take = found.pop
    proposals = {}
    for wanted in ask.proposals:
        doc = take()
        if doc is not None:
            proposals[wanted] = codec.PROPOSAL.recall(doc)
    agent = person = resource_server = identity = replayed = None
    if ask.agent is not None and (doc := take()) is not None:
        agent = codec.AGENT.recall(doc)
    if ask.person is not None and (doc := take()) is not None:
        person = codec.PERSON.recall(doc)
    if ask.resource_server is not None and (doc := take()) is not None:
        resource_server = codec.RESOURCE_SERVER.recall(doc)
    if ask.identity is not None and (doc := take()) is not None:
        identity = codec.IDENTITY.recall(doc)
    if ask.idempotency is not None and (doc := take()) is not None:
        replayed = codec.PROPOSAL.recall(doc)
    return Snapshot(
        now=now,
        proposals=proposals,
        agent=agent,
        person=person,
        resource_server=resource_server,
        identity=identity,
        replayed=replayed,
        pending_of_agent=0 if ask.pending_of_agent is None else take(),
        pending_of_principal=0 if ask.pending_of_principal is None else take(),
        halts=halts,
        told=told,
        routes=routes,
        policy_digest=policy_digest,
    )


_SELECT: Final = "SELECT 0"
_PROPOSAL: Final = ", (SELECT doc FROM proposal WHERE id = ?)"
_AGENT: Final = ", (SELECT doc FROM agent WHERE id = ?)"
_PERSON: Final = ", (SELECT doc FROM person WHERE id = ?)"
_RESOURCE_SERVER: Final = ", (SELECT doc FROM resource_server WHERE id = ?)"
_IDENTITY: Final = ", (SELECT doc FROM identity WHERE key = ?)"
_BY_KEY: Final = ", (SELECT doc FROM proposal WHERE agent = ? AND idempotency_key = ?)"
_PENDING_OF_AGENT: Final = ", (SELECT coalesce(sum(n), 0) FROM pending WHERE agent = ?)"
_PENDING_OF_PRINCIPAL: Final = ", (SELECT coalesce(sum(n), 0) FROM pending WHERE principal = ?)"
