"""What a person is told in a card of its own: what came of a click, and where to read on."""

from collections.abc import Mapping
from datetime import datetime

from adapters.teams import words
from adapters.teams.card import about, refreshing, told_box
from adapters.teams.elements import (
    Element,
    Message,
    Ours,
    execute,
    heading,
    label,
    open_url,
    ours,
    when,
)
from adapters.teams.elements import card as made
from adapters.teams.pressable import Verb
from adapters.teams.sections import subject
from bot.core.card import Card
from bot.core.told import Told
from bot.core.words import needs_full_view


def answer(body: list[Element], actions: list[Element], refresh: Element | None = None) -> Message:
    """Return a card that answers somebody; its notification says no more than that."""
    instead = f"{words.ANSWERED} {words.CANNOT_SHOW}"
    return Message(Ours(words.ANSWERED), made(body, actions, instead=instead, refresh=refresh))


def render_told(
    told: Told, *, look_again: Mapping[str, str] | None = None, mri: str | None = None
) -> Message:
    """Return *told* alone; *look_again* is what a button carries that brings its card back."""
    if look_again is None:
        return answer([told_box(told)], [])
    carried = dict(look_again)
    press = execute("Show the card", Verb.REFRESH, carried)
    return answer([told_box(told)], [press], refreshing(carried, mri))


def render_full_view(card: Card, url: str, *, until: datetime) -> Message:
    """Return the way to the whole action of *card*: *url* opens it for its reader alone."""
    body = [
        heading("Full details"),
        *subject(card),
        ours(words.FULL_DETAILS, spacing="Medium"),
        label(f"Until {when(until)}"),
    ]
    if needs_full_view(card):
        body.append(ours(words.APPROVE_APPEARS, weight="Bolder"))
    return answer(
        body,
        [
            open_url("Read in full", url, style="positive"),
            execute("Go back", Verb.OPEN, about(card)),
        ],
    )
