"""Where a message is, or is to be: ``slack:TEAM/CHANNEL`` and ``slack:TEAM/CHANNEL/TS``."""

import re
from dataclasses import dataclass
from typing import Final

from bot.core.errors import InvalidInput

SCHEME: Final = "slack:"
_TS: Final = r"[0-9]{1,12}(?:\.[0-9]{1,9})?"
#: C is a channel, G a private one of old, D the app's conversation with one person.
_PLACE: Final = re.compile(
    rf"slack:(?P<team>T[A-Z0-9]{{2,20}})/(?P<channel>[CGD][A-Z0-9]{{2,20}})(?:/(?P<ts>{_TS}))?"
)
_FIELD: Final = "/action/resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """``ts`` is a message's id in its channel; None for the channel itself."""

    team: str
    channel: str
    ts: str | None = None

    def __str__(self) -> str:
        tail = "" if self.ts is None else f"/{self.ts}"
        return f"{SCHEME}{self.team}/{self.channel}{tail}"

    @property
    def message_ts(self) -> str:
        """The id of the message; only where :func:`place_of` was asked for one."""
        if self.ts is None:
            raise ValueError("this is a channel and no message")
        return self.ts


def place_of(resource: str, *, team: str, names_message: bool) -> Place:
    """Return the place that *resource* spells.

    Raises:
        InvalidInput: it is not written so, or is in another workspace than *team*.
    """
    match = _PLACE.fullmatch(resource)
    if match is None or (match["ts"] is not None) != names_message:
        shape = "slack:TEAM/CHANNEL/TS" if names_message else "slack:TEAM/CHANNEL"
        raise InvalidInput(
            f"the resource of this verb is written as {shape}",
            field=_FIELD,
            remedy="Write ids, as in slack:T0123ABCD/C0456EFGH, never names.",
        )
    if match["team"] != team:
        raise InvalidInput(f"only the workspace {team} can be written in here", field=_FIELD)
    return Place(team=team, channel=match["channel"], ts=match["ts"])


def is_ts(text: str | None) -> bool:
    """Return whether *text* can be the id of a message."""
    return text is not None and re.fullmatch(_TS, text) is not None
