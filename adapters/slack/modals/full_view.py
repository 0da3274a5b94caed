"""The whole action in its exact text, one page after another."""

from adapters.slack import limits
from adapters.slack.blocks import (
    Element,
    actions,
    box,
    button,
    context,
    label,
    modal,
    plain,
    remark,
    rich,
    section,
)
from adapters.slack.card import approve, is_cut_around
from adapters.slack.fit import inert, pages
from adapters.slack.pressable import ActionId, Callback
from bot.core import chat_words
from bot.core.about import About, spell, value_of
from bot.core.card import Button, Card, FullViewPage
from bot.core.words import CLAIMED, asks_for

#: Blocks of this name, and nothing else, hold the exact text of the action.
EXACT_BLOCK = "exact-"


def full_view_modal(card: Card, page: FullViewPage, *, part: int) -> Element:
    """Return one part of *page* of the whole action, in its exact text.

    Part 0 of the first page is what the card had to cut around the action. At the end of the
    last part, who may approve can do so: they were shown everything.
    """
    parts = pages(page.text)
    number = min(max(part, first_part(card, page)), len(parts))
    prefix = value_of(card).rpartition(".")[2]
    about = spell(
        About(proposal=card.proposal, digest_prefix=prefix, page=page.number, part=number)
    )
    if number == 0:
        blocks = _front(card)
    else:
        blocks = [context(plain(f"{chat_words.EXACT} {_position(page, number, len(parts))}"))]
        for index, text in enumerate(parts[number - 1]):
            blocks.append({**rich([box(text)]), "block_id": f"{EXACT_BLOCK}{index}"})
    is_end = is_last_part(page, number)
    turns = []
    if page.number > 1 or number > first_part(card, page):
        turns.append(button("Previous page", ActionId.PAGE_BACK, value=about))
    if not is_end:
        turns.append(button("Next page", ActionId.PAGE_ON, value=about, style="primary"))
    else:
        blocks.append(section(plain(chat_words.THE_END)))
        if asks_for(card, Button.APPROVE):
            turns.append(approve(card))
    if turns:
        blocks.append(actions(*turns))
    blocks.append(context(plain(f"Fingerprint {card.fingerprint}")))
    return modal("Full details", blocks, callback=Callback.SHOWN, metadata=about)


def first_part(card: Card, page: FullViewPage) -> int:
    """Return the number of the first part of *page*."""
    return 0 if page.number == 1 and is_cut_around(card) else 1


def parts_of(page: FullViewPage) -> int:
    """Return the number of the last part of *page*."""
    return len(pages(page.text))


def is_last_part(page: FullViewPage, part: int) -> bool:
    """Return whether *part* of *page* ends the whole action."""
    return page.is_last and part >= parts_of(page)


def _front(card: Card) -> list[Element]:
    said = card.rationale
    read = "\n".join(source.ref for source in said.read)
    around = {
        "Who will see it": card.audience.who,
        "What happens": card.effect,
        "Where": card.target,
        "Can it be undone?": card.reversible,
    }
    claims = {"Why": said.why, "What it expects": said.expects, "What it says it read": read}
    parts = [label(CLAIMED)]
    for over, text in claims.items():
        if text:
            parts += [remark(over), box(_long(text))]
    return [
        rich([part for over, text in around.items() for part in (label(over), box(_long(text)))]),
        *([rich(parts)] if len(parts) > 1 else []),
        context(plain("The next page begins with the action itself.")),
    ]


def _long(text: str) -> str:
    return inert(text, at_most=limits.FRONT_TEXT, lines=limits.ACTION_LINES).shown


def _position(page: FullViewPage, part: int, parts: int) -> str:
    if page.count == 1:
        return f"Page {part} of {parts}."
    return f"Page {page.number} of {page.count}, part {part} of {parts}."
