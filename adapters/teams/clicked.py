"""One click under way."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapters.teams import words
from adapters.teams.inbound import Invoke, Sender, Submitted
from adapters.teams.pressable import DO, Key
from bot.core.identified import Refused, Unlinked
from bot.ports.desk import ANSWER_WITHIN_S

#: How long the commit of a click is waited for, from when it came: Teams wants its answer, and the
#: card has still to be made.
RECORDED_WITHIN_S: Final = 0.8
_LEAST_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Clicked:
    """``until`` is when it is answered with "not recorded yet", in the time of the loop.

    ``reply_to`` is the activity that shows what was pressed. Where ``is_automatic``, nobody
    pressed anything; where ``waits``, the answer takes the place of what was pressed.
    """

    who: Sender
    verb: str
    data: Mapping[str, str]
    reply_to: str | None
    until: float
    is_automatic: bool = False
    waits: bool = True

    @property
    def is_confirmed(self) -> bool:
        """Whether the person has seen what it would do."""
        return self.data.get(Key.STEP) == DO

    @property
    def is_on_its_card(self) -> bool:
        """Whether what was pressed is where the card is, and no question beside it."""
        return self.waits or not self.is_confirmed

    @property
    def note(self) -> str:
        """What the person wrote, wherever on the card."""
        notes = (self.data.get(key, "") for key in (Key.NOTE, Key.NOTE_DONE, Key.NOTE_NOT_DONE))
        return next((note.strip() for note in notes if note.strip()), "")

    def left_s(self) -> float:
        """Return for how many seconds a commit may still be waited for."""
        return max(self.until - asyncio.get_running_loop().time(), _LEAST_S)


def clicked_of(inbound: Invoke | Submitted) -> Clicked:
    """Return the click that just came: nobody waits for the answer to a message."""
    waits = isinstance(inbound, Invoke)
    now = asyncio.get_running_loop().time()
    return Clicked(
        who=inbound.who,
        verb=inbound.verb,
        data=inbound.data,
        reply_to=inbound.reply_to,
        until=now + (RECORDED_WITHIN_S if waits else ANSWER_WITHIN_S),
        is_automatic=isinstance(inbound, Invoke) and inbound.is_automatic,
        waits=waits,
    )


def why_not(who: Unlinked | Refused) -> str:
    """Return why an account that is nobody's can do nothing here."""
    return words.HOW_TO_LINK if isinstance(who, Unlinked) else who.message
