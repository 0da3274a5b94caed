"""What channels are told: that something happened, never what an action contains."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from bot.core.ids import AgentId, PersonId


@unique
class Topic(StrEnum):
    UNDELIVERABLE = "undeliverable"  #: nobody who may decide could be reached
    HALT = "halt"  #: somebody stopped or resumed something
    IN_DOUBT = "in_doubt"  #: it is not known whether something happened
    NOT_MINE = "not_mine"  #: a person says that what was asked of them is not theirs
    DIGEST = "digest"  #: once a day: how much was asked, decided, carried out


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRoute:
    """Sends notices of ``topics`` to one channel of one chat.

    ``place`` is the chat's own id of the channel, ``place_name`` what people call it. ``agents``
    and ``verbs`` are globs over names; empty means all of them.
    """

    id: str
    chat: str
    place: str
    place_name: str
    topics: frozenset[Topic]
    agents: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    set_by: PersonId | None
    set_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """``title`` and ``lines`` are Keyturn's words and names that admins gave, nothing else."""

    topic: Topic
    title: str
    lines: tuple[str, ...]
    at: datetime
    agent: AgentId | None = None
