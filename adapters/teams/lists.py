"""What Keyturn answers to what people type: what waits, agents, stops, channels, who they are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from adapters.teams import limits, words
from adapters.teams.card import about
from adapters.teams.elements import (
    Element,
    Message,
    Ours,
    TooLarge,
    between,
    buttons,
    execute,
    heading,
    label,
    open_url,
    ours,
    quoted,
    said,
    when,
)
from adapters.teams.pressable import Key, Verb
from adapters.teams.sections import name
from adapters.teams.text import inert
from adapters.teams.told_card import answer
from bot.core.actors import Person
from bot.core.card import Card
from bot.core.chat_words import (
    HOW_TO_UNLINK,
    NO_AGENTS,
    NO_CHANNELS,
    NOTHING_STOPPED,
    NOTHING_WAITS,
)
from bot.core.halts import Halt, HaltScope
from bot.core.ids import AgentId
from bot.core.notice import NoticeRoute, Topic
from bot.core.states import State
from bot.core.words import REACH, stopped
from bot.ports.desk import AgentEntry, Inbox

T = TypeVar("T")

_TOPIC_NAMES: Final = {
    Topic.UNDELIVERABLE: "what reached nobody",
    Topic.HALT: "stops",
    Topic.IN_DOUBT: "doubts",
    Topic.NOT_MINE: "wrong people asked",
    Topic.DIGEST: "each day in numbers",
}
_SMALL: Final = {"size": "Small", "isSubtle": True}


def render_pending(inbox: Inbox, *, web_url: str | None) -> Message:
    """Return what waits for a person, each with the button that shows it whole."""
    total = inbox.waiting_total
    if not inbox.waiting:
        return answer([heading("Waiting for you"), ours(NOTHING_WAITS)], [])
    return _listed(f"Waiting for you ({total:,})", inbox.waiting, _row, total, web_url)


def render_agents(agents: Sequence[AgentEntry], *, is_admin: bool, web_url: str | None) -> Message:
    """Return the agents of a person, each with the button that stops it."""
    last = [execute("Stop every agent…", Verb.STOP, {}, style="destructive")] if is_admin else []
    over = "Agents" if is_admin else "My agents"
    if not agents:
        return answer([heading(over), ours(NO_AGENTS)], last)
    return _listed(over, agents, _agent, len(agents), web_url, last=last)


def render_stoppable(
    agents: Sequence[AgentEntry], *, is_admin: bool, web_url: str | None
) -> Message:
    """Return what a person may stop."""
    found = [entry for entry in agents if entry.may_stop is not None and entry.active]
    last = [execute("Stop every agent…", Verb.STOP, {}, style="destructive")] if is_admin else []
    if not found:
        return answer([heading("Stop"), ours(words.NOTHING_TO_STOP)], last)
    return _listed("What is to be stopped?", found, _agent, len(found), web_url, last=last)


def render_halts(
    halts: Sequence[Halt], agents: Sequence[AgentEntry], *, reader: str, web_url: str | None
) -> Message:
    """Return what is stopped, each with the button that ends that."""
    active = [halt for halt in halts if halt.is_active]
    if not active:
        return answer([heading("Resume"), ours(NOTHING_STOPPED)], [])
    names = {entry.id: entry.name for entry in agents}
    return _listed(
        "Stopped now", active, lambda halt: _halt(halt, names, reader), len(active), web_url
    )


def render_channels(routes: Sequence[NoticeRoute], *, web_url: str | None) -> Message:
    """Return which channels get notices, and how another one is set."""
    over = "Channels that get notices"
    if not routes:
        body = [heading(over), ours(NO_CHANNELS), ours(words.HOW_TO_SET_A_CHANNEL)]
        return answer(body, [])
    how = [ours(words.HOW_TO_SET_A_CHANNEL, spacing="Medium")]
    return _listed(over, routes, _route, len(routes), web_url, below=how)


def render_who(person: Person) -> Message:
    """Return which person an account is."""
    roles = ", ".join(sorted(person.roles)) or "none"
    return answer(
        [
            heading("Who you are here"),
            quoted(said(name(person.display_name), weight="Bolder")),
            quoted([between("Handle "), *said(name(person.handle))], spacing="None"),
            ours(f"Roles: {roles}", spacing="None"),
            label(HOW_TO_UNLINK, spacing="Medium"),
        ],
        [],
    )


def render_help(problem: str = "") -> Message:
    """Return what can be typed; *problem*, our words, says first what was wrong."""
    first = [ours(problem, color="Attention")] if problem else []
    lines: list[Element] = []
    for typed, does in words.HELP:
        lines += [
            quoted([between(typed, fontType="Monospace", weight="Bolder")], spacing="Small"),
            label(does, spacing="None"),
        ]
    return answer([heading("What you can write here"), *first, *lines], [])


def _listed(
    over: str,
    items: Sequence[T],
    row: Callable[[T], list[Element]],
    total: int,
    web_url: str | None,
    *,
    below: Sequence[Element] = (),
    last: Sequence[Element] = (),
) -> Message:
    """Return as many *items* as fit, and say how many there are besides."""
    for count in range(min(len(items), limits.LISTED), -1, -1):
        body = [heading(over)]
        for item in items[:count]:
            first, *rest = row(item)
            body += [{**first, "separator": True, "spacing": "Medium"}, *rest]
        left = total - count
        actions = list(last)
        if left > 0:
            body.append(label(f"and {left:,} more", spacing="Medium"))
            if web_url is not None:
                actions.append(open_url("See them all in the web inbox", web_url))
        try:
            return answer([*body, *below], actions)
        except TooLarge:
            if not count:
                raise
    raise AssertionError("no list is that long")


def _row(card: Card) -> list[Element]:
    effect = inert(card.effect, at_most=limits.ROW_TEXT, lines=1).shown
    agent, who = name(card.agent_name), name(card.audience.who)
    looks = [label("In doubt: please look", weight="Bolder", spacing="None")]
    elements = [
        quoted(said(effect)),
        *(looks if card.state is State.IN_DOUBT else []),
        quoted(
            [
                between(f"{REACH[card.audience.reach]}: ", **_SMALL, weight="Bolder"),
                *said(who, **_SMALL),
            ],
            spacing="None",
        ),
        quoted([between("By ", **_SMALL), *said(agent, **_SMALL)], spacing="None"),
    ]
    if card.state is State.PENDING and card.expires_at is not None:
        elements.append(label(Ours(f"Decide before {when(card.expires_at)}"), spacing="None"))
    return [*elements, buttons(execute("Open", Verb.OPEN, about(card)))]


def _agent(entry: AgentEntry) -> list[Element]:
    owner = [between("Owner ", **_SMALL), *said(name(entry.owner_name), **_SMALL)]
    elements = [quoted(said(name(entry.name), weight="Bolder"))]
    if any(halt.is_active for halt in entry.halts):
        elements.append(label("Stopped", weight="Bolder", color="Attention", spacing="None"))
    elif not entry.active:
        elements.append(label("Not active", weight="Bolder", spacing="None"))
    if entry.purpose:
        purpose = inert(entry.purpose, at_most=limits.PURPOSE, lines=1).shown
        elements.append(quoted(said(purpose, **_SMALL), spacing="None"))
    elements.append(quoted(owner, spacing="None"))
    if entry.pending:
        waits = "1 waits for you" if entry.pending == 1 else f"{entry.pending:,} wait for you"
        elements.append(label(waits, spacing="None"))
    if entry.may_stop is not None and entry.active:
        whom = entry.may_stop.scope is HaltScope.AGENT_FOR_PRINCIPAL
        press = "Stop it for you…" if whom else "Stop it…"
        elements.append(buttons(execute(press, Verb.STOP_AGENT, {Key.AGENT.value: str(entry.id)})))
    return elements


def _halt(halt: Halt, names: Mapping[AgentId, str], reader: str) -> list[Element]:
    what = inert(stopped(halt.target, names, reader), at_most=limits.ROW_TEXT, lines=1).shown
    why = inert(halt.reason, at_most=limits.ROW_TEXT, lines=1).shown
    return [
        quoted(said(what, weight="Bolder")),
        label(Ours(f"Since {when(halt.set_at)}"), spacing="None"),
        quoted(said(why, **_SMALL), spacing="None"),
        buttons(execute("Resume…", Verb.RESUME, {Key.HALT.value: str(halt.id)})),
    ]


def _route(route: NoticeRoute) -> list[Element]:
    told = ", ".join(_TOPIC_NAMES[topic] for topic in Topic if topic in route.topics)
    elements = [
        quoted(said(name(route.place_name), weight="Bolder")),
        label(f"Told of {told}", spacing="None"),
    ]
    for over, globs in (("Agents ", route.agents), ("Verbs ", route.verbs)):
        if globs:
            only = inert(", ".join(globs), at_most=limits.ROW_TEXT, lines=1).shown
            inlines = [between(over, **_SMALL), *said(only, **_SMALL)]
            elements.append(quoted(inlines, spacing="None"))
    end = execute("Remove", Verb.END_ROUTE, {Key.ROUTE.value: route.id})
    return [*elements, buttons(end)]
