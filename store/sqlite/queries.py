"""Queries as SQL. Those that touch a few rows by key are told from those that walk."""

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, TypeVar

from bot.core.approval import PRINCIPAL
from bot.core.effects import Effect, EffectKind
from bot.core.ids import AgentId, EffectId, ProposalId
from bot.core.leaf import Leaf
from bot.core.merkle import Frontier
from bot.core.news import News
from bot.core.proposal import Proposal
from bot.core.states import STOPPABLE, TERMINAL, State
from bot.ports import queries as ask
from store import codec
from store.codec import Codec, micros, moment
from store.sqlite.erase import find

T = TypeVar("T")

#: The approvers of a proposal that nobody but its principal decides, as `codec` writes them.
_PRINCIPAL_ALONE: Final = f'["{PRINCIPAL}"]'


def is_short(query: ask.Query[Any]) -> bool:
    """Return whether answering takes microseconds, however much is stored."""
    # What is in force is asked of every read that an agent or a person is shown.
    return type(query) in _SHORT or (isinstance(query, ask.Halts) and query.in_force)


def answer(query: ask.Query[Any], connection: sqlite3.Connection) -> Any:
    """Return the answer to *query*.

    Raises:
        TypeError: there is no such query.
        sqlite3.Error: the database could not be read.
    """
    by_type = _SHORT.get(type(query)) or _LONG.get(type(query))
    if by_type is None:
        raise TypeError(f"not a query: {query!r}")
    return by_type(query, connection)


def _one(codec: Codec[T], sql: str, *names: str) -> Callable[[Any, sqlite3.Connection], T | None]:
    """Return a reader of the one record that *sql* finds by the query's fields *names*."""

    def read(query: object, connection: sqlite3.Connection) -> T | None:
        row = connection.execute(sql, [getattr(query, name) for name in names]).fetchone()
        return None if row is None else codec.recall(row[0])

    return read


def _all(codec: Codec[T], sql: str, *names: str) -> Callable[[Any, sqlite3.Connection], list[T]]:
    """Return a reader of every record that *sql* finds by the query's fields *names*."""

    def read(query: object, connection: sqlite3.Connection) -> list[T]:
        rows = connection.execute(sql, [getattr(query, name) for name in names])
        return [codec.parse(doc) for (doc,) in rows]

    return read


def _proposals(query: ask.Proposals, connection: sqlite3.Connection) -> Sequence[Proposal]:
    found = _Where()
    if query.agent is not None:
        found.add("agent = ?", query.agent)
    if query.principal is not None:
        found.add("principal = ?", query.principal)
    if query.states:
        states = [state.value for state in query.states]
        found.add(f"state IN ({', '.join('?' * len(states))})", *states)
    if query.before is not None:
        found.add("seq < (SELECT seq FROM proposal WHERE id = ?)", query.before)
    if query.concerning is not None:
        found.add("principal <> ?", query.concerning)
        found.add("json_extract(doc, '$.approval.approvers') <> ?", _PRINCIPAL_ALONE)
    overs = {state in TERMINAL for state in query.states or State}
    order: Literal["ASC", "DESC"] = "ASC" if query.oldest_first else "DESC"
    return found.proposals(connection, overs, order=order, limit=query.limit, skip=query.skip)


def _stoppable(query: ask.Stoppable, connection: sqlite3.Connection) -> Sequence[Proposal]:
    found = _Where()
    if query.agent is not None:
        found.add("agent = ?", query.agent)
    if query.principal is not None:
        found.add("principal = ?", query.principal)
    if query.connector is not None:
        found.add("connector = ?", query.connector)
    states = [state.value for state in STOPPABLE]
    found.add(f"state IN ({', '.join('?' * len(states))})", *states)
    found.add("created_at <= ?", micros(query.until))
    if query.after is not None:
        found.add("seq > (SELECT seq FROM proposal WHERE id = ?)", query.after)
    return found.proposals(connection, {False}, order="ASC", limit=query.limit)


