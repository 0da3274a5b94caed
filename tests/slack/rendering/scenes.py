"""Every card, modal and Home that people see in Slack, by name, always the same."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from adapters.slack.blocks import Message
from adapters.slack.card import render_card, render_fallback
from adapters.slack.home import Home, render_closed_home, render_home
from adapters.slack.limits import CARD_CHARS
from adapters.slack.modals import (
    card_modal,
    channels_modal,
    full_view_modal,
    help_blocks,
    link_modal,
    not_mine_modal,
    opening_modal,
    reject_modal,
    resume_modal,
    settle_modal,
    stop_modal,
    stop_this_modal,
    told_modal,
    undo_modal,
)
from adapters.slack.words import HOW_TO_LINK
from bot.core.actors import OPERATOR
from bot.core.card import Card, full_view
from bot.core.halts import Halt, HaltScope, HaltTarget
from bot.core.ids import halt_id
from bot.core.notice import NoticeRoute, Topic
from bot.core.proposal import Outcome, Rationale, Result, Source
from bot.core.states import State
from bot.core.told import NOT_RECORDED
from bot.core.verbs import Audience, Reach
from bot.ports.desk import AgentEntry, Inbox, UndoOffer
from bot.testing.clock import ManualClock
from bot.testing.desk import MemoryDesk
from bot.testing.proposals import NOW
from tests.web.scenes import CLERK, DANA, FORUM, KEEPER, MIRA, a_day

WEB: Final = "https://keyturn.example.org"

_LATER = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Day:
    desk: MemoryDesk
    names: Mapping[str, Any]

    def card(self, name: str, *, reader: Any = DANA.id) -> Card:
        return self.desk.card_for(reader, self.names[name], max_chars=CARD_CHARS)


def a_slack_day() -> Day:
    """Return the day of the web inbox's pictures, and one proposal in each state that it lacks."""
    desk, names = a_day(ManualClock())
    forum = desk.proposals[names["forum"]]
    told = {
        State.APPROVED: {"use_by": NOW + timedelta(minutes=15)},
        State.EXECUTING: {},
        State.RELEASED: {},
        State.REDEEMED: {},
        State.DENIED: {"approval": None, "reason": "Forum posts are closed on Sundays."},
        State.WITHDRAWN: {"reason": "The question was answered meanwhile."},
        State.SUPERSEDED: {},
        State.REJECTED: {"reason": "The wiki page is two years old."},
    }
    for state, changes in told.items():
        moved = replace(forum, state=state, changed_at=NOW + _LATER, **changes)
        number = list(told).index(state)
        moved = replace(moved, id=type(moved.id)(f"{moved.id[:-2]}{50 + number}"))
        names[f"state-{state}"] = moved.id
        desk.hold(moved)
    wordy = replace(
        forum,
        id=type(forum.id)(f"{forum.id[:-2]}zz"),
        rationale=Rationale(
            why="Because the thread asks for it. " * 40,
            expects="That everybody reads it. " * 30,
            read=tuple(Source(ref=f"wiki:page/{n}") for n in range(12)),
        ),
    )
    names["wordy"] = wordy.id
    desk.hold(wordy)
    settled = desk.proposals[names["doubt"]]
    settled = replace(
        settled,
        id=type(forum.id)(f"{forum.id[:-2]}yy"),
        state=State.FAILED,
        outcome=Outcome(
            result=Result.FAILED,
            reason="settled",
            detail="A person looked: it did not happen.",
            settled_by=DANA.id,
            at=NOW + _LATER,
        ),
    )
    names["settled"] = settled.id
    desk.hold(settled)
    return Day(desk, names)


def messages() -> Iterator[tuple[str, Message]]:
    day = a_slack_day()
    for name in sorted(day.names):
        name_of = "undoing" if name == "undo" else name
        yield f"card-{name_of}", render_card(day.card(name), web_url=WEB)
    waiting = replace(day.desk.proposals[day.names["undo"]], state=State.PENDING, outcome=None)
    day.desk.hold(waiting)
    yield "card-undo-asked", render_card(day.card("undo"), web_url=WEB)
    yield "card-without-web-inbox", render_card(day.card("forum"), web_url=None)
    yield "card-for-a-colleague", render_card(_of_another(day), web_url=WEB)
    yield "card-of-who-approved", render_card(day.card("access", reader=MIRA.id), web_url=WEB)
    yield "fallback", render_fallback(day.card("forum"), web_url=WEB)
    yield "fallback-done", render_fallback(day.card("done"))


def _of_another(day: Day) -> Card:
    """Return the card of somebody who has nothing to decide here any more."""
    asked = day.card("access", reader=MIRA.id)
    return replace(asked, buttons=(), is_approved_by_reader=False)


