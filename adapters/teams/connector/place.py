"""Where a message is, or is to be: ``teams:TEAM/CHANNEL``, ``…/POST`` and ``…/POST/REPLY``."""

import re
from dataclasses import dataclass
from typing import Final

from bot.core.errors import InvalidInput

SCHEME: Final = "teams:"
#: What Teams calls a team or a channel in its own addresses.
_THREAD: Final = r"19:[A-Za-z0-9_-]{1,120}@thread\.(?:tacv2|skype|v2)"
_MESSAGE: Final = r"[0-9]{1,20}"
_PLACE: Final = re.compile(
    rf"teams:(?P<team>{_THREAD})/(?P<channel>{_THREAD})"
    rf"(?:/(?P<post>{_MESSAGE})(?:/(?P<reply>{_MESSAGE}))?)?"
)
_FIELD: Final = "/action/resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """``post`` begins a thread in ``channel``; ``reply`` is one of the messages below it."""

    team: str
    channel: str
    post: str | None = None
    reply: str | None = None

    def __str__(self) -> str:
        return SCHEME + "/".join(
            part for part in (self.team, self.channel, self.post, self.reply) if part is not None
        )

    @property
    def thread(self) -> str:
        """The conversation of the thread; only where :func:`place_of` was asked for a message."""
        if self.post is None:
            raise ValueError("this is a channel and no thread")
        return f"{self.channel};messageid={self.post}"

    @property
    def message(self) -> str:
        """The id of the message itself; the same condition holds."""
        if self.post is None:
            raise ValueError("this is a channel and no message")
        return self.reply or self.post


def place_of(resource: str, *, shape: str) -> Place:
    """Return the place that *resource* spells, in the *shape* ``channel``, ``post`` or ``message``.

    Raises:
        InvalidInput: it is not written so.
    """
    match = _PLACE.fullmatch(resource)
    fits = (
        match is not None
        and {
            "channel": match["post"] is None,
            "post": match["post"] is not None and match["reply"] is None,
            "message": match["post"] is not None,
        }[shape]
    )
    if match is None or not fits:
        raise InvalidInput(
            f"the resource of this verb is written as {_SHAPES[shape]}",
            field=_FIELD,
            remedy="Write ids, as in teams:19:…@thread.tacv2/19:…@thread.tacv2, never names.",
        )
    return Place(
        team=match["team"], channel=match["channel"], post=match["post"], reply=match["reply"]
    )


def is_message_id(text: str | None) -> bool:
    """Return whether *text* can be the id of a message."""
    return text is not None and re.fullmatch(_MESSAGE, text) is not None


_SHAPES: Final = {
    "channel": "teams:TEAM/CHANNEL",
    "post": "teams:TEAM/CHANNEL/POST",
    "message": "teams:TEAM/CHANNEL/POST or teams:TEAM/CHANNEL/POST/REPLY",
}
