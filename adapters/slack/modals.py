"""What opens over Slack when somebody presses a button: to read on, to say why, to be told."""

from collections.abc import Sequence

from adapters.slack import limits
from adapters.slack.blocks import (
    Element,
    Ours,
    actions,
    asked,
    bold,
    box,
    button,
    channel,
    channel_select,
    checkboxes,
    context,
    date,
    label,
    modal,
    mrkdwn,
    option,
    pairs,
    plain,
    radio,
    remark,
    rich,
    section,
    select,
    text_input,
)
from adapters.slack.card import approve, audience_line, card_blocks, is_cut_around, name
from adapters.slack.fit import inert, pages
from adapters.slack.pressable import COMMAND, ActionId, Asked, Callback
from bot.core import chat_words
from bot.core.about import About, spell, value_of
from bot.core.card import Button, Card, FullViewPage
from bot.core.command import help_lines
from bot.core.halts import Halt, HaltScope
from bot.core.ids import AgentId
from bot.core.notice import NoticeRoute, Topic
from bot.core.verbs import Audience
from bot.core.words import CLAIMED, REACH, asks_for, readers, stopped
from bot.ports.desk import AgentEntry, UndoOffer

TOPICS = {
    Topic.UNDELIVERABLE: "Nobody who may decide could be reached",
    Topic.HALT: "Somebody stopped or resumed something",
    Topic.IN_DOUBT: "It is not known whether something happened",
    Topic.NOT_MINE: "A person says that what was asked is not theirs",
    Topic.DIGEST: "Once a day: how much was asked, decided, carried out",
}
_TOPIC_NAMES = {
    Topic.UNDELIVERABLE: "what reached nobody",
    Topic.HALT: "stops",
    Topic.IN_DOUBT: "doubts",
    Topic.NOT_MINE: "wrong people asked",
    Topic.DIGEST: "each day in numbers",
}
_MAX_GLOBS_CHARS = 1_000

#: Blocks of this name, and nothing else, hold the exact text of the action.
EXACT_BLOCK = "exact-"


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


def reject_modal(card: Card) -> Element:
    return modal(
        "Reject",
        [
            *_subject(card),
            _note("Why not? The agent is told this.", optional=True),
        ],
        callback=Callback.REJECT,
        metadata=value_of(card),
        submit="Reject it",
        close="Go back",
    )


def not_mine_modal(card: Card) -> Element:
    """Return the question before a person says that this was not theirs to be asked."""
    press = button("It is not mine", ActionId.NOT_MINE, value=value_of(card), style="danger")
    return modal(
        "Not mine",
        [*_subject(card), section(plain(chat_words.NOT_MINE_MEANS)), actions(press)],
        callback=Callback.SHOWN,
        metadata=value_of(card),
        close="Go back",
    )


def settle_modal(card: Card, *, done: bool) -> Element:
    """Return the question that settles a doubt; *done* says what the person found."""
    found = "It happened." if done else "It did not happen."
    return modal(
        "Say what you found",
        [
            *_subject(card),
            section(mrkdwn(Ours(f"You say: {bold(found)}"))),
            context(
                plain(
                    "Keyturn will not repeat it by itself. Your answer is recorded with your name."
                )
            ),
            _note("How did you find out?", optional=False),
        ],
        callback=Callback.SETTLE_DONE if done else Callback.SETTLE_NOT_DONE,
        metadata=value_of(card),
        submit="Record it",
        close="Go back",
    )


def undo_modal(card: Card, offer: UndoOffer) -> Element:
    """Return what undoing *card* would do, and what it would take back."""
    effect = inert(offer.effect, at_most=limits.EFFECT).shown
    target = inert(offer.target, at_most=limits.TARGET).shown
    done = inert(card.effect, at_most=limits.EFFECT).shown
    return modal(
        "Undo",
        [
            section(plain(effect)),
            pairs(
                (mrkdwn(bold("Where")), plain(target)),
                (mrkdwn(bold("Who will see that")), plain(_audience(offer.audience))),
                (mrkdwn(bold("Time for it")), mrkdwn(Ours(f"until {date(offer.until)}"))),
                (mrkdwn(bold("What was done")), plain(done)),
                (mrkdwn(bold("Who sees it")), plain(_audience(card.audience))),
            ),
            _note("Why? This is recorded with your name.", optional=True),
        ],
        callback=Callback.UNDO,
        metadata=value_of(card),
        submit="Undo it now",
        close="Go back",
    )


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
            _note("Why? This is recorded.", optional=True),
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
        _note("Why? This is recorded.", optional=True),
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
            _note("Why is it safe to go on? This is recorded.", optional=False),
        ],
        callback=Callback.RESUME,
        submit="Resume",
        close="Go back",
    )


