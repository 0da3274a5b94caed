"""The chat that shows a card by the commit itself, with nothing to post."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.transitions import delivery
from bot.ports.chat import Chat, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingChat:
    """``shows`` is what a step has to know of ``chat`` to record that a card is shown there."""

    chat: Standing
    shows: delivery.Standing


def standing_chat(chats: Mapping[str, Chat]) -> StandingChat | None:
    """Return the chat that is tried first, if what is committed is shown there at once."""
    first = next(iter(chats.values()), None)
    if first is None or not isinstance(first, Standing):
        return None
    return StandingChat(
        chat=first,
        shows=delivery.Standing(chat=first.name, max_chars=first.max_chars, where=first.where),
    )
