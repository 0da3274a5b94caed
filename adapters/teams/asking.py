"""The questions before a button counts: what it would do, and why the person wants it."""

from adapters.teams import limits, words
from adapters.teams.card import about, told_box
from adapters.teams.elements import (
    Element,
    Message,
    Ours,
    box,
    choice,
    exact,
    execute,
    heading,
    label,
    ours,
    quoted,
    said,
    text_input,
    when,
)
from adapters.teams.inbound import Channel
from adapters.teams.pressable import DO, Key, Verb
from adapters.teams.sections import name, subject
from adapters.teams.text import inert
from adapters.teams.told_card import answer
from bot.core.card import Card
from bot.core.chat_words import NOT_MINE_MEANS, RESUME_MEANS, STOP_MEANS
from bot.core.halts import Halt, HaltScope
from bot.core.ids import AgentId
from bot.core.notice import Topic
from bot.core.told import Told
from bot.core.verbs import Audience
from bot.core.words import REACH, readers
from bot.ports.desk import UndoOffer

TOPICS = {
    Topic.UNDELIVERABLE: "Nobody who may decide could be reached",
    Topic.HALT: "Somebody stopped or resumed something",
    Topic.IN_DOUBT: "It is not known whether something happened",
    Topic.NOT_MINE: "A person says that what was asked is not theirs",
    Topic.DIGEST: "Once a day: how much was asked, decided, carried out",
}
_STEP = {Key.STEP.value: DO}
_RECORDED = "This is recorded with your name."


def ask_undo(card: Card, offer: UndoOffer) -> Message:
    """Return what undoing *card* would do, and what it would take back."""
    effect = inert(offer.effect, at_most=limits.EFFECT).shown
    target = inert(offer.target, at_most=limits.TARGET).shown
    done = inert(card.effect, at_most=limits.EFFECT).shown
    body = [
        heading("Undo this?"),
        quoted(said(effect)),
        *_pair("Where", exact(target)),
        *_pair("Who will see that", _audience(offer.audience)),
        label("Time for it", spacing="Small"),
        ours(Ours(f"Until {when(offer.until)}"), spacing="None"),
        *_pair("What was done", said(done)),
        *_pair("Who sees it", _audience(card.audience)),
        _note(f"Why? {_RECORDED}"),
    ]
    return answer(body, [_do("Undo it now", Verb.UNDO, about(card), style="positive"), _back(card)])


def ask_not_mine(card: Card) -> Message:
    """Return the question before a person says that this was not theirs to be asked."""
    body = [heading("Not yours to decide?"), *subject(card), ours(NOT_MINE_MEANS)]
    press = _do("It is not mine", Verb.NOT_MINE, about(card), style="destructive")
    return answer(body, [press, _back(card)])


def ask_stop_this(card: Card, *, may_stop_for_all: bool, may_stop_all: bool) -> Message:
    """Return the choice of what is stopped, from the card of an agent."""
    choices = [("This agent, for this person", HaltScope.AGENT_FOR_PRINCIPAL.value)]
    if may_stop_for_all:
        choices.append(("This agent, for everyone", HaltScope.AGENT.value))
    if may_stop_all:
        choices.append(("Every agent", HaltScope.ALL.value))
    body = [
        heading("Stop this agent?"),
        *_pair("The agent", said(name(card.agent_name), weight="Bolder")),
        *_pair("The person", said(name(card.on_behalf_of))),
        ours(STOP_MEANS),
        choice(
            "What is stopped?",
            Key.WHAT,
            choices,
            chosen=HaltScope.AGENT_FOR_PRINCIPAL,
            missing="Choose what is stopped.",
        ),
        _note(f"Why? {_RECORDED}"),
    ]
    press = _do("Stop now", Verb.STOP_AGENT, about(card), style="destructive")
    return answer(body, [press, _back(card)])