def views() -> Iterator[tuple[str, Mapping[str, Any]]]:
    day = a_slack_day()
    forum, doubt, long = day.card("forum"), day.card("doubt"), day.card("long")
    recent, wordy, hostile = day.card("recent"), day.card("wordy"), day.card("hostile")
    yield "modal-opening", opening_modal("Full details")
    yield "modal-told", told_modal(NOT_RECORDED, "This decision is not yours to make.")
    yield "modal-card", card_modal(forum, web_url=WEB)
    yield "modal-reject", reject_modal(forum)
    yield "modal-not-mine", not_mine_modal(forum)
    yield "modal-settle-done", settle_modal(doubt, done=True)
    yield "modal-settle-not-done", settle_modal(doubt, done=False)
    yield "modal-undo", undo_modal(recent, an_offer(recent))
    long_page = full_view(day.desk.proposals[long.proposal], page=1)
    read = replace(long, approve_needs_full_view=False)
    yield "modal-full-first", full_view_modal(long, replace(long_page, count=3), part=1)
    yield "modal-full-last", full_view_modal(read, long_page, part=99)
    wordy_page = full_view(day.desk.proposals[wordy.proposal], page=1)
    yield "modal-full-front", full_view_modal(wordy, wordy_page, part=0)
    page = full_view(day.desk.proposals[hostile.proposal], page=1)
    yield "modal-full-hostile", full_view_modal(hostile, page, part=1)
    yield "modal-stop-this", stop_this_modal(forum, may_stop_for_all=True, may_stop_all=True)
    yield "modal-stop", stop_modal(agents(), may_stop_all=True)
    yield "modal-stop-one", stop_modal(agents(), may_stop_all=False, chosen=FORUM.id)
    yield "modal-stop-none", stop_modal([], may_stop_all=False)
    yield "modal-resume", resume_modal([a_halt()], agents(), reader=DANA.id)
    yield "modal-resume-none", resume_modal([], agents(), reader=DANA.id)
    yield "modal-link", link_modal("Dana Okafor", "7KQM3TXW9HPD")
    yield "modal-channels", channels_modal(chosen="C012AB3CD")
    yield "home-admin", render_home(a_home())
    yield "home-empty", render_home(an_empty_home())
    yield "home-crowded", render_home(a_crowded_home())
    yield "home-stranger", render_closed_home(HOW_TO_LINK)


def answers() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    yield "answer-help", help_blocks("That is not known here.")


def an_offer(card: Card) -> UndoOffer:
    return UndoOffer(
        audience=Audience(reach=Reach.PUBLIC, who="Everyone who had the answer before them"),
        effect="Take the answer back from the forum eng-help",
        target=card.target,
        until=NOW + timedelta(minutes=11),
    )


def a_halt(number: int = 7) -> Halt:
    return Halt(
        id=halt_id(bytes([number]) * 16),
        target=HaltTarget(scope=HaltScope.AGENT_FOR_PRINCIPAL, agent=KEEPER.id, principal=DANA.id),
        set_by=OPERATOR,
        set_at=NOW - timedelta(minutes=17),
        reason="It deleted before anybody confirmed. Looking into it.",
    )


def agents() -> list[AgentEntry]:
    return [
        AgentEntry(
            id=agent.id,
            name=agent.name,
            purpose=agent.purpose,
            owner_name=owner,
            active=True,
            acts_for_reader=agent is not CLERK,
            pending=pending,
            halts=[a_halt()] if agent is KEEPER else [],
            may_stop=HaltTarget(scope=HaltScope.AGENT, agent=agent.id),
        )
        for agent, owner, pending in (
            (CLERK, "Sam Castillo", 0),
            (FORUM, "Dana Okafor", 1),
            (KEEPER, "Dana Okafor", 2),
        )
    ]


def a_home() -> Home:
    day = a_slack_day()
    cards = [day.card(name) for name in day.names]
    waiting = [card for card in cards if card.state in {State.PENDING, State.IN_DOUBT}]
    decided = [card for card in cards if card not in waiting]
    decided.sort(key=lambda card: card.changed_at, reverse=True)
    route = NoticeRoute(
        id="rte_1",
        chat="slack",
        place="C012AB3CD",
        place_name="channel C012AB3CD",
        topics=frozenset({Topic.HALT, Topic.IN_DOUBT}),
        verbs=("mail.*",),
        set_by=DANA.id,
        set_at=NOW,
    )
    return Home(
        person=DANA,
        inbox=Inbox(
            waiting=waiting[:5],
            decided=decided[:6],
            halts=[a_halt()],
            waiting_total=len(waiting[:5]),
        ),
        agents=agents(),
        halts=[a_halt()],
        routes=[route],
        now=NOW,
        web_url=WEB,
    )


def an_empty_home() -> Home:
    return Home(
        person=MIRA,
        inbox=Inbox(waiting=[], decided=[], halts=[], waiting_total=0),
        agents=[],
        halts=[],
        routes=None,
        now=NOW,
    )


def a_crowded_home(change: Callable[[Card], Card] = lambda card: card) -> Home:
    """Return a Home on which more of everything waits than can be shown."""
    home = a_home()
    waiting, decided = change(home.inbox.waiting[0]), change(home.inbox.decided[0])
    return replace(
        home,
        inbox=Inbox(waiting=[waiting] * 50, decided=[decided] * 50, halts=[], waiting_total=1_234),
        agents=[*home.agents] * 13,
        halts=[a_halt(number) for number in range(20)],
        routes=list(home.routes or ()) * 30,
    )


DAY_CARD: Final = a_slack_day().card("forum")
