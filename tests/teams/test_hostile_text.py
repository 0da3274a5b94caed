"""Teams draws cards of which no text becomes more than text."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, ClassVar

import pytest

from adapters.teams.asking import (
    ask_channel,
    ask_link,
    ask_not_mine,
    ask_resume,
    ask_stop,
    ask_stop_this,
    ask_undo,
)
from adapters.teams.card import render_card, render_fallback
from adapters.teams.elements import Message
from adapters.teams.lists import (
    render_agents,
    render_channels,
    render_halts,
    render_pending,
    render_stoppable,
    render_who,
)
from adapters.teams.notice import render_notice
from adapters.teams.testing.limits import check_activity, elements_of, texts_of
from adapters.teams.text import as_shown
from adapters.teams.told_card import render_full_view, render_told
from bot.core.card import Card
from bot.core.proposal import Source
from bot.core.states import State
from bot.core.told import NOT_RECORDED, Told
from bot.core.untrusted import Untrusted, show
from bot.testing.hostile import MORE_HOSTILE
from bot.testing.proposals import NOW
from tests.chats.full_cards import an_outcome, full_of
from tests.chats.hostile_text import Drawing, HostileTextConformance
from tests.teams.rendering.scenes import (
    CHANNEL,
    MRI,
    WEB,
    a_halt,
    a_notice,
    a_route,
    a_teams_day,
    agents,
    an_inbox,
    an_offer,
)
from tests.web.scenes import DANA

DAY = a_teams_day()
_BLANK = "…"
#: Where clients read Markdown, HTML or dates, or which they show in a notification.
_READ_AS_MORE = frozenset(
    {"text", "title", "label", "placeholder", "errorMessage", "fallbackText", "summary", "altText"}
)
_LINKS = ("url", "iconUrl", "backgroundImage")


def skeleton(value: Any) -> Any:
    """Return *value* without the text of runs, in which clients interpret nothing.

    Runs that look alike and stand side by side are one text.
    """
    if isinstance(value, list):
        return [skeleton(member) for member in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "RichTextBlock":
        runs = [{**run, "text": _BLANK} for run in value["inlines"]]
        return {**value, "inlines": [run for run, _ in groupby(runs)]}
    return {key: skeleton(member) for key, member in value.items()}


def strings_of(value: Any, names: frozenset[str] | tuple[str, ...]) -> Iterator[str]:
    """Yield every text that has one of *names*, in whatever."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name in names and isinstance(member, str):
                yield member
            yield from strings_of(member, names)
    elif isinstance(value, list):
        for member in value:
            yield from strings_of(member, names)


def sent_for(card: Card, text: str) -> Mapping[str, Message]:
    """Return every message that can show *text*, of which *card* is full."""
    many = replace(card, rationale=replace(card.rationale, read=(Source(ref=text),) * 9))
    entries = [replace(one, name=text, purpose=text, owner_name=text) for one in agents()]
    halt = replace(a_halt(), reason=text)
    inbox = replace(an_inbox(), waiting=[card], waiting_total=1)
    offer = replace(an_offer(card), effect=Untrusted(text), target=Untrusted(text))
    channel = replace(CHANNEL, name=text, team_name=text)
    route = replace(a_route(), agents=(text,), verbs=(text,), place_name=text)
    return {
        "card": render_card(card, mri=MRI),
        "told": render_card(card, mri=MRI, told=Told(NOT_RECORDED, text)),
        "many sources": render_card(many),
        "fallback": render_fallback(card, web_url=WEB),
        "full view": render_full_view(card, f"{WEB}/view/x", until=NOW),
        "answer": render_told(Told(NOT_RECORDED, text)),
        "undo": ask_undo(card, offer),
        "not mine": ask_not_mine(card),
        "stop this": ask_stop_this(card, may_stop_for_all=True, may_stop_all=True),
        "stop": ask_stop(entries[0].id, text, is_for_reader=False),
        "resume": ask_resume(halt, text),
        "link": ask_link(text, "7KQM3TXW9HPD"),
        "channel": ask_channel(channel),
        "pending": render_pending(inbox, web_url=WEB),
        "agents": render_agents(entries, is_admin=True, web_url=WEB),
        "stoppable": render_stoppable(entries, is_admin=False, web_url=WEB),
        "halts": render_halts([halt], entries, reader=DANA.id, web_url=WEB),
        "channels": render_channels([route], web_url=WEB),
        "who": render_who(replace(DANA, display_name=text)),
        "notice": render_notice(replace(a_notice(), lines=(text, text))),
    }


@dataclass(frozen=True, slots=True)
class TeamsDrawing:
    """Implements :class:`tests.chats.hostile_text.Drawing`."""

    short_chars = 60
    long_words = frozenset({"N of N characters shown. The rest is in the full details."})
    acted_on: tuple[Callable[[str], Any], ...] = (
        lambda text: {"type": "TextBlock", "text": text},
        lambda text: {"type": "Fact", "title": "x", "value": text},
        lambda text: {"type": "Action.OpenUrl", "title": "x", "url": text},
        lambda text: {"type": "RichTextBlock", "inlines": [], "style": text},
        lambda text: [{"type": "Container"}] * (1 + text.count("<")),
    )

    def card(self, name: str, text: str) -> Card:
        card = full_of(DAY.card(name), text)
        return card if card.state is State.PENDING else replace(card, outcome=an_outcome())

    def message(self, card: Card) -> Any:
        return render_card(card, mri=MRI).activity()

    def all_for(self, card: Card, text: str) -> Mapping[str, Any]:
        return {name: message.activity() for name, message in sent_for(card, text).items()}

    def notification(self, card: Card) -> str:
        return render_card(card, mri=MRI).summary

    def skeleton(self, drawn: Any) -> Any:
        return skeleton(drawn)

    def require_taken(self, drawn: Any) -> None:
        check_activity(drawn)

    def spelled(self, text: str) -> str:
        # Some clients leave out line breaks at either end.
        return re.sub(r"\A\n\n|\n\n\Z", "⟨2 line breaks⟩", show(Untrusted(text)))

    def text_of(self, drawn: Any) -> str:
        return as_shown("\n".join(texts_of(drawn["attachments"][0]["content"])))

    def ours_in(self, drawn: Any) -> list[str]:
        found = strings_of(skeleton(drawn), _READ_AS_MORE)
        return [words for words in found if words != _BLANK]


class TestTeams(HostileTextConformance):
    drawing: ClassVar[Drawing] = TeamsDrawing()


@pytest.mark.parametrize("text", MORE_HOSTILE)
def test_no_address_comes_from_a_text_and_no_run_is_expanded(text: str) -> None:
    for name, message in sent_for(TeamsDrawing().card("forum", text), text).items():
        activity = message.activity()
        addresses = list(strings_of(activity, _LINKS))
        assert [one for one in addresses if not one.startswith(f"{WEB}/")] == [], name
        elements = list(elements_of(message.card))
        assert {e["type"] for e in elements} & {"Image", "ImageSet", "Media"} == set(), name
        runs = [e["text"] for e in elements if e["type"] == "TextRun"]
        assert [run for run in runs if "{{" in run] == [], name
        assert all("selectAction" not in element for element in elements), name
        if "evil.example" in text:
            ours = [*strings_of(skeleton(activity), _READ_AS_MORE), *addresses]
            assert [words for words in ours if "evil.example" in words] == [], name
