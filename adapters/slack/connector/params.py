"""The four verbs: the JSON Schema of each one's params, and what they come to."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final, cast

import jsonschema_rs

from adapters.slack.connector.message import EVERYBODY, MAX_MENTIONS, MAX_TEXT_CHARS
from adapters.slack.connector.place import Place, place_of
from bot.core.canonical import Json
from bot.core.errors import InvalidInput
from bot.core.proposal import Action
from bot.core.verbs import Kind

#: No control characters but tab and line feed.
_LINES: Final = r"^[^\u0000-\u0008\u000b-\u001f\u007f]*$"
_SOMETHING: Final = r"\S"


@unique
class Deed(StrEnum):
    """What a verb does; its name follows the connector's prefix."""

    POST = "post"
    REPLY = "reply"
    UPDATE = "update"
    DELETE = "delete"

    @property
    def kind(self) -> Kind:
        return Kind.DESTRUCTIVE if self is Deed.DELETE else Kind.WRITE

    @property
    def summary(self) -> str:
        return {
            Deed.POST: "Post a message in a Slack channel",
            Deed.REPLY: "Reply in a thread in Slack",
            Deed.UPDATE: "Change a message that this app posted in Slack",
            Deed.DELETE: "Delete a message that this app posted in Slack",
        }[self]

    @property
    def names_message(self) -> bool:
        return self is not Deed.POST

    @property
    def changes_message(self) -> bool:
        return self in {Deed.UPDATE, Deed.DELETE}

    @property
    def undone_by(self) -> "Deed | None":
        match self:
            case Deed.POST | Deed.REPLY:
                return Deed.DELETE
            case Deed.UPDATE:
                return Deed.UPDATE
            case Deed.DELETE:
                return None


def params_schema(deed: Deed, *, mentions: bool) -> dict[str, Json]:
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
    if deed is Deed.UPDATE:
        properties["replaces"] = text
    if mentions and deed in {Deed.POST, Deed.REPLY}:
        properties["mention"] = {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_MENTIONS,
            "uniqueItems": True,
            "items": {
                "type": "string",
                "pattern": rf"^(?:{'|'.join(EVERYBODY)}|[UWS][A-Z0-9]{{2,20}})$",
            },
        }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["text"] if "text" in properties else [],
        "properties": properties,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one action asks for. ``replaces`` is what the agent says is there now."""

    deed: Deed
    place: Place
    text: str = ""
    replaces: str | None = None
    mention: tuple[str, ...] = ()


class Reader:
    """Reads actions of the verbs under one prefix, in one workspace."""

    def __init__(self, *, team: str, prefix: str, mentions: bool) -> None:
        self._team = team
        self.deeds: Mapping[str, Deed] = {f"{prefix}.{deed.value}": deed for deed in Deed}
        self.schemas = {deed: params_schema(deed, mentions=mentions) for deed in Deed}
        self._validators = {
            deed: jsonschema_rs.Draft202012Validator(schema)
            for deed, schema in self.schemas.items()
        }

    def name_of(self, deed: Deed) -> str:
        return next(name for name, one in self.deeds.items() if one is deed)

    def read(self, action: Action) -> Wanted:
        """Return what *action*, of one of the verbs here, asks for.

        Raises:
            InvalidInput: the resource or the params are not written so.
        """
        deed = self.deeds[action.verb]
        place = place_of(action.resource, team=self._team, names_message=deed.names_message)
        for error in self._validators[deed].iter_errors(dict(action.params)):
            field = "/action/params" + "".join(f"/{step}" for step in error.instance_path)
            raise InvalidInput("this does not fit the schema of the verb", field=field)
        return Wanted(
            deed=deed,
            place=place,
            text=cast("str", action.params.get("text", "")),
            replaces=cast("str | None", action.params.get("replaces")),
            mention=tuple(cast("tuple[str, ...]", action.params.get("mention", ()))),
        )
