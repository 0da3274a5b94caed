"""What the answer of Teams proves about a write. Failed is for what provably did not happen."""

from typing import Final, assert_never

from adapters.teams.connector.client import Answer, Done
from adapters.teams.connector.params import Deed, Wanted
from adapters.teams.connector.place import is_message_id
from adapters.teams.connector.refusal import Refused, in_words, meaning_of
from bot.once import NoAnswer, NotSent
from bot.ports.connector import STALE, Executed, Failed, InDoubt, Succeeded

_NOTHING: Final = "Nothing was written."


def outcome_of(answer: Answer, wanted: Wanted) -> Executed:
    """Return what *answer* proves about *wanted*."""
    match answer:
        case Done(told=told):
            # A post is told with its thread too; a reply by its id alone.
            found = told.get("activityId", told.get("id"))
            is_new = wanted.deed in {Deed.POST, Deed.REPLY}
            reference = found if isinstance(found, str) and is_message_id(found) else None
            return Succeeded(detail=_DONE[wanted.deed], reference=reference if is_new else None)
        case Refused():
            return _refused(answer, wanted)
        case NotSent(why=why, detail=detail):
            return Failed(reason=why.value, detail=f"{detail} {_NOTHING}")
        case NoAnswer(why=why, detail=detail):
            return InDoubt(reason=why.value, detail=f"{detail} {_LOOK[wanted.deed]}")
        case _:
            assert_never(answer)


def _refused(refused: Refused, wanted: Wanted) -> Executed:
    reason, _ = meaning_of(refused)
    if reason == STALE and wanted.deed is Deed.DELETE:
        # What was wanted is so; an attempt that was cut off may have done it.
        return Succeeded(detail="The message is not there any more: it was deleted before.")
    return Failed(reason=reason, detail=f"Teams refused: {in_words(refused)}. {_NOTHING}")


_DONE: Final = {
    Deed.POST: "Teams posted the message.",
    Deed.REPLY: "Teams posted the reply.",
    Deed.EDIT: "Teams changed the message.",
    Deed.DELETE: "Teams deleted the message.",
}
_LOOK: Final = {
    Deed.POST: "It may have been posted: look in the channel.",
    Deed.REPLY: "It may have been posted: look below that post.",
    Deed.EDIT: "The message may have been changed: look in the channel.",
    Deed.DELETE: "The message may have been deleted: look in the channel.",
}