class _Where:
    """Conditions on proposals and their values; picks the index that walks least."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self._values: list[str | int] = []

    def add(self, condition: str, *values: str | int) -> None:
        self._conditions.append(condition)
        self._values += values

    def proposals(
        self,
        connection: sqlite3.Connection,
        overs: Collection[bool],
        *,
        order: Literal["ASC", "DESC"],
        limit: int,
        skip: int = 0,
    ) -> Sequence[Proposal]:
        """Return those that are over, those that are not, or both, as *overs* says."""
        if "agent = ?" in self._conditions:
            parts = [f"INDEXED BY proposal_agent WHERE over = {over:d}" for over in overs]
        elif "principal = ?" in self._conditions:
            parts = [f"INDEXED BY proposal_principal WHERE over = {over:d}" for over in overs]
        elif True not in overs:
            parts = ["INDEXED BY proposal_open WHERE NOT over"]
        else:
            parts = ["NOT INDEXED WHERE true"]
        conditions = "".join(f" AND {condition}" for condition in self._conditions)
        front = f"ORDER BY seq {order} LIMIT ?"
        # Every part is a constant of this module; what is asked for is bound.
        fronts = [
            f"SELECT * FROM (SELECT seq FROM proposal {part}{conditions} {front})"  # noqa: S608
            for part in parts
        ]
        wanted = f"SELECT seq FROM ({' UNION ALL '.join(fronts)}) {front} OFFSET ?"  # noqa: S608
        sql = f"SELECT doc FROM proposal WHERE seq IN ({wanted}) ORDER BY seq {order}"  # noqa: S608
        values = [*self._values, skip + limit] * len(parts) + [limit, skip]
        return [codec.PROPOSAL.parse(doc) for (doc,) in connection.execute(sql, values)]


def _due(query: ask.Due, connection: sqlite3.Connection) -> Sequence[Proposal]:
    rows = connection.execute(_DUE, (micros(query.at), query.limit))
    return [codec.PROPOSAL.parse(doc) for (doc,) in rows]


def _next_due(_: ask.NextDue, connection: sqlite3.Connection) -> Any:
    ready = [connection.execute(_NEXT_READY, (kind.value,)).fetchone() for kind in EffectKind]
    times = [row[0] for row in (connection.execute(_NEXT_DUE).fetchone(), *ready) if row]
    return moment(min(times)) if times else None


def _effects_of(query: ask.EffectsOf, connection: sqlite3.Connection) -> Sequence[Effect]:
    return [
        Effect(
            id=EffectId(effect_id),
            kind=EffectKind(kind),
            subject=query.subject,
            due_at=None if due_at is None else moment(due_at),
        )
        for effect_id, kind, due_at in connection.execute(_EFFECTS_OF, (query.subject,))
    ]


def _halts(query: ask.Halts, connection: sqlite3.Connection) -> Any:
    sql = _HALTS_IN_FORCE if query.in_force else _HALTS
    return [codec.HALT.parse(doc) for (doc,) in connection.execute(sql, (query.limit,))]


def _pending_count(query: ask.PendingCount, connection: sqlite3.Connection) -> int:
    where = ["1"]
    values: list[str] = []
    if query.agent is not None:
        where.append("agent = ?")
        values.append(query.agent)
    if query.principal is not None:
        where.append("principal = ?")
        values.append(query.principal)
    sql = f"SELECT coalesce(sum(n), 0) FROM pending WHERE {' AND '.join(where)}"  # noqa: S608
    count: int = connection.execute(sql, values).fetchone()[0]
    return count


def _leaves(query: ask.Leaves, connection: sqlite3.Connection) -> Sequence[Leaf]:
    if query.proposal is None:
        rows = connection.execute(_LEAVES, (query.start, query.limit))
    else:
        rows = connection.execute(_LEAVES_OF, (query.proposal, query.start, query.limit))
    return [
        Leaf(
            index=index,
            at=moment(at),
            type=type_,
            proposal=None if proposal is None else ProposalId(proposal),
            body=body,
            hash=hash_,
            openings=() if openings is None else codec.OPENINGS.parse(openings),
        )
        for index, at, type_, proposal, body, hash_, openings in rows
    ]


def _news_of_proposal(query: ask.NewsOfProposal, connection: sqlite3.Connection) -> Sequence[News]:
    return _news(connection.execute(_NEWS_OF_PROPOSAL, (query.proposal, query.after)))


def _news_of_agent(query: ask.NewsOfAgent, connection: sqlite3.Connection) -> ask.NewsPage:
    (size,) = connection.execute("SELECT size FROM head").fetchone()
    looked_to = min(query.after + query.leaves, size - 1)
    rows = connection.execute(
        _NEWS_OF_AGENT, (query.after, looked_to, query.agent, query.limit + 1)
    )
    found = _news(rows)
    if len(found) > query.limit:
        del found[query.limit :]
        looked_to = found[-1].cursor
    return ask.NewsPage(
        news=found, looked_to=max(query.after, looked_to), is_last=looked_to >= size - 1
    )


def _news(rows: Iterable[tuple[int, str, int, str]]) -> list[News]:
    return [
        News(cursor=index, proposal=ProposalId(proposal), state=State(state), at=moment(at))
        for index, proposal, at, state in rows
    ]


def _happenings(
    query: ask.Happenings, connection: sqlite3.Connection
) -> Mapping[ask.Happened, int]:
    (size,) = connection.execute("SELECT size FROM head").fetchone()

    def first_at(at: datetime) -> int:
        """Return the index of the first entry at or after *at*: times grow with the index."""
        wanted = micros(at)
        return bisect_left(
            range(size),
            wanted,
            key=lambda index: connection.execute(_LEAF_AT, (index,)).fetchone()[0],
        )

    rows = connection.execute(_HAPPENINGS, (first_at(query.since), first_at(query.until)))
    return {
        ask.Happened(
            type=type_,
            agent=None if agent is None else AgentId(agent),
            state=None if state is None else State(state),
        ): count
        for type_, agent, state, count in rows
    }


def _leaf_hashes(query: ask.LeafHashes, connection: sqlite3.Connection) -> Sequence[bytes]:
    return [hash_ for (hash_,) in connection.execute(_LEAF_HASHES, (query.start, query.limit))]


def _head(_: ask.Head, connection: sqlite3.Connection) -> ask.LogHead:
    (frontier,) = connection.execute("SELECT frontier FROM head").fetchone()
    known = Frontier.from_bytes(frontier)
    return ask.LogHead(size=known.size, root=known.root())


_DUE: Final = """
    SELECT doc FROM proposal WHERE NOT over AND due_at <= ? ORDER BY due_at, seq LIMIT ?
