"""What channels are told, as an admin sees and changes it."""

from adapters.slack import limits
from adapters.slack.blocks import (
    Element,
    asked,
    button,
    channel,
    channel_select,
    checkboxes,
    context,
    modal,
    mrkdwn,
    option,
    plain,
    section,
    text_input,
)
from adapters.slack.fit import inert
from adapters.slack.pressable import ActionId, Asked, Callback
from bot.core.notice import NoticeRoute, Topic

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
