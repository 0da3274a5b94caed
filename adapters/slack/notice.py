"""What a channel is told: our words, and names that admins gave. Pure."""

from typing import Final

from adapters.slack import limits
from adapters.slack.blocks import Message, Ours, bold, context, date, header, mrkdwn, plain, section
from adapters.slack.fit import inert
from bot.core.notice import Notice

_LINE_CHARS: Final = 400
_LINES: Final = 12


def render_notice(notice: Notice) -> Message:
    """Return *notice* as a message for a channel."""
    shown = notice.lines[:_LINES]
    left = len(notice.lines) - len(shown)
    blocks = [header(inert(notice.title, at_most=limits.HEADER_TEXT).shown)]
    blocks += [section(plain(inert(line, at_most=_LINE_CHARS).shown)) for line in shown]
    if left:
        blocks.append(context(plain(f"{left} more lines are in the web inbox.")))
    blocks.append(context(mrkdwn(date(notice.at))))
    return Message(text=Ours(f"Keyturn: {bold(notice.title)}"), blocks=blocks)
