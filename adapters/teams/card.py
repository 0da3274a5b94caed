"""A card as Teams shows it, in private: who will see it, what happens, exactly what, who asks."""

from typing import Final

from adapters.teams import limits, words
from adapters.teams.elements import (
    Element,
    Message,
    Ours,
    TooLarge,
    box,
    execute,
    heading,
    label,
    minor,
    open_url,
    ours,
    quoted,
    said,
    show_card,
    text_input,
)
from adapters.teams.elements import card as made
from adapters.teams.fit import fit_action
from adapters.teams.pressable import Key, Verb
from adapters.teams.sections import opening_of, sections
from adapters.teams.text import inert
from bot.core import chat_words
from bot.core.about import value_of
from bot.core.card import Button, Card
from bot.core.states import TERMINAL
from bot.core.told import NOT_RECORDED, NOT_RECORDED_YET, RECORDED, Told
from bot.core.words import asks_for, needs_full_view

_TOLD_STYLE: Final = {RECORDED: "good", NOT_RECORDED: "attention", NOT_RECORDED_YET: "warning"}


def render_card(card: Card, *, mri: str | None = None, told: Told | None = None) -> Message:
    """Return *card* as its reader sees it, below *told* if they were told something.

    *mri* is what Teams calls the reader: their client asks for the card again as it is opened.
    """
    return Message(Ours(chat_words.notification(card)), _fitted(card, mri=mri, told=told))


def render_fallback(card: Card, *, web_url: str | None = None) -> Message:
    """Return what is shown when Teams refuses the card: nothing in it comes from elsewhere.

    Nobody can approve what they cannot read, so it offers no Approve.
    """
    why = words.REFUSED_WITHOUT_INBOX if web_url is None else words.REFUSED_BY_TEAMS
    actions = [] if web_url is None else [open_url("Web inbox", _page_of(card, web_url))]
    if asks_for(card, Button.REJECT):
        actions.append(_reject(card))
    summary = Ours(chat_words.notification(card))
    body = [
        heading(chat_words.heading(card)),
        ours(why),
        label(f"Fingerprint {card.fingerprint}"),
        label(str(card.proposal), spacing="None"),
    ]
    body += minor(_more(card))
    return Message(summary, made(body, actions, instead=_instead(summary)))


def about(card: Card) -> dict[str, str]:
    """Return what a button of *card* carries."""
    return {Key.ABOUT.value: value_of(card)}


def told_box(told: Told, *, at_most: int = limits.TOLD) -> Element:
    """Return what came of a click; the message may repeat words of others."""
    message = inert(told.message, at_most=at_most).shown
    return box(
        [ours(told.title, weight="Bolder"), quoted(said(message), spacing="Small")],
        style=_TOLD_STYLE.get(told.title, "emphasis"),
    )


def refreshing(card_about: dict[str, str], mri: str | None) -> Element | None:
    """Return what has the client of *mri* ask for the card again, which decides nothing."""
    if mri is None or len(mri) > limits.MRI:
        return None
    action = {"type": "Action.Execute", "verb": Verb.REFRESH.value, "data": card_about}
    return {"action": action, "userIds": [mri]}


def _fitted(card: Card, *, mri: str | None, told: Told | None) -> Element:
    refresh = None if card.state in TERMINAL else refreshing(about(card), mri)
    for room in limits.ROOMS:
        opening, action = opening_of(card, room), fit_action(card, room)
        above = [] if told is None else [told_box(told, at_most=room.of(limits.TOLD))]
        body = [*above, *sections(card, opening, action, room)]
        is_whole = opening.is_whole and action.is_whole
        may_decide = is_whole or card.is_viewed
        try:
            return made(
                [*body, *_minor(card, is_whole=may_decide)],
                _deciding(card, is_whole=may_decide),
                instead=_instead(chat_words.notification(card)),
                refresh=refresh,
            )
        except TooLarge:
            if room is limits.ROOMS[-1]:
                raise
    raise AssertionError("there is no room")


def _instead(notification: str) -> str:
    return f"{notification} {words.CANNOT_SHOW}"


def _page_of(card: Card, web_url: str) -> str:
    return f"{web_url.rstrip('/')}/proposals/{card.proposal}"


def _must_read(card: Card, *, is_whole: bool) -> bool:
    return needs_full_view(card) or (asks_for(card, Button.APPROVE) and not is_whole)


def _deciding(card: Card, *, is_whole: bool) -> list[Element]:
    """Return the buttons at the foot of *card*: few, since a narrow window cuts long rows."""
    pressable: list[Element] = []
    if _must_read(card, is_whole=is_whole):
        reads = execute("Read in full", Verb.FULL_VIEW, about(card), style="positive")
        pressable.append(reads)
    elif asks_for(card, Button.APPROVE):
        pressable.append(execute("Approve", Verb.APPROVE, about(card), style="positive"))
    if asks_for(card, Button.REJECT):
        pressable.append(_reject(card))
    if asks_for(card, Button.SETTLE_DONE):
        pressable.append(_settle(card, done=True))
    if asks_for(card, Button.SETTLE_NOT_DONE):
        pressable.append(_settle(card, done=False))
    if asks_for(card, Button.UNDO):
        pressable.append(execute("Undo…", Verb.UNDO, about(card)))
    return pressable


def _minor(card: Card, *, is_whole: bool) -> list[Element]:
    """Return the other buttons, and what is said of those that decide."""
    pressable = _more(card)
    must_read = _must_read(card, is_whole=is_whole)
    if asks_for(card, Button.FULL_VIEW) and not must_read:
        pressable.insert(0, execute("Full details", Verb.FULL_VIEW, about(card)))
    above = [ours(chat_words.READ_ON, weight="Bolder")] if must_read else []
    return [*minor(pressable), *above]


def _reject(card: Card) -> Element:
    note = text_input(
        "Why not? The agent is told this.", Key.NOTE, at_most=limits.NOTE, placeholder="Optional"
    )
    press = execute("Reject it", Verb.REJECT, about(card), style="destructive")
    return show_card("Reject…", [note], [press])


def _settle(card: Card, *, done: bool) -> Element:
    verb = Verb.SETTLE_DONE if done else Verb.SETTLE_NOT_DONE
    found = "It did" if done else "It did not"
    note = text_input(
        "How did you find out?",
        Key.NOTE_DONE if done else Key.NOTE_NOT_DONE,
        at_most=limits.NOTE,
        missing="Say how you found out.",
    )
    says = ours(f"{words.FOUND_DONE if done else words.FOUND_NOT_DONE} {words.SETTLED_BY_YOU}")
    return show_card(f"{found}…", [says, note], [execute("Record it", verb, about(card))])


def _more(card: Card) -> list[Element]:
    more = []
    if asks_for(card, Button.STOP_AGENT):
        more.append(execute("Stop this agent…", Verb.STOP_AGENT, about(card)))
    if asks_for(card, Button.NOT_MINE):
        more.append(execute("Not mine…", Verb.NOT_MINE, about(card)))
    return more
