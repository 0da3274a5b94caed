"""The parts of a card from its top to its foot, without what can be pressed."""

from dataclasses import dataclass
from typing import Final

from adapters.teams import limits, words
from adapters.teams.elements import (
    Element,
    between,
    box,
    exact,
    heading,
    label,
    ours,
    quoted,
    said,
    title,
    when,
)
from adapters.teams.exactly import exactly
from adapters.teams.fit import ShownAction
from adapters.teams.limits import Room
from adapters.teams.text import inert
from bot.core import chat_words
from bot.core.card import Button, Card
from bot.core.proposal import Source
from bot.core.states import State
from bot.core.words import (
    CLAIMED,
    KIND,
    NOT_PINNED,
    asks_for,
    may_change_unseen,
    readers,
    rule,
    undo_label,
)

#: How a run is as quiet as a `label`.
_SMALL: Final = {"size": "Small", "isSubtle": True}


def sections(card: Card, opening: "Opening", action: ShownAction, room: Room) -> list[Element]:
    """Return all that is read on *card*: what happens first, and who claims what after it."""
    return [
        *_top(card, opening, room),
        *_result(card, room),
        *_undo(card),
        *_warnings(card),
        *exactly(card, action),
        *_hints(card),
        *_claim(card, room),
        *_people(card, room),
        *_small_print(card, room),
        *_look_first(card),
    ]


def subject(card: Card) -> list[Element]:
    """Return what *card* is about, over a question."""
    opening = opening_of(card, limits.ROOMS[0])
    return [
        quoted(said(opening.who, weight="Bolder")),
        quoted(said(opening.effect), spacing="Small"),
    ]


def name(text: str, *, at_most: int = limits.NAME) -> str:
    """Return a name that admins gave, on one line."""
    return inert(text, at_most=at_most, lines=1).shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    who: str
    effect: str
    target: str
    reversible: str
    is_whole: bool


def opening_of(card: Card, room: Room) -> Opening:
    """Return what stands at the top of *card*, as much of it as *room* allows."""
    who = inert(card.audience.who, at_most=room.of(limits.WHO))
    effect = inert(card.effect, at_most=room.of(limits.EFFECT))
    target = inert(card.target, at_most=room.of(limits.TARGET))
    reversible = inert(card.reversible, at_most=room.of(limits.REVERSIBLE))
    count = card.audience.readers
    return Opening(
        who=who.shown if count is None else f"{who.shown} ({readers(count)})",
        effect=effect.shown,
        target=target.shown,
        reversible=reversible.shown,
        is_whole=not any(text.missing for text in (who, effect, target, reversible)),
    )


def _top(card: Card, opening: Opening, room: Room) -> list[Element]:
    agent, principal = (
        name(text, at_most=room.of(limits.NAME)) for text in (card.agent_name, card.on_behalf_of)
    )
    asks = chat_words.asks(card, agent=agent, principal=principal)
    elements = [
        heading(chat_words.heading(card)),
        quoted(said(opening.who, weight="Bolder"), spacing="Small"),
        quoted(said(asks, size="Small", isSubtle=True), spacing="Small"),
        quoted(said(opening.effect), spacing="Medium"),
        label("Where"),
        quoted(exact(opening.target), spacing="None"),
        label("Can it be undone?", spacing="Small"),
        quoted(said(opening.reversible), spacing="None"),
    ]
    if card.state is State.PENDING and card.expires_at is not None:
        elements += [
            label("Decide before", spacing="Small"),
            ours(when(card.expires_at), spacing="None"),
        ]
    return elements


def _result(card: Card, room: Room) -> list[Element]:
    if card.state is State.PENDING:
        return []
    outcome = card.outcome
    status = inert(card.status, at_most=room.of(limits.STATUS)).shown
    elements = [
        title("What happened"),
        quoted(said(status), spacing="Small"),
        label(when(outcome.at if outcome else card.changed_at), spacing="None"),
    ]
    if outcome is not None and outcome.reference:
        reference = inert(outcome.reference, at_most=room.of(limits.REFERENCE)).shown
        elements += [label("Reference", spacing="Small"), quoted(exact(reference), spacing="None")]
    return elements


