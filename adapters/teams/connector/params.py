"""The four verbs: the JSON Schema of each one's params, and what they come to."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final, cast

import jsonschema_rs

from adapters.teams.connector.message import MAX_LINES, MAX_TEXT_CHARS, is_too_large
from adapters.teams.connector.place import Place, place_of
from bot.core.canonical import Json
from bot.core.errors import InvalidInput
from bot.core.proposal import Action
from bot.core.verbs import Kind

#: No control characters but tab and line feed.
_LINES: Final = r"^[^\u0000-\u0008\u000b-\u001f\u007f]*$"
_SOMETHING: Final = r"\S"
_TEXT: Final = "/action/params/text"


@unique
class Deed(StrEnum):
    """What a verb does; its name follows the connector's prefix."""

    POST = "post"
    REPLY = "reply"
    EDIT = "edit"
    DELETE = "delete"

    @property
    def kind(self) -> Kind:
        return Kind.DESTRUCTIVE if self is Deed.DELETE else Kind.WRITE

    @property
    def summary(self) -> str:
        return {
            Deed.POST: "Post a message in a Teams channel",
            Deed.REPLY: "Reply to a post in a Teams channel",
            Deed.EDIT: "Edit a message that this app posted in Teams",
            Deed.DELETE: "Delete a message that this app posted in Teams",
        }[self]

    @property
    def shape(self) -> str:
        """What the resource of the verb names."""
        return {Deed.POST: "channel", Deed.REPLY: "post"}.get(self, "message")

    @property
    def may_repeat(self) -> bool:
        """Whether doing it twice is the same as doing it once."""
        return self in {Deed.EDIT, Deed.DELETE}

    @property
    def undone_by(self) -> "Deed | None":
        match self:
            case Deed.POST | Deed.REPLY:
                return Deed.DELETE
            case Deed.EDIT:
                return Deed.EDIT
            case Deed.DELETE:
                return None


def params_schema(deed: Deed) -> dict[str, Json]:
    """Return the schema that params of *deed* have to fit."""
    text: Json = {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_TEXT_CHARS,
        "allOf": [{"pattern": _LINES}, {"pattern": _SOMETHING}],
    }
    properties: dict[str, Json] = {}
    if deed is not Deed.DELETE:
        properties["text"] = text
    if deed is Deed.EDIT:
        properties["replaces"] = text
    if deed is Deed.DELETE:
        properties["says"] = text
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["text"] if "text" in properties else [],
        "properties": properties,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one action asks for; ``replaces`` is what the agent says is there now."""

    deed: Deed
    place: Place
    text: str = ""
    replaces: str | None = None


class Reader:
    """Reads actions of the verbs under one prefix."""

    def __init__(self, *, prefix: str) -> None:
        self.deeds: Mapping[str, Deed] = {f"{prefix}.{deed.value}": deed for deed in Deed}
        self.schemas = {deed: params_schema(deed) for deed in Deed}
        self._validators = {
            deed: jsonschema_rs.Draft202012Validator(schema)
            for deed, schema in self.schemas.items()
        }

    def name_of(self, deed: Deed) -> str:
        return next(name for name, one in self.deeds.items() if one is deed)

    def read(self, action: Action) -> Wanted:
        """Return what *action*, of one of the verbs here, asks for.

        Raises:
            InvalidInput: the resource or the params are not written so, or Teams has no room.
        """
        deed = self.deeds[action.verb]
        place = place_of(action.resource, shape=deed.shape)
        for error in self._validators[deed].iter_errors(dict(action.params)):
            field = "/action/params" + "".join(f"/{step}" for step in error.instance_path)
            raise InvalidInput("this does not fit the schema of the verb", field=field)
        text = cast("str", action.params.get("text", ""))
        if text.count("\n") >= MAX_LINES or is_too_large(text):
            raise InvalidInput("Teams has no room for a text of this size", field=_TEXT)
        return Wanted(
            deed=deed,
            place=place,
            text=text,
            replaces=cast("str | None", action.params.get("replaces")),
        )
