"""What a click is answered with, and how that is told to whoever has stopped waiting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, assert_never

from adapters.teams.elements import Element, Message
from adapters.teams.told_card import render_told
from bot.core.ids import ProposalId
from bot.core.told import NOT_RECORDED, NOT_RECORDED_YET, Told

_CARD: Final = "application/vnd.microsoft.card.adaptive"
_WORDS: Final = "application/vnd.microsoft.activity.message"


@dataclass(frozen=True, slots=True, kw_only=True)
class TheCard:
    """The card of ``proposal`` as it is now, which takes the place of the one that was pressed.

    ``told`` is what came of the click; None where nothing was decided by it.
    """

    message: Message
    proposal: ProposalId
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A card that is about something else: a question, a list, what came of it."""

    message: Message


@dataclass(frozen=True, slots=True)
class Words:
    """Our words alone, which clients show beside the card; the card stays as it is.

    What anybody else has written MUST NOT be in it: clients read Markdown there.
    """

    text: str
    title: str = NOT_RECORDED


Reply: TypeAlias = TheCard | Shown | Words


def body_of(reply: Reply) -> dict[str, Any]:
    """Return the answer to an invoke: always one that Teams takes."""
    match reply:
        case TheCard(message=message) | Shown(message=message):
            return _answer(_CARD, message.card)
        case Words(text=text):
            return _answer(_WORDS, text)
        case _:
            assert_never(reply)


def activity_of(reply: Reply) -> Mapping[str, Any] | None:
    """Return *reply* as a message for whoever does not wait for it; None where there is nothing to
    say: a card is brought up to date where it is, and never sent again.
    """
    match reply:
        case Shown(message=message):
            return message.activity()
        case TheCard(told=told):
            return None if told is None else render_told(told).activity()
        case Words(text=text, title=title):
            return render_told(Told(title, text)).activity()
        case _:
            assert_never(reply)


def is_settled(reply: Reply) -> bool:
    """Return whether *reply* says how it ended, and not only that it goes on."""
    return not (isinstance(reply, TheCard) and reply.told is not None and _goes_on(reply.told))


def _goes_on(told: Told) -> bool:
    return told.title == NOT_RECORDED_YET


def _answer(kind: str, value: Element | str) -> dict[str, Any]:
    return {"statusCode": 200, "type": kind, "value": value}
