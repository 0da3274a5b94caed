"""What opens to tell something, and asks nothing."""

from adapters.slack import limits
from adapters.slack.blocks import Element, Ours, modal, mrkdwn, plain, section
from adapters.slack.card import card_blocks
from adapters.slack.fit import inert
from adapters.slack.pressable import COMMAND, Callback
from bot.core.about import value_of
from bot.core.card import Card
from bot.core.command import help_lines


def opening_modal(title: str) -> Element:
    """Return what stands there until its content is known: Slack waits three seconds only."""
    return modal(title, [section(plain("One moment…"))], callback=Callback.SHOWN)


def told_modal(title: str, message: str) -> Element:
    """Return *message*, which ends whatever was open."""
    view = modal(title, told_blocks(message), callback=Callback.SHOWN)
    return {**view, "clear_on_close": True}


def told_blocks(message: str) -> list[Element]:
    """Return what a person is told; *message* may repeat words of others."""
    return [section(plain(inert(message, at_most=limits.SECTION_TEXT).shown))]


def help_blocks(problem: str) -> list[Element]:
    """Return what can be typed; *problem*, our words, says first what was wrong."""
    lines = [f"`{COMMAND} {typed}` {does}" for typed, does in help_lines("Slack")]
    first = [section(plain(problem))] if problem else []
    return [*first, section(mrkdwn(Ours("\n".join(lines))))]


def card_modal(card: Card, *, web_url: str | None) -> Element:
    """Return the whole card over the Home: nobody decides by a line of a list."""
    return modal(
        "Keyturn",
        card_blocks(card, web_url=web_url),
        callback=Callback.SHOWN,
        metadata=value_of(card),
    )