def ask_stop(agent: AgentId, agent_name: str, *, is_for_reader: bool) -> Message:
    """Return the question before one agent is stopped, for whoever has no card at hand."""
    whom = "For you alone" if is_for_reader else "For everyone"
    body = [
        heading("Stop this agent?"),
        quoted(said(name(agent_name), weight="Bolder")),
        label(whom, spacing="None"),
        ours(STOP_MEANS),
        _note(f"Why? {_RECORDED}"),
    ]
    data = {Key.AGENT.value: str(agent)}
    return answer(body, [_do("Stop now", Verb.STOP_AGENT, data, style="destructive")])


def ask_stop_all() -> Message:
    body = [heading("Stop every agent?"), ours(STOP_MEANS), _note(f"Why? {_RECORDED}")]
    return answer(body, [_do("Stop all", Verb.STOP, {}, style="destructive")])


def ask_resume(halt: Halt, what: str) -> Message:
    """Return the question before *halt* ends; *what* it stops may name agents."""
    reason = inert(halt.reason, at_most=limits.ROW_TEXT, lines=1).shown
    body = [
        heading("End this stop?"),
        quoted(said(inert(what, at_most=limits.ROW_TEXT, lines=1).shown, weight="Bolder")),
        label(Ours(f"Since {when(halt.set_at)}"), spacing="None"),
        *_pair("Why it was stopped", said(reason)),
        ours(RESUME_MEANS),
        _note(f"Why is it safe to go on? {_RECORDED}", missing="Say why it is safe to go on."),
    ]
    data = {Key.HALT.value: str(halt.id)}
    return answer(body, [_do("Resume", Verb.RESUME, data, style="positive")])


def ask_link(person_name: str, code: str) -> Message:
    """Return the question whose account this becomes, before it does."""
    body = [
        heading("Link this account?"),
        ours("This Teams account is going to act as"),
        box([quoted(exact(name(person_name), weight="Bolder"))]),
        ours(words.ONE_ACCOUNT_ONLY),
    ]
    data = {Key.CODE.value: code}
    return answer(body, [execute("This is me", Verb.LINK, data, style="positive")])


def ask_channel(channel: Channel, *, told: Told | None = None) -> Message:
    """Return the question what *channel* is told; whoever answers says what they call it.

    *told* is what was wrong with their answer before.
    """
    known = " / ".join(part for part in (channel.team_name, channel.name) if part)
    above = [] if told is None else [told_box(told)]
    body: list[Element] = [*above, heading("Notices to a channel"), ours(words.CHANNEL_MEANS)]
    if known:
        body += _pair("The channel", said(name(known)))
    body += [
        text_input(
            "What do you call it? Only you and other admins see this.",
            Key.PLACE_NAME,
            at_most=limits.NAME,
            lines=False,
            missing="Give it a name by which you find it again.",
        ),
        choice(
            "What is it told?",
            Key.TOPICS,
            [(text, topic.value) for topic, text in TOPICS.items()],
            many=True,
            missing="Choose at least one.",
        ),
        text_input(
            "Of which agents?", Key.AGENTS, at_most=limits.GLOBS, placeholder=words.GLOBS_MEAN
        ),
        text_input(
            "Of which verbs?", Key.VERBS, at_most=limits.GLOBS, placeholder=words.GLOBS_MEAN
        ),
    ]
    data = {Key.PLACE.value: channel.place}
    return answer(body, [execute("Save", Verb.CHANNELS, data, style="positive")])


def _pair(over: str, inlines: list[Element]) -> list[Element]:
    return [label(over, spacing="Small"), quoted(inlines, spacing="None")]


def _audience(audience: Audience) -> list[Element]:
    who = inert(audience.who, at_most=limits.WHO).shown
    count = "" if audience.readers is None else f" ({readers(audience.readers)})"
    return said(f"{REACH[audience.reach]}: {who}{count}")


def _note(over: str, *, missing: str | None = None) -> Element:
    if missing is None:
        return text_input(over, Key.NOTE, at_most=limits.NOTE, placeholder="Optional")
    return text_input(over, Key.NOTE, at_most=limits.NOTE, missing=missing)


def _do(title: str, verb: Verb, data: dict[str, str], *, style: str) -> Element:
    return execute(title, verb, {**data, **_STEP}, style=style)


def _back(card: Card) -> Element:
    return execute("Go back", Verb.OPEN, about(card))
