"""Records as JSON text and times as whole microseconds: what every store keeps of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, TypeVar

import orjson
from pydantic import TypeAdapter

from bot.core.actors import Agent, Person, Token
from bot.core.halts import Halt
from bot.core.leaf import Opening
from bot.core.policy_version import PolicyVersion
from bot.core.proposal import Proposal

T = TypeVar("T")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Codec(Generic[T]):
    """One kind of record, to JSON text and back.

    The records of the last texts are remembered, as values of the texts themselves, so that
    what is read again soon after is not parsed again. Records are immutable: to share them is
    to copy them.
    """

    __slots__ = ("_adapter", "_known", "_remembered")

    def __init__(self, record: type[T], *, remembered: int) -> None:
        self._adapter = TypeAdapter(record)
        self._known: dict[str, T] = {}
        self._remembered = remembered

    def dump(self, record: T) -> str:
        """Return *record* as JSON text.

        Raises:
            TypeError: it holds what JSON cannot.
        """
        text = orjson.dumps(record, default=_plain).decode()
        self._remember(text, record)
        return text

    def load(self, text: str) -> T:
        """Return the record that `dump` wrote.

        Raises:
            ValueError: *text* is not such a record.
        """
        known = self._known.get(text)
        if known is not None:
            return known
        record = self._adapter.validate_json(text)
        self._remember(text, record)
        return record

    def parse(self, text: str) -> T:
        """Return the same as `load`, remembering nothing: for long lists and other threads."""
        return self._adapter.validate_json(text)

    def copy(self, record: T) -> T:
        """Return what reading would return after writing *record*: equal, and nothing shared.

        Raises:
            TypeError: it holds what JSON cannot.
        """
        return self._adapter.validate_json(orjson.dumps(record, default=_plain))

    def _remember(self, text: str, record: T) -> None:
        known = self._known
        if len(known) >= self._remembered:
            del known[next(iter(known))]
        known[text] = record


PROPOSAL: Final = Codec(Proposal, remembered=1024)
AGENT: Final = Codec(Agent, remembered=256)
PERSON: Final = Codec(Person, remembered=256)
TOKEN: Final = Codec(Token, remembered=1024)
HALT: Final = Codec(Halt, remembered=64)
POLICY: Final = Codec(PolicyVersion, remembered=4)
OPENINGS: Final = Codec(tuple[Opening, ...], remembered=1)


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
