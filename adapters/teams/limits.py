"""What Teams takes, and how much of it we use."""

from dataclasses import dataclass
from typing import Final

#: Teams renders Adaptive Cards up to this version; of a newer one it shows the fallback text.
VERSION: Final = "1.5"

# Teams takes a message of about 100 KB and cards of webhooks of 28 KB; a card that is forwarded or
# shown elsewhere stays under both:
# https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages
#: Of the JSON of one card, counted as Teams counts: in UTF-16.
CARD_BYTES: Final = 20_480
#: Teams' host configuration shows as many at the foot of a card.
ACTIONS: Final = 6

#: How many characters of an action the core puts on a card of this chat.
CARD_CHARS: Final = 2_400

#: Up to so many values each get a box of their own; more share one.
BOXED_VALUES: Final = 4

#: How much of the rest of a card is shown.
WHO: Final = 200
EFFECT: Final = 300
TARGET: Final = 260
REVERSIBLE: Final = 200
STATUS: Final = 400
REFERENCE: Final = 120
WHY: Final = 400
EXPECTS: Final = 200
SOURCE: Final = 120
SOURCES: Final = 2
NAME: Final = 80
PURPOSE: Final = 120
RULE: Final = 160
TECHNICAL: Final = 60
TOLD: Final = 600
LINES: Final = 12  #: of any of these

#: A note that a person writes; the desk keeps as much.
NOTE: Final = 2_000
#: Names or patterns of agents or verbs, one a line.
GLOBS: Final = 1_000

LISTED: Final = 8  #: in one list
ROW_TEXT: Final = 150
NOTICE_LINES: Final = 12
NOTICE_LINE: Final = 400

#: What Teams calls an account has about ninety characters; of a longer one no card is refreshed.
MRI: Final = 200

#: Less leaves no room to show a part of a text and to say how much is missing.
LEAST: Final = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much of an action a card shows: ``values`` of together ``chars`` and ``lines``.

    ``around`` is the part that is shown of what else there is.
    """

    chars: int
    lines: int
    values: int
    around: float = 1.0

    def of(self, limit: int) -> int:
        return max(int(limit * self.around), LEAST)


#: The first in which a card is not too large is taken. Text takes more than its characters where
#: much of it has to be escaped or spelled out; the last holds whatever was written.
ROOMS: Final = (
    Room(chars=2_500, lines=60, values=12),
    Room(chars=1_800, lines=50, values=10),
    Room(chars=1_200, lines=40, values=8),
    Room(chars=700, lines=30, values=6),
    Room(chars=400, lines=20, values=4, around=0.5),
    Room(chars=160, lines=10, values=2, around=0.25),
    Room(chars=96, lines=6, values=1, around=0.1),
)
