"""Records as JSON text and times as whole microseconds: what every store keeps of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, TypeVar

import orjson
from pydantic import TypeAdapter

from bot.core.actors import Agent, Person, ResourceServer, Token
from bot.core.halts import Halt
from bot.core.identity import LinkedIdentity
from bot.core.leaf import Opening
from bot.core.notice import NoticeRoute
from bot.core.policy_version import PolicyVersion
from bot.core.proposal import Proposal

T = TypeVar("T")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Codec(Generic[T]):
    """One kind of record, to JSON text and back.

    What `keep` wrote or `recall` read last is remembered by its very text, so that reading it
    again does not parse it again. Records are immutable: to share one is to copy it.
    """

    __slots__ = ("_adapter", "_capacity", "_known")

    def __init__(self, record: type[T], *, remembers: int = 0) -> None:
        self._adapter = TypeAdapter(record)
        self._known: dict[str, T] = {}
        self._capacity = remembers

    def dump(self, record: T) -> str:
        """Return *record* as JSON text.

        Raises:
            TypeError: it holds what JSON cannot.
        """
        return orjson.dumps(record, default=_plain).decode()

    def parse(self, text: str) -> T:
        """Return the record that `dump` wrote.

        Raises:
            ValueError: *text* is not such a record.
        """
        return self._adapter.validate_json(text)

    def keep(self, record: T) -> str:
        """Return what `dump` returns, and remember it."""
        text = orjson.dumps(record, default=_plain).decode()
        self._remember(text, record)
        return text

    def recall(self, text: str) -> T:
        """Return what `parse` returns, from memory where it can."""
        known = self._known.get(text)
        if known is not None:
            return known
        record = self._adapter.validate_json(text)
        self._remember(text, record)
        return record

    def copy(self, record: T) -> T:
        """Return what reading would return after writing *record*: equal, and nothing shared.

        Raises:
            TypeError: it holds what JSON cannot.
        """
        return self._adapter.validate_json(orjson.dumps(record, default=_plain))

    def _remember(self, text: str, record: T) -> None:
        known = self._known
        if len(known) >= self._capacity:
            # At once: to take out the oldest means to walk past all that were taken out before.
            known.clear()
        known[text] = record


PROPOSAL: Final = Codec(Proposal, remembers=2048)
AGENT: Final = Codec(Agent, remembers=256)
PERSON: Final = Codec(Person, remembers=256)
RESOURCE_SERVER: Final = Codec(ResourceServer, remembers=64)
TOKEN: Final = Codec(Token, remembers=1024)
HALT: Final = Codec(Halt, remembers=64)
POLICY: Final = Codec(PolicyVersion, remembers=4)
IDENTITY: Final = Codec(LinkedIdentity, remembers=256)
NOTICE_ROUTE: Final = Codec(NoticeRoute, remembers=64)
OPENINGS: Final = Codec(tuple[Opening, ...])


def micros(at: datetime) -> int:
    """Return the whole microseconds from 1970 to *at*, which is aware."""
    return (at - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """Return the time in UTC that `micros` counted."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a record cannot hold a {type(value).__name__}")