def link_modal(person_name: str, code: str) -> Element:
    """Return the question whose account this becomes, before it does."""
    return modal(
        "Link this account",
        [
            section(mrkdwn(Ours("This Slack account is going to act as"))),
            rich([box(name(person_name))]),
            section(
                plain(
                    "Cards for this person are shown here in private, and what you press here "
                    "counts as theirs. If this is not you, close this and tell an admin: "
                    "somebody has given you a code that is not yours."
                )
            ),
            actions(button("This is me", ActionId.LINK, value=code, style="primary")),
        ],
        callback=Callback.SHOWN,
        close="Not me",
    )


def channels_modal(*, chosen: str | None = None, name_of_it: str = "") -> Element:
    """Return the question what one channel is told; *chosen* is the one it was asked in.

    Slack tells the name of that one alone, and not in conversations between people.
    """
    place = chosen if chosen is not None and chosen.startswith(("C", "G")) else None
    topics = [option(text, topic) for topic, text in TOPICS.items()]
    globs = "Names or patterns with *, one a line. Leave it empty for all."
    return modal(
        "Notices to a channel",
        [
            section(
                plain(
                    "Notices say that something happened, never what an action contains. Invite "
                    "Keyturn to the channel first. What it was told until now ends."
                )
            ),
            asked(
                "Which channel?",
                channel_select(Asked.CHANNEL, placeholder="Choose a channel", initial=place),
                block=Asked.CHANNEL,
            ),
            asked("What is it told?", checkboxes(Asked.TOPICS, topics), block=Asked.TOPICS),
            asked(
                "Of which agents?",
                text_input(Asked.AGENTS, lines=True, at_most=_MAX_GLOBS_CHARS),
                block=Asked.AGENTS,
                optional=True,
                hint=globs,
            ),
            asked(
                "Of which verbs?",
                text_input(Asked.VERBS, lines=True, at_most=_MAX_GLOBS_CHARS),
                block=Asked.VERBS,
                optional=True,
                hint=globs,
            ),
        ],
        callback=Callback.CHANNELS,
        metadata="" if place is None else f"{place} {name_of_it[: limits.NAME]}",
        submit="Save",
        close="Go back",
    )


def route_blocks(route: NoticeRoute) -> list[Element]:
    """Return one channel, what it is told, and the button that ends that."""
    told = ", ".join(_TOPIC_NAMES[topic] for topic in Topic if topic in route.topics)
    about = [plain(f"Told of {told}")]
    for over, globs in (("Agents", route.agents), ("Verbs", route.verbs)):
        if globs:
            only = inert(", ".join(globs), at_most=limits.ROW_TEXT, lines=1).shown
            about.append(plain(f"{over} {only}"))
    end = button("Remove", ActionId.END_ROUTE, value=route.id)
    return [section(mrkdwn(channel(route.place)), accessory=end), context(*about)]


def _subject(card: Card) -> list[Element]:
    return [
        section(mrkdwn(bold(REACH[card.audience.reach]))),
        section(plain(audience_line(card))),
        section(plain(inert(card.effect, at_most=limits.EFFECT).shown)),
    ]


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


def _audience(audience: Audience) -> str:
    who = inert(audience.who, at_most=limits.WHO).shown
    count = "" if audience.readers is None else f" ({readers(audience.readers)})"
    return f"{REACH[audience.reach]}: {who}{count}"


def _note(words_over: str, *, optional: bool) -> Element:
    field = text_input(Asked.NOTE, lines=True, at_most=limits.NOTE)
    return asked(words_over, field, block=Asked.NOTE, optional=optional)


def _stoppable(entry: AgentEntry) -> str:
    shown = inert(entry.name, at_most=limits.CHOSEN_NAME, lines=1).shown
    if entry.may_stop is not None and entry.may_stop.scope is HaltScope.AGENT_FOR_PRINCIPAL:
        return f"{shown}, for you"
    return f"{shown}, for everyone"