"""
_NEXT_DUE: Final = """
    SELECT due_at FROM proposal WHERE NOT over AND due_at IS NOT NULL ORDER BY due_at LIMIT 1
"""
_NEXT_READY: Final = """
    SELECT ready_at FROM effect WHERE kind = ? AND ready_at IS NOT NULL ORDER BY ready_at LIMIT 1
"""
_EFFECTS_OF: Final = """
    SELECT id, kind, due_at FROM effect WHERE subject = ? AND ready_at IS NOT NULL
"""
_HALTS: Final = "SELECT doc FROM halt ORDER BY seq DESC LIMIT ?"
_HALTS_IN_FORCE: Final = """
    SELECT doc FROM halt WHERE active OR NOT swept ORDER BY seq DESC LIMIT ?
"""
_LEAVES: Final = """
    SELECT idx, at, type, proposal, body, hash, doc FROM leaf LEFT JOIN opening USING (idx)
    WHERE idx >= ? ORDER BY idx LIMIT ?
"""
_LEAF_AT: Final = "SELECT at FROM leaf WHERE idx = ?"
# Only what is about a proposal is in one of its states.
_HAPPENINGS: Final = """
    SELECT type, agent, state, count(*) FROM (
        SELECT type, json_extract(CAST(body AS TEXT), '$.agent') AS agent,
            CASE WHEN proposal IS NOT NULL
                THEN json_extract(CAST(body AS TEXT), '$.state') END AS state
        FROM leaf WHERE idx >= ? AND idx < ?
    ) GROUP BY type, agent, state
"""
_LEAF_HASHES: Final = "SELECT hash FROM leaf WHERE idx >= ? ORDER BY idx LIMIT ?"
_LEAVES_OF: Final = """
    SELECT idx, at, type, proposal, body, hash, doc FROM leaf LEFT JOIN opening USING (idx)
    WHERE proposal = ? AND idx >= ? ORDER BY idx LIMIT ?
"""

# A leaf is news where its state is not that of the leaf before it about the same proposal.
_STATE: Final = "json_extract(CAST({0}.body AS TEXT), '$.state')"
_STATES_ENTERED: Final = f"""
    SELECT leaf.idx, leaf.proposal, leaf.at, {_STATE.format("leaf")} AS state, (
        SELECT {_STATE.format("earlier")} FROM leaf AS earlier
        WHERE earlier.proposal = leaf.proposal AND earlier.idx < leaf.idx
            AND {_STATE.format("earlier")} IS NOT NULL
        ORDER BY earlier.idx DESC LIMIT 1
    ) AS before
