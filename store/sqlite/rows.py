"""Core values as the parameters of the statements that write them."""

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias, assert_never

from bot.core.actors import Agent, Person, ResourceServer, Token
from bot.core.effects import Effect
from bot.core.halts import Halt
from bot.core.identity import LinkedIdentity
from bot.core.leaf import Leaf
from bot.core.notice import NoticeRoute
from bot.core.policy_version import PolicyVersion
from bot.core.proposal import Proposal
from bot.core.states import TERMINAL
from bot.core.step import Gone, Record
from store import codec
from store.codec import micros

Values: TypeAlias = tuple[str | int | bytes | None, ...]


class Write(NamedTuple):
    sql: str
    values: Values


def write_of(record: Record) -> Write:
    """Return the statement that keeps *record* in place of the one with its id.

    Raises:
        TypeError: it holds what cannot be stored.
    """
    match record:
        case Proposal():
            due_at = record.due_at
            return Write(
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
                    record.state in TERMINAL,
                    codec.PROPOSAL.keep(record),
                ),
            )
        case Agent():
            return Write(_PUT_AGENT, (record.id, record.name, codec.AGENT.keep(record)))
        case Person():
            doc = codec.PERSON.keep(record)
            return Write(_PUT_PERSON, (record.id, record.handle, record.found_by_email, doc))
        case ResourceServer():
            doc = codec.RESOURCE_SERVER.keep(record)
            return Write(_PUT_RESOURCE_SERVER, (record.id, record.name, doc))
        case Token():
            doc = codec.TOKEN.keep(record)
            return Write(_PUT_CREDENTIAL, (record.id, record.hash, record.holder, doc))
        case Halt():
            doc = codec.HALT.keep(record)
            return Write(_PUT_HALT, (record.id, record.is_active, record.swept, doc))
        case PolicyVersion():
            return Write(_PUT_POLICY, (record.digest, codec.POLICY.keep(record)))
        case LinkedIdentity():
            doc = codec.IDENTITY.keep(record)
            return Write(_PUT_IDENTITY, (record.identity.key, record.person, doc))
        case NoticeRoute():
            doc = codec.NOTICE_ROUTE.keep(record)
            return Write(_PUT_NOTICE_ROUTE, (record.id, record.chat, record.place, doc))
        case Gone(LinkedIdentity() as gone):
            return Write(_DROP_IDENTITY, (gone.identity.key,))
        case Gone(NoticeRoute() as gone):
            return Write(_DROP_NOTICE_ROUTE, (gone.id,))
        case Gone():
            raise AssertionError(f"nothing else is ever gone: {record!r}")
        case _:
            assert_never(record)


def effect_values(effect: Effect, *, now: int, birth_lease: int) -> Values:
    """Return the row of a new effect, leased for *birth_lease* microseconds if it is due *now*."""
    due_at = None if effect.due_at is None else micros(effect.due_at)
    ready_at = now if due_at is None else due_at
    held = birth_lease > 0 and ready_at <= now
    if held:
        ready_at = now + birth_lease
    return (effect.subject, effect.id, effect.kind.value, due_at, ready_at, held, int(held))


def leaf_values(leaves: Iterable[Leaf], *, at: int) -> list[Values]:
    """Return the rows of *leaves*, the first of which is of the time *at*."""
    return [
        (leaf.index, at + n, leaf.type, leaf.proposal, leaf.hash, leaf.body)
        for n, leaf in enumerate(leaves)
    ]


def opening_values(leaves: Iterable[Leaf]) -> list[Values]:
    return [(leaf.index, codec.OPENINGS.dump(leaf.openings)) for leaf in leaves if leaf.openings]


ADD_EFFECT: Final = """
    INSERT INTO effect (subject, id, kind, due_at, ready_at, held, attempt)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (subject, id) DO NOTHING
"""
APPEND_LEAF: Final = """
    INSERT INTO leaf (idx, at, type, proposal, hash, body) VALUES (?, ?, ?, ?, ?, ?)
"""
ADD_OPENINGS: Final = "INSERT INTO opening (idx, doc) VALUES (?, ?)"

_PUT_PROPOSAL: Final = """
    INSERT INTO proposal (id, agent, principal, connector, idempotency_key, state, created_at,
        due_at, over, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, due_at = excluded.due_at,
        over = excluded.over, doc = excluded.doc
"""
_PUT_AGENT: Final = """
    INSERT INTO agent (id, name, doc) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, doc = excluded.doc
"""
_PUT_PERSON: Final = """
    INSERT INTO person (id, handle, email, doc) VALUES (?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET handle = excluded.handle, email = excluded.email,
        doc = excluded.doc
"""
_PUT_RESOURCE_SERVER: Final = """
    INSERT INTO resource_server (id, name, doc) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, doc = excluded.doc
"""
_PUT_CREDENTIAL: Final = """
    INSERT INTO token (id, hash, holder, doc) VALUES (?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET doc = excluded.doc
"""
_PUT_HALT: Final = """
    INSERT INTO halt (id, active, swept, doc) VALUES (?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET active = excluded.active, swept = excluded.swept,
        doc = excluded.doc
"""
_PUT_IDENTITY: Final = """
    INSERT INTO identity (key, person, doc) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET person = excluded.person, doc = excluded.doc
"""
_DROP_IDENTITY: Final = "DELETE FROM identity WHERE key = ?"
_PUT_NOTICE_ROUTE: Final = """
    INSERT INTO notice_route (id, chat, place, doc) VALUES (?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET doc = excluded.doc
"""
_DROP_NOTICE_ROUTE: Final = "DELETE FROM notice_route WHERE id = ?"
_PUT_POLICY: Final = "INSERT INTO policy (digest, doc) VALUES (?, ?)"
