"""Whose account this becomes, before it does."""

from adapters.slack.blocks import (
    Element,
    Ours,
    actions,
    box,
    button,
    modal,
    mrkdwn,
    plain,
    rich,
    section,
)
from adapters.slack.card import name
from adapters.slack.pressable import ActionId, Callback


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