def _undo(card: Card) -> list[Element]:
    elements: list[Element] = []
    undone = undo_label(card)
    if undone is not None:
        elements.append(ours(f"{undone}. {words.UNDONE_ELSEWHERE}"))
    if asks_for(card, Button.UNDO) and card.undo_until is not None:
        elements.append(ours(f"You can undo this until {when(card.undo_until)}."))
    if card.undoes is not None:
        elements.append(label(words.TAKES_BACK))
    return elements


def _warnings(card: Card) -> list[Element]:
    if not card.warnings:
        return []
    lines = "\n".join(f"• {warning}" for warning in card.warnings)
    return [
        box(
            [ours("Be careful", weight="Bolder"), quoted([between(lines)], spacing="Small")],
            style="attention",
        )
    ]


def _hints(card: Card) -> list[Element]:
    hints = [NOT_PINNED] if may_change_unseen(card) else []
    if card.successor_of is not None:
        hints.append(words.REPLACES)
    return [label(hint, spacing="Small") for hint in hints]


def _claim(card: Card, room: Room) -> list[Element]:
    if card.undoes is not None:
        return []
    claims = card.rationale
    elements = [title(CLAIMED)]
    if claims.why:
        why = inert(claims.why, at_most=room.of(limits.WHY)).shown
        elements += [label("Why", spacing="Small"), quoted(exact(why), spacing="None")]
    if claims.expects:
        expects = inert(claims.expects, at_most=room.of(limits.EXPECTS)).shown
        elements += [
            label("What it expects", spacing="Small"),
            quoted(exact(expects), spacing="None"),
        ]
    if claims.read:
        elements.append(label("What it says it read", spacing="Small"))
        for source in claims.read[: limits.SOURCES]:
            elements += _source(source, room)
    left = len(claims.read) - limits.SOURCES
    if left > 0:
        elements.append(label(f"and {left:,} more, in the full details", spacing="None"))
    if len(elements) == 1:
        elements.append(label(words.NO_REASON, spacing="Small"))
    return elements


def _source(source: Source, room: Room) -> list[Element]:
    shown = exact(inert(source.ref, at_most=room.of(limits.SOURCE)).shown)
    if source.sha256 is None:
        return [quoted(shown, spacing="None")]
    checksum = name(source.sha256.removeprefix("sha256:"), at_most=room.of(limits.SOURCE))
    summed = [between("sha256 ", **_SMALL), *exact(checksum, **_SMALL)]
    return [quoted(shown, spacing="None"), quoted(summed, spacing="None")]


def _people(card: Card, room: Room) -> list[Element]:
    elements = [
        title("Who had done it" if card.undoes else "Agent"),
        quoted(said(name(card.agent_name, at_most=room.of(limits.NAME))), spacing="None"),
    ]
    if card.agent_purpose:
        purpose = inert(card.agent_purpose, at_most=room.of(limits.PURPOSE)).shown
        elements.append(quoted(said(purpose, **_SMALL), spacing="None"))
    decides = inert(rule(card), at_most=room.of(limits.RULE), lines=1).shown
    return [
        *elements,
        label("Who decides", spacing="Small"),
        quoted(said(decides), spacing="None"),
    ]


def _look_first(card: Card) -> list[Element]:
    if asks_for(card, Button.SETTLE_DONE) or asks_for(card, Button.SETTLE_NOT_DONE):
        return [ours(words.LOOK_FIRST)]
    return []


def _small_print(card: Card, room: Room) -> list[Element]:
    technical = [
        *said(name(card.verb, at_most=room.of(limits.TECHNICAL)), **_SMALL),
        between(f" ({KIND[card.kind]}), connector ", **_SMALL),
        *said(name(card.connector, at_most=room.of(limits.TECHNICAL)), **_SMALL),
    ]
    times = f"Proposed {when(card.created_at)}"
    if card.state is State.APPROVED and card.use_by is not None:
        times = f"{times}. To be carried out before {when(card.use_by)}"
    return [
        label(f"Fingerprint {card.fingerprint}", separator=True, spacing="Medium"),
        quoted(technical, spacing="None"),
        label(times, spacing="None"),
        label(str(card.proposal), spacing="None"),
    ]
