"""What a channel is told: our words, and names that admins gave. Pure."""

from typing import Final

from adapters.teams import limits, words
from adapters.teams.elements import Message, Ours, TooLarge, label, quoted, said, when
from adapters.teams.elements import card as made
from adapters.teams.text import inert
from bot.core.notice import Notice

_SUMMARY: Final = Ours("Keyturn has a notice for this channel.")
_TITLE: Final = {"size": "Large", "weight": "Bolder"}


def render_notice(notice: Notice) -> Message:
    """Return *notice* as a message for a channel."""
    for count in range(min(len(notice.lines), limits.NOTICE_LINES), 0, -1):
        try:
            return _with_lines(notice, count)
        except TooLarge:
            continue
    return _with_lines(notice, 0)


def _with_lines(notice: Notice, count: int) -> Message:
    body = [quoted(said(inert(notice.title, at_most=limits.ROW_TEXT).shown, **_TITLE))]
    body += [
        quoted(said(inert(line, at_most=limits.NOTICE_LINE).shown), spacing="Small")
        for line in notice.lines[:count]
    ]
    left = len(notice.lines) - count
    if left:
        more = "1 more line is" if left == 1 else f"{left:,} more lines are"
        body.append(label(f"{more} in the web inbox.", spacing="Small"))
    body.append(label(when(notice.at), spacing="Medium"))
    return Message(_SUMMARY, made(body, instead=f"{_SUMMARY} {words.CANNOT_SHOW}"))
