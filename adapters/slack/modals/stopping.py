"""What is stopped, and which stop ends."""

from collections.abc import Sequence

from adapters.slack import limits
from adapters.slack.blocks import (
    Element,
    asked,
    context,
    modal,
    option,
    plain,
    radio,
    section,
    select,
)
from adapters.slack.fit import inert
from adapters.slack.modals.fields import note
from adapters.slack.modals.telling import told_modal
from adapters.slack.pressable import Asked, Callback
from bot.core import chat_words
from bot.core.about import value_of
from bot.core.card import Card
from bot.core.halts import Halt, HaltScope
from bot.core.ids import AgentId
from bot.core.words import stopped
from bot.ports.desk import AgentEntry


def stop_this_modal(card: Card, *, may_stop_for_all: bool, may_stop_all: bool) -> Element:
    """Return the choice of what is stopped, from the card of an agent."""
    agent, principal = (
        inert(text, at_most=limits.CHOSEN_NAME, lines=1).shown
        for text in (card.agent_name, card.on_behalf_of)
    )
    choices = [option(f"{agent}, for {principal}", HaltScope.AGENT_FOR_PRINCIPAL)]
    if may_stop_for_all:
        choices.append(option(f"{agent}, for everyone", HaltScope.AGENT))
    if may_stop_all:
        choices.append(option("Every agent", HaltScope.ALL))
    return modal(
        "Stop",
        [
            section(plain(chat_words.STOP_MEANS)),
            asked("What is stopped?", radio(Asked.WHAT, choices), block=Asked.WHAT),
            note("Why? This is recorded.", optional=True),
        ],
        callback=Callback.STOP_THIS,
        metadata=value_of(card),
        submit="Stop now",
        close="Go back",
    )


def stop_modal(
    agents: Sequence[AgentEntry], *, may_stop_all: bool, chosen: AgentId | None = None
) -> Element:
    """Return the choice of what is stopped, for whoever has no card at hand."""
    choices = [
        option(_stoppable(entry), entry.id) for entry in agents if entry.may_stop is not None
    ]
    if chosen is not None:
        choices = [choice for choice in choices if choice["value"] == chosen]
    if may_stop_all:
        choices.append(option("Every agent", HaltScope.ALL))
    left = len(choices) - limits.SELECT_OPTIONS
    if not choices:
        return told_modal("Stop", "There is no agent that is yours to stop.")
    offered = choices if left <= 0 else [*choices[: limits.SELECT_OPTIONS - 1], choices[-1]]
    which = select(Asked.WHAT, offered, placeholder="Choose an agent")
    if len(offered) == 1 or chosen is not None:
        which["initial_option"] = offered[0]
    blocks = [
        section(plain(chat_words.STOP_MEANS)),
        asked("What is stopped?", which, block=Asked.WHAT),
        note("Why? This is recorded.", optional=True),
    ]
    if left > 0:
        blocks.append(context(plain("Not all are listed. Type /keyturn stop and the name.")))
    return modal("Stop", blocks, callback=Callback.STOP, submit="Stop now", close="Go back")


def resume_modal(halts: Sequence[Halt], agents: Sequence[AgentEntry], *, reader: str) -> Element:
    """Return the choice of the stop that ends, with the reason for it."""
    active = [halt for halt in halts if halt.is_active][: limits.SELECT_OPTIONS]
    if not active:
        return told_modal("Resume", chat_words.NOTHING_STOPPED)
    names = {entry.id: entry.name for entry in agents}
    choices = [
        option(
            inert(stopped(h.target, names, reader), at_most=limits.OPTION_TEXT, lines=1).shown, h.id
        )
        for h in active
    ]
    which = select(Asked.WHAT, choices, placeholder="Choose a stop")
    if len(choices) == 1:
        which["initial_option"] = choices[0]
    return modal(
        "Resume",
        [
            section(plain(chat_words.RESUME_MEANS)),
            asked("Which stop ends?", which, block=Asked.WHAT),
            note("Why is it safe to go on? This is recorded.", optional=False),
        ],
        callback=Callback.RESUME,
        submit="Resume",
        close="Go back",
    )


def _stoppable(entry: AgentEntry) -> str:
    shown = inert(entry.name, at_most=limits.CHOSEN_NAME, lines=1).shown
    if entry.may_stop is not None and entry.may_stop.scope is HaltScope.AGENT_FOR_PRINCIPAL:
        return f"{shown}, for you"
    return f"{shown}, for everyone"
