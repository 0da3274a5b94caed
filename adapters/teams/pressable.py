"""What can be pressed and filled in; what comes back from somebody's client grants nothing."""

from enum import StrEnum, unique
from typing import Final


@unique
class Verb(StrEnum):
    """What a button asks for."""

    APPROVE = "approve"
    REJECT = "reject"
    NOT_MINE = "not_mine"
    SETTLE_DONE = "settle_done"
    SETTLE_NOT_DONE = "settle_not_done"
    UNDO = "undo"
    FULL_VIEW = "full_view"
    STOP_AGENT = "stop_agent"
    OPEN = "open"
    STOP = "stop"
    RESUME = "resume"
    LINK = "link"
    CHANNELS = "channels"
    END_ROUTE = "end_route"
    REFRESH = "refresh"


@unique
class Key(StrEnum):
    """Under which names a button carries what it is about, and inputs what was filled in."""

    ABOUT = "about"
    STEP = "step"
    NOTE = "note"
    #: The two questions of a doubt stand on one card, and no two inputs there may share a name.
    NOTE_DONE = "note_done"
    NOTE_NOT_DONE = "note_not_done"
    WHAT = "what"
    AGENT = "agent"
    HALT = "halt"
    CODE = "code"
    PLACE = "place"
    PLACE_NAME = "place_name"
    TOPICS = "topics"
    AGENTS = "agents"
    VERBS = "verbs"
    ROUTE = "route"


#: A button that asks first carries this once the person has seen the question.
DO: Final = "do"
