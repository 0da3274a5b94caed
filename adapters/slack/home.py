"""The Home tab: what waits, what was decided, the agents, and for admins where notices go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.slack import limits
from adapters.slack.blocks import (
    Element,
    Ours,
    actions,
    bold,
    button,
    confirm,
    context,
    date,
    divider,
    header,
    home,
    link,
    mrkdwn,
    plain,
    section,
)
from adapters.slack.card import name
from adapters.slack.fit import inert
from adapters.slack.modals import route_blocks
from adapters.slack.pressable import ActionId
from bot.core import chat_words
from bot.core.about import value_of
from bot.core.actors import Person, Role
from bot.core.card import Card
from bot.core.halts import Halt
from bot.core.notice import NoticeRoute
from bot.core.states import State
from bot.core.words import REACH, relative, stopped
from bot.ports.desk import AgentEntry, Inbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What one person's Home shows at ``now``; ``routes`` is None for who is no admin."""

    person: Person
    inbox: Inbox
    agents: Sequence[AgentEntry]
    halts: Sequence[Halt]
    routes: Sequence[NoticeRoute] | None
    now: datetime
    web_url: str | None = None


def render_home(seen: Home) -> Element:
    """Return the view that ``views.publish`` takes."""
    return home(
        [
            *_halts(seen),
            *_waiting(seen),
            divider(),
            *_decided(seen),
            divider(),
            *_agents(seen),
            *_routes(seen),
            divider(),
            context(plain(f"You are {name(seen.person.display_name)} here.")),
        ]
    )


def render_closed_home(message: str) -> Element:
    """Return the Home of an account that sees nothing here; *message* says why and what to do."""
    return home([header("Keyturn"), section(plain(message))])


def _waiting(seen: Home) -> list[Element]:
    total = seen.inbox.waiting_total
    blocks = [header(f"Waiting for you ({total:,})" if total else "Waiting for you")]
    if not seen.inbox.waiting:
        return [*blocks, section(plain(chat_words.NOTHING_WAITS))]
    shown = seen.inbox.waiting[: limits.HOME_WAITING]
    for card in shown:
        blocks += row(card, now=seen.now)
    return [*blocks, *more(total - len(shown), seen.web_url)]


def row(card: Card, *, now: datetime | None) -> list[Element]:
    """Return one card of a list, and the button that opens it whole."""
    agent = inert(card.agent_name, at_most=limits.NAME, lines=1).shown
    who = inert(card.audience.who, at_most=limits.NAME, lines=1).shown
    effect = inert(card.effect, at_most=limits.ROW_TEXT, lines=1).shown
    looks = [bold("In doubt: please look.")] if card.state is State.IN_DOUBT else []
    elements = [mrkdwn(look) for look in looks]
    elements += [mrkdwn(bold(REACH[card.audience.reach])), plain(who), plain(f"By {agent}")]
    if card.state is State.PENDING and card.expires_at is not None:
        until = f"Expires {date(card.expires_at)}"
        if now is not None:
            until = f"Expires {relative(card.expires_at, now)}, {date(card.expires_at)}"
        elements.append(mrkdwn(Ours(until)))
    press = button("Open", ActionId.OPEN, value=value_of(card))
    return [section(plain(effect), accessory=press), context(*elements)]


def _decided(seen: Home) -> list[Element]:
    blocks = [header("Recently decided")]
    if not seen.inbox.decided:
        return [*blocks, context(plain(chat_words.NOTHING_DECIDED))]
    shown = seen.inbox.decided[: limits.HOME_DECIDED]
    for card in shown:
        effect = inert(card.effect, at_most=limits.ROW_TEXT, lines=1).shown
        by = card.agent_name if card.undoes is None else card.on_behalf_of
        blocks += [
            section(plain(effect), accessory=button("Open", ActionId.OPEN, value=value_of(card))),
            context(
                mrkdwn(Ours(f"{bold(chat_words.standing(card))}, {date(card.changed_at)}")),
                plain(f"By {inert(by, at_most=limits.NAME, lines=1).shown}"),
            ),
        ]
    return [*blocks, *more(len(seen.inbox.decided) - len(shown), seen.web_url)]


def _agents(seen: Home) -> list[Element]:
    is_admin = Role.ADMIN in seen.person.roles
    blocks = [header("Agents" if is_admin else "My agents")]
    if not seen.agents:
        blocks.append(context(plain(chat_words.NO_AGENTS)))
    shown = seen.agents[: limits.HOME_AGENTS]
    for entry in shown:
        blocks += agent_rows(entry)
    blocks += more(len(seen.agents) - len(shown), seen.web_url)
    if is_admin:
        asks = confirm(
            title="Stop every agent?",
            text=f"{chat_words.STOP_MEANS[:200].rpartition('.')[0]}.",
            yes="Stop all",
            no="Go back",
        )
        blocks.append(
            actions(
                button("Stop every agent", ActionId.STOP, value="all", style="danger", asks=asks)
            )
        )
    return blocks


def agent_rows(entry: AgentEntry) -> list[Element]:
    """Return one agent, and the button that stops it where its reader may."""
    purpose = inert(entry.purpose, at_most=limits.NAME, lines=1).shown
    about = [plain(purpose)] if entry.purpose else []
    about.append(plain(f"Owner {name(entry.owner_name)}"))
    if entry.pending:
        wait = "1 waits for you" if entry.pending == 1 else f"{entry.pending:,} wait for you"
        about.append(plain(wait))
    if any(halt.is_active for halt in entry.halts):
        about.insert(0, mrkdwn(bold("Stopped")))
    elif not entry.active:
        about.insert(0, mrkdwn(bold("Not active")))
    press = None
    if entry.may_stop is not None and entry.active:
        press = button("Stop…", ActionId.STOP_AGENT, value=entry.id)
    return [section(plain(name(entry.name)), accessory=press), context(*about)]


def _halts(seen: Home) -> list[Element]:
    active = [halt for halt in seen.halts if halt.is_active]
    if not active:
        return []
    names = {entry.id: entry.name for entry in seen.agents}
    names |= {card.agent: card.agent_name for card in (*seen.inbox.waiting, *seen.inbox.decided)}
    blocks = [header("Stopped now")]
    for halt in active[: limits.HOME_HALTS]:
        what = stopped(halt.target, names, seen.person.id)
        shown = inert(f"{what}.", at_most=limits.ROW_TEXT, lines=1).shown
        why = inert(halt.reason, at_most=limits.ROW_TEXT, lines=1).shown
        press = button("Resume…", ActionId.RESUME, value=halt.id)
        blocks += [
            section(plain(shown), accessory=press),
            context(mrkdwn(Ours(f"Since {date(halt.set_at)}")), plain(why)),
        ]
    return [*blocks, *more(len(active) - limits.HOME_HALTS, seen.web_url), divider()]


def _routes(seen: Home) -> list[Element]:
    if seen.routes is None:
        return []
    blocks = [divider(), header("Channels that get notices")]
    if not seen.routes:
        blocks.append(context(plain(chat_words.NO_CHANNELS)))
    shown = seen.routes[: limits.HOME_ROUTES]
    for route in shown:
        blocks += route_blocks(route)
    blocks += more(len(seen.routes) - len(shown), seen.web_url)
    return [*blocks, actions(button("Set a channel…", ActionId.CHANNELS, value="new"))]


def more(left: int, web_url: str | None) -> list[Element]:
    """Return what a list says of those that it leaves out."""
    if left <= 0:
        return []
    where = "" if web_url is None else f" {link(web_url, 'Open the web inbox')} to see them all."
    return [context(mrkdwn(Ours(f"and {left:,} more.{where}")))]