"""  # noqa: S608 - constants of this module
_NEWS_OF_PROPOSAL: Final = f"""
    SELECT idx, proposal, at, state FROM (
        {_STATES_ENTERED} FROM leaf WHERE leaf.proposal = ? AND leaf.idx > ?
    ) WHERE state IS NOT NULL AND state IS NOT before ORDER BY idx
"""  # noqa: S608 - the same
# CROSS JOIN: along the log, and not along everything that the agent ever proposed.
_NEWS_OF_AGENT: Final = f"""
    SELECT idx, proposal, at, state FROM (
        {_STATES_ENTERED} FROM leaf CROSS JOIN proposal ON proposal.id = leaf.proposal
        WHERE leaf.idx > ? AND leaf.idx <= ? AND proposal.agent = ?
            AND json_extract(proposal.doc, '$.undoes') IS NULL
    ) WHERE state IS NOT NULL AND state IS NOT before ORDER BY idx LIMIT ?
"""  # noqa: S608 - the same

_SHORT: Final[dict[type, Callable[[Any, sqlite3.Connection], Any]]] = {
    ask.ProposalById: _one(codec.PROPOSAL, "SELECT doc FROM proposal WHERE id = ?", "id"),
    ask.ProposalByKey: _one(
        codec.PROPOSAL,
        "SELECT doc FROM proposal WHERE agent = ? AND idempotency_key = ?",
        "agent",
        "key",
    ),
    ask.TokenByHash: _one(codec.TOKEN, "SELECT doc FROM token WHERE hash = ?", "hash"),
    ask.TokenById: _one(codec.TOKEN, "SELECT doc FROM token WHERE id = ?", "id"),
    ask.AgentById: _one(codec.AGENT, "SELECT doc FROM agent WHERE id = ?", "id"),
    ask.AgentByName: _one(codec.AGENT, "SELECT doc FROM agent WHERE name = ?", "name"),
    ask.PersonById: _one(codec.PERSON, "SELECT doc FROM person WHERE id = ?", "id"),
    ask.PersonByHandle: _one(codec.PERSON, "SELECT doc FROM person WHERE handle = ?", "handle"),
    ask.PersonByEmail: _one(codec.PERSON, "SELECT doc FROM person WHERE email = ?", "folded"),
    ask.LinkOf: _one(codec.IDENTITY, "SELECT doc FROM identity WHERE key = ?", "key"),
    ask.LinksOfPerson: _all(
        codec.IDENTITY, "SELECT doc FROM identity WHERE person = ? ORDER BY seq DESC", "person"
    ),
    ask.NoticeRoutes: _all(codec.NOTICE_ROUTE, "SELECT doc FROM notice_route ORDER BY seq"),
    ask.ResourceServerById: _one(
        codec.RESOURCE_SERVER, "SELECT doc FROM resource_server WHERE id = ?", "id"
    ),
    ask.ResourceServerByName: _one(
        codec.RESOURCE_SERVER, "SELECT doc FROM resource_server WHERE name = ?", "name"
    ),
    ask.ActivePolicy: _one(codec.POLICY, "SELECT doc FROM policy ORDER BY seq DESC LIMIT 1"),
    ask.NextDue: _next_due,
    ask.EffectsOf: _effects_of,
    ask.PendingCount: _pending_count,
    ask.Head: _head,
}

_LONG: Final[dict[type, Callable[[Any, sqlite3.Connection], Any]]] = {
    ask.Proposals: _proposals,
    ask.Due: _due,
    ask.Stoppable: _stoppable,
    ask.TokensOf: _all(
        codec.TOKEN, "SELECT doc FROM token WHERE holder = ? ORDER BY seq DESC", "holder"
    ),
    ask.Agents: _all(codec.AGENT, "SELECT doc FROM agent ORDER BY name"),
    ask.People: _all(codec.PERSON, "SELECT doc FROM person ORDER BY handle"),
    ask.ResourceServers: _all(
        codec.RESOURCE_SERVER, "SELECT doc FROM resource_server ORDER BY name"
    ),
    ask.Halts: _halts,
    ask.Happenings: _happenings,
    ask.ErasureScope: lambda query, connection: find(connection, query.person).found,
    ask.Leaves: _leaves,
    ask.LeafHashes: _leaf_hashes,
    ask.NewsOfProposal: _news_of_proposal,
    ask.NewsOfAgent: _news_of_agent,
}
