"""What opens over a card, to ask what a button cannot."""

from adapters.slack import limits
from adapters.slack.blocks import (
    Element,
    Ours,
    actions,
    bold,
    button,
    context,
    date,
    modal,
    mrkdwn,
    pairs,
    plain,
    section,
)
from adapters.slack.card import audience_line
from adapters.slack.fit import inert
from adapters.slack.modals.fields import note
from adapters.slack.pressable import ActionId, Callback
from bot.core import chat_words
from bot.core.about import value_of
from bot.core.card import Card
from bot.core.verbs import Audience
from bot.core.words import REACH, readers
from bot.ports.desk import UndoOffer


def reject_modal(card: Card) -> Element:
    return modal(
        "Reject",
        [
            *_subject(card),
            note("Why not? The agent is told this.", optional=True),
        ],
        callback=Callback.REJECT,
        metadata=value_of(card),
        submit="Reject it",
        close="Go back",
    )


def not_mine_modal(card: Card) -> Element:
    """Return the question before a person says that this was not theirs to be asked."""
    press = button("It is not mine", ActionId.NOT_MINE, value=value_of(card), style="danger")
    return modal(
        "Not mine",
        [*_subject(card), section(plain(chat_words.NOT_MINE_MEANS)), actions(press)],
        callback=Callback.SHOWN,
        metadata=value_of(card),
        close="Go back",
    )


def settle_modal(card: Card, *, done: bool) -> Element:
    """Return the question that settles a doubt; *done* says what the person found."""
    found = "It happened." if done else "It did not happen."
    return modal(
        "Say what you found",
        [
            *_subject(card),
            section(mrkdwn(Ours(f"You say: {bold(found)}"))),
            context(
                plain(
                    "Keyturn will not repeat it by itself. Your answer is recorded with your name."
                )
            ),
            note("How did you find out?", optional=False),
        ],
        callback=Callback.SETTLE_DONE if done else Callback.SETTLE_NOT_DONE,
        metadata=value_of(card),
        submit="Record it",
        close="Go back",
    )


def undo_modal(card: Card, offer: UndoOffer) -> Element:
    """Return what undoing *card* would do, and what it would take back."""
    effect = inert(offer.effect, at_most=limits.EFFECT).shown
    target = inert(offer.target, at_most=limits.TARGET).shown
    done = inert(card.effect, at_most=limits.EFFECT).shown
    return modal(
        "Undo",
        [
            section(plain(effect)),
            pairs(
                (mrkdwn(bold("Where")), plain(target)),
                (mrkdwn(bold("Who will see that")), plain(_audience(offer.audience))),
                (mrkdwn(bold("Time for it")), mrkdwn(Ours(f"until {date(offer.until)}"))),
                (mrkdwn(bold("What was done")), plain(done)),
                (mrkdwn(bold("Who sees it")), plain(_audience(card.audience))),
            ),
            note("Why? This is recorded with your name.", optional=True),
        ],
        callback=Callback.UNDO,
        metadata=value_of(card),
        submit="Undo it now",
        close="Go back",
    )


def _subject(card: Card) -> list[Element]:
    return [
        section(mrkdwn(bold(REACH[card.audience.reach]))),
        section(plain(audience_line(card))),
        section(plain(inert(card.effect, at_most=limits.EFFECT).shown)),
    ]


def _audience(audience: Audience) -> str:
    who = inert(audience.who, at_most=limits.WHO).shown
    count = "" if audience.readers is None else f" ({readers(audience.readers)})"
    return f"{REACH[audience.reach]}: {who}{count}"
