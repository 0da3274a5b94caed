"""The life of a proposal: one table of (from, event) to (actors, to).

Everything that decides which state may follow which is in this file, and almost all of it
is in one table. Three promises rest on it; ``tests/unit/test_states.py`` checks them:

* A terminal state has no way out.
* ``EXECUTING`` is entered from ``APPROVED`` only and never leads back to it: what may have
  had its effect is ``IN_DOUBT``, and an action runs at most once.
* No event that an agent can cause leads to ``APPROVED``.
"""

from collections.abc import Mapping
from enum import StrEnum, unique
from types import MappingProxyType
from typing import NamedTuple

from bot.core.errors import IllegalTransition


@unique
class State(StrEnum):
    PENDING = "pending"  #: held: waits for a person
    APPROVED = "approved"  #: may be executed or released, until ``use_by``
    EXECUTING = "executing"  #: claimed by one worker; the intent is recorded
    RELEASED = "released"  #: a single-use grant was handed to the agent
    REDEEMED = "redeemed"  #: a resource server took the grant
    IN_DOUBT = "in_doubt"  #: the effect may or may not have happened
    SUCCEEDED = "succeeded"  #: the effect happened
    FAILED = "failed"  #: the effect provably did not happen
    DENIED = "denied"  #: refused by policy
    REJECTED = "rejected"  #: refused by a person
    EXPIRED = "expired"  #: nobody decided, or nobody acted, in time
    WITHDRAWN = "withdrawn"  #: taken back by its proposer
    SUPERSEDED = "superseded"  #: replaced by another proposal of the same proposer
    REVOKED = "revoked"  #: stopped by a halt, a stricter policy, or a person


@unique
class Event(StrEnum):
    APPROVE = "approve"  #: the quorum is complete
    REJECT = "reject"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"
    SUPERSEDE = "supersede"
    REVOKE = "revoke"
    CLAIM = "claim"
    GRANT = "grant"
    REDEEM = "redeem"
    SUCCEED = "succeed"
    FAIL = "fail"
    LOSE = "lose"  #: nobody can tell whether the effect happened


@unique
class ActorKind(StrEnum):
    AGENT = "agent"
    PERSON = "person"
    SYSTEM = "system"  #: Keyturn itself: its clocks, workers and policy
    RESOURCE = "resource"  #: a resource server


class Way(NamedTuple):
    to: State
    actors: frozenset[ActorKind]


_S, _E = State, Event
_AGENT = ActorKind.AGENT
_PERSON = ActorKind.PERSON
_SYSTEM = ActorKind.SYSTEM
_RESOURCE = ActorKind.RESOURCE


def _way(to: State, *actors: ActorKind) -> Way:
    return Way(to, frozenset(actors))


TRANSITIONS: Mapping[State, Mapping[Event, Way]] = MappingProxyType(
    {
        _S.PENDING: {
            _E.APPROVE: _way(_S.APPROVED, _PERSON),
            _E.REJECT: _way(_S.REJECTED, _PERSON),
            _E.EXPIRE: _way(_S.EXPIRED, _SYSTEM),
            _E.WITHDRAW: _way(_S.WITHDRAWN, _AGENT, _PERSON),
            _E.SUPERSEDE: _way(_S.SUPERSEDED, _AGENT, _PERSON, _SYSTEM),
            _E.REVOKE: _way(_S.REVOKED, _PERSON, _SYSTEM),
        },
        _S.APPROVED: {
            _E.CLAIM: _way(_S.EXECUTING, _SYSTEM),
            _E.GRANT: _way(_S.RELEASED, _AGENT),
            _E.EXPIRE: _way(_S.EXPIRED, _SYSTEM),
            _E.WITHDRAW: _way(_S.WITHDRAWN, _AGENT, _PERSON),
            _E.REVOKE: _way(_S.REVOKED, _PERSON, _SYSTEM),
        },
        _S.EXECUTING: {
            _E.SUCCEED: _way(_S.SUCCEEDED, _SYSTEM),
            _E.FAIL: _way(_S.FAILED, _SYSTEM),
            _E.LOSE: _way(_S.IN_DOUBT, _SYSTEM),
        },
        _S.RELEASED: {
            _E.REDEEM: _way(_S.REDEEMED, _RESOURCE),
            _E.EXPIRE: _way(_S.EXPIRED, _SYSTEM),
            _E.REVOKE: _way(_S.REVOKED, _PERSON, _SYSTEM),
        },
        _S.REDEEMED: {
            _E.SUCCEED: _way(_S.SUCCEEDED, _AGENT, _RESOURCE),
            _E.FAIL: _way(_S.FAILED, _RESOURCE),
            _E.LOSE: _way(_S.IN_DOUBT, _SYSTEM),
        },
        _S.IN_DOUBT: {
            _E.SUCCEED: _way(_S.SUCCEEDED, _SYSTEM, _PERSON, _RESOURCE),
            _E.FAIL: _way(_S.FAILED, _SYSTEM, _PERSON, _RESOURCE),
        },
        _S.SUCCEEDED: {},
        _S.FAILED: {},
        _S.DENIED: {},
        _S.REJECTED: {},
        _S.EXPIRED: {},
        _S.WITHDRAWN: {},
        _S.SUPERSEDED: {},
        _S.REVOKED: {},
    }
)

TERMINAL = frozenset(state for state, ways_out in TRANSITIONS.items() if not ways_out)

#: States that a halt or a stricter policy still ends.
STOPPABLE = frozenset(state for state, ways in TRANSITIONS.items() if _E.REVOKE in ways)

#: States that end as expired when their clock does.
EXPIRABLE = frozenset(state for state, ways in TRANSITIONS.items() if _E.EXPIRE in ways)


def next_state(state: State, event: Event, *, actor: ActorKind) -> State:
    """Return the state that *event*, caused by *actor*, leads to from *state*.

    Raises:
        IllegalTransition: the table has no such way, or not for this actor.
    """
    way = TRANSITIONS[state].get(event)
    if way is None or actor not in way.actors:
        raise IllegalTransition(f"Cannot {event} a proposal that is {state}, as {actor}.")
    return way.to
