"""Every card that people see in Teams, by name, always the same."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from adapters.teams import words
from adapters.teams.asking import (
    ask_channel,
    ask_link,
    ask_not_mine,
    ask_resume,
    ask_stop,
    ask_stop_all,
    ask_stop_this,
    ask_undo,
)
from adapters.teams.card import render_card, render_fallback
from adapters.teams.elements import Message
from adapters.teams.inbound import Channel
from adapters.teams.limits import CARD_CHARS
from adapters.teams.lists import (
    render_agents,
    render_channels,
    render_halts,
    render_help,
    render_pending,
    render_stoppable,
    render_who,
)
from adapters.teams.notice import render_notice
from adapters.teams.told_card import render_full_view, render_told
from bot.core.about import value_of
from bot.core.actors import OPERATOR
from bot.core.card import Card
from bot.core.chat_words import STOPPED, WENT_WRONG
from bot.core.halts import Halt, HaltScope, HaltTarget
from bot.core.ids import halt_id
from bot.core.notice import Notice, NoticeRoute, Topic
from bot.core.proposal import Outcome, Rationale, Result, Source
from bot.core.states import State
from bot.core.told import NOT_RECORDED, NOT_RECORDED_YET, RECORDED, Told
from bot.core.verbs import Audience, Reach
from bot.ports.desk import AgentEntry, Inbox, UndoOffer
from bot.testing.clock import ManualClock
from bot.testing.desk import MemoryDesk
from bot.testing.proposals import NOW
from tests.web.scenes import CLERK, DANA, FORUM, KEEPER, MIRA, a_day

WEB: Final = "https://keyturn.example.org"
MRI: Final = "29:1bSnHZ7Js2STWrgk6ScEErLk1Lp2zQuD5H2qQ8dZ0"
CHANNEL: Final = Channel(
    tenant="11111111-2222-4333-8444-555555555555",
    id="19:4a95f7d8db4c4e7fae857bcebe0623e6@thread.tacv2",
    name="Approvals",
    team_name="Platform",
)

_LATER = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Day:
    desk: MemoryDesk
    names: Mapping[str, Any]

    def card(self, name: str, *, reader: Any = DANA.id) -> Card:
        return self.desk.card_for(reader, self.names[name], max_chars=CARD_CHARS)


def a_teams_day() -> Day:
    """Return the day of the web inbox's pictures, and one proposal in each state that it lacks."""
    desk, names = a_day(ManualClock())
    forum = desk.proposals[names["forum"]]
    told: dict[State, dict[str, Any]] = {
        State.APPROVED: {"use_by": NOW + timedelta(minutes=15)},
        State.EXECUTING: {},
        State.RELEASED: {},
        State.REDEEMED: {},
        State.DENIED: {"approval": None, "reason": "Forum posts are closed on Sundays."},
        State.WITHDRAWN: {"reason": "The question was answered meanwhile."},
        State.SUPERSEDED: {},
        State.REJECTED: {"reason": "The wiki page is two years old."},
    }
    for number, (state, changes) in enumerate(told.items()):
        moved = replace(forum, state=state, changed_at=NOW + _LATER, **changes)
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
    settled = replace(
        desk.proposals[names["doubt"]],
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
    """Yield every message by name."""
    yield from _cards()
    yield from _answers()
    yield from _lists()
    yield "notice", render_notice(a_notice())
    yield "notice-long", render_notice(replace(a_notice(), lines=a_notice().lines * 9))


def _cards() -> Iterator[tuple[str, Message]]:
    day = a_teams_day()
    for name in sorted(day.names):
        name_of = "undoing" if name == "undo" else name
        yield f"card-{name_of}", render_card(day.card(name), mri=MRI)
    waiting = replace(day.desk.proposals[day.names["undo"]], state=State.PENDING, outcome=None)
    day.desk.hold(waiting)
    yield "card-undo-asked", render_card(day.card("undo"), mri=MRI)
    yield "card-without-mri", render_card(day.card("forum"))
    yield "card-for-a-colleague", render_card(_of_another(day), mri=MRI)
    yield "card-of-who-approved", render_card(day.card("access", reader=MIRA.id), mri=MRI)
    read = replace(day.card("long"), approve_needs_full_view=False, is_viewed=True)
    yield "card-long-read", render_card(read, mri=MRI)
    forum = day.card("forum")
    not_yet = Told(NOT_RECORDED_YET, words.GOES_ON)
    yield "card-not-yet", render_card(forum, mri=MRI, told=not_yet)
    refused = Told(NOT_RECORDED, "Mira Lindqvist was first: this was rejected at 14:02.")
    yield "card-not-recorded", render_card(day.card("rejected"), mri=MRI, told=refused)
    yield "fallback", render_fallback(forum, web_url=WEB)
    yield "fallback-done", render_fallback(day.card("done"))


def _answers() -> Iterator[tuple[str, Message]]:
    day = a_teams_day()
    forum, recent, long = day.card("forum"), day.card("recent"), day.card("long")
    yield "told-recorded", render_told(Told(RECORDED, STOPPED))
    carried = {"about": value_of(forum)}
    wrong = Told(NOT_RECORDED_YET, WENT_WRONG)
    yield "told-look-again", render_told(wrong, look_again=carried, mri=MRI)
    until = NOW + timedelta(minutes=10)
    yield "full-view", render_full_view(forum, f"{WEB}/view/Hb3kQ9", until=until)
    yield "full-view-to-read", render_full_view(long, f"{WEB}/view/Hb3kQ9", until=until)
    yield "ask-undo", ask_undo(recent, an_offer(recent))
    yield "ask-not-mine", ask_not_mine(forum)
    yield "ask-stop-this", ask_stop_this(forum, may_stop_for_all=True, may_stop_all=True)
    yield "ask-stop-this-mine", ask_stop_this(forum, may_stop_for_all=False, may_stop_all=False)
    yield "ask-stop", ask_stop(FORUM.id, FORUM.name, is_for_reader=False)
    yield "ask-stop-all", ask_stop_all()
    yield "ask-resume", ask_resume(a_halt(), "inbox-keeper is stopped for you")
    yield "ask-link", ask_link("Dana Okafor", "7KQM3TXW9HPD")
    yield "ask-channel", ask_channel(CHANNEL)
    yield "ask-channel-unnamed", ask_channel(replace(CHANNEL, name="", team_name=""))


def _lists() -> Iterator[tuple[str, Message]]:
    inbox = an_inbox()
    yield "list-pending", render_pending(inbox, web_url=WEB)
    crowd = replace(inbox, waiting=[*inbox.waiting] * 12, waiting_total=1_234)
    yield "list-pending-crowded", render_pending(crowd, web_url=WEB)
    nothing = replace(inbox, waiting=[], waiting_total=0)
    yield "list-pending-none", render_pending(nothing, web_url=WEB)
    yield "list-agents", render_agents(agents(), is_admin=True, web_url=WEB)
    yield "list-agents-none", render_agents([], is_admin=False, web_url=WEB)
    yield "list-stop", render_stoppable(agents(), is_admin=False, web_url=WEB)
    yield "list-stop-none", render_stoppable([], is_admin=False, web_url=WEB)
    yield "list-resume", render_halts([a_halt()], agents(), reader=DANA.id, web_url=WEB)
    yield "list-resume-none", render_halts([], agents(), reader=DANA.id, web_url=WEB)
    yield "list-channels", render_channels([a_route()], web_url=WEB)
    yield "list-channels-none", render_channels([], web_url=WEB)
    yield "who", render_who(DANA)
    yield "help", render_help("That is not known here.")


def _of_another(day: Day) -> Card:
    """Return the card of somebody who has nothing to decide here any more."""
    asked = day.card("access", reader=MIRA.id)
    return replace(asked, buttons=(), is_approved_by_reader=False)


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


def a_route() -> NoticeRoute:
    return NoticeRoute(
        id="ntr_1",
        chat="teams",
        place=CHANNEL.place,
        place_name="Platform / Approvals",
        topics=frozenset({Topic.HALT, Topic.IN_DOUBT}),
        verbs=("mail.*",),
        set_by=DANA.id,
        set_at=NOW,
    )


def an_inbox() -> Inbox:
    day = a_teams_day()
    cards = [day.card(name) for name in day.names]
    waiting = [card for card in cards if card.state in {State.PENDING, State.IN_DOUBT}]
    return Inbox(
        waiting=waiting[:5],
        decided=[],
        halts=[a_halt()],
        waiting_total=len(waiting[:5]),
    )


def a_notice() -> Notice:
    return Notice(
        topic=Topic.IN_DOUBT,
        title="It is not known whether something happened",
        lines=(
            "A proposal of forum-analyst is in doubt since 10 minutes.",
            "Dana Okafor was asked to look.",
        ),
        at=NOW,
    )
