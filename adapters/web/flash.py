"""What a press led to, kept just long enough for the page that follows to say it."""

from collections.abc import Callable
from enum import StrEnum, unique
from typing import Final, assert_never

from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.web.session import Proven
from bot.core.pressed import NotRecorded, NotYetRecorded, Pressed, Recorded
from bot.ports.shelf import Shelf

KIND: Final = "web.flash"
_KEPT_FOR_S: Final = 600


@unique
class Tone(StrEnum):
    RECORDED = "recorded"
    REFUSED = "refused"
    WAITING = "waiting"


class Flash(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    tone: Tone
    text: str

    @property
    def heading(self) -> str:
        match self.tone:
            case Tone.RECORDED:
                return "Recorded"
            case Tone.REFUSED:
                return "Not recorded"
            case Tone.WAITING:
                return "Not recorded yet"


def flash_of(pressed: Pressed) -> Flash:
    match pressed:
        case Recorded(message=message):
            return Flash(tone=Tone.RECORDED, text=message)
        case NotRecorded(message=message):
            return Flash(tone=Tone.REFUSED, text=message)
        case NotYetRecorded(message=message):
            return Flash(tone=Tone.WAITING, text=message)
        case _:
            assert_never(pressed)


class Flashes:
    """Reading one does not use it up: a page that is fetched ahead cannot swallow the answer."""

    def __init__(self, shelf: Shelf, *, entropy: Callable[[int], bytes]) -> None:
        self._shelf = shelf
        self._entropy = entropy

    async def leave(self, session: Proven, flash: Flash) -> str:
        """Return the name under which *session*, and no other, finds *flash*."""
        name = self._entropy(8).hex()
        value = flash.model_dump_json().encode()
        await self._shelf.put(KIND, f"{session.key}.{name}", value, ttl_s=_KEPT_FOR_S)
        return name

    async def find(self, session: Proven, name: str) -> Flash | None:
        item = await self._shelf.get(KIND, f"{session.key}.{name}") if name else None
        if item is None:
            return None
        try:
            return Flash.model_validate_json(item.value)
        except ValidationError:
            return None
