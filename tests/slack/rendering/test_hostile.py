"""Slack draws cards of which no text becomes more than text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from adapters.slack.card import render_card
from adapters.slack.home import render_home
from adapters.slack.modals import (
    card_modal,
    full_view_modal,
    link_modal,
    not_mine_modal,
    reject_modal,
    resume_modal,
    route_blocks,
    settle_modal,
    stop_modal,
    stop_this_modal,
    told_modal,
    undo_modal,
)
from bot.core.card import Card, FullViewPage
from bot.core.proposal import Source
from bot.core.states import State
from bot.core.untrusted import Untrusted, show
from tests.chats.full_cards import an_outcome, full_of
from tests.chats.hostile_text import Drawing, HostileTextConformance
from tests.slack.rendering.reading import all_text, check, elements, skeleton
from tests.slack.rendering.scenes import (
    WEB,
    a_halt,
    a_home,
    a_slack_day,
    agents,
    an_offer,
)

DAY = a_slack_day()
INERT = frozenset({"plain_text", "rich_text_preformatted"})


def sent_for(card: Card, text: str) -> Mapping[str, Any]:
    """Return everything that can show *text*, of which *card* is full."""
    message = render_card(card, web_url=WEB)
    many = replace(card, rationale=replace(card.rationale, read=(Source(ref=text),) * 9))
    page = FullViewPage(text=show(Untrusted(f'{{"body":"{text}"}}')), number=1, count=1)
    entries = [replace(one, name=text, purpose=text, owner_name=text) for one in agents()]
    halt = replace(a_halt(), reason=text)
    home = a_home()
    inbox = replace(home.inbox, waiting=[card], decided=[card])
    offer = replace(an_offer(card), effect=Untrusted(text), target=Untrusted(text))
    route = replace((a_home().routes or ())[0], agents=(text,), verbs=(text,), place_name=text)
    return {
        "message": {"text": message.text, "blocks": message.blocks},
        "card": card_modal(card, web_url=WEB),
        "reject": reject_modal(card),
        "not mine": not_mine_modal(card),
        "settle": settle_modal(card, done=True),
        "undo": undo_modal(card, offer),
        "full view": full_view_modal(many, page, part=1),
        "front": full_view_modal(many, page, part=0),
        "stop this": stop_this_modal(card, may_stop_for_all=True, may_stop_all=True),
        "stop": stop_modal(entries, may_stop_all=True),
        "resume": resume_modal([halt], entries, reader=card.on_behalf_of),
        "link": link_modal(text or "?", "7KQM3TXW9HPD"),
        "told": told_modal("Not recorded", text),
        "route": {"blocks": route_blocks(route)},
        "home": render_home(
            replace(
                home,
                inbox=inbox,
                person=replace(home.person, display_name=text),
                agents=entries,
                halts=[halt],
                routes=[route],
            )
        ),
    }


def ours_in(blocks: Any) -> list[str]:
    """Return every text in which Slack may see more than text."""
    texts = [
        one["text"]
        for one in elements(skeleton(blocks))
        if one.get("type") not in INERT and isinstance(one.get("text"), str)
    ]
    return [words for words in texts if words != "…"]


@dataclass(frozen=True, slots=True)
class SlackDrawing:
    """Implements :class:`tests.chats.hostile_text.Drawing`."""

    short_chars = 90
    long_words = frozenset({"*N of N characters shown.* The rest is in the full details."})
    acted_on: tuple[Callable[[str], Any], ...] = (
        lambda text: {"type": "mrkdwn", "text": text, "verbatim": True},
        lambda text: {"type": "plain_text", "text": "x", "emoji": "<" in text},
        lambda text: {"type": "button", "url": text},
        lambda text: [{"type": "divider"}] * (1 + text.count("<")),
    )

    def card(self, name: str, text: str) -> Card:
        card = full_of(DAY.card(name), text)
        return card if card.state is State.PENDING else replace(card, outcome=an_outcome())

    def message(self, card: Card) -> Any:
        return render_card(card, web_url=WEB).blocks

    def all_for(self, card: Card, text: str) -> Mapping[str, Any]:
        return sent_for(card, text)

    def notification(self, card: Card) -> str:
        return render_card(card, web_url=WEB).text

    def skeleton(self, drawn: Any) -> Any:
        return skeleton(drawn)

    def require_taken(self, drawn: Any) -> None:
        check(drawn)

    def spelled(self, text: str) -> str:
        return show(Untrusted(text))

    def text_of(self, drawn: Any) -> str:
        return all_text(drawn)

    def ours_in(self, drawn: Any) -> list[str]:
        return ours_in(drawn)


class TestSlack(HostileTextConformance):
    drawing: ClassVar[Drawing] = SlackDrawing()
