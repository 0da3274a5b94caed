"""The params of a verb: their JSON Schema (2020-12), closed, and what it says about each name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

import jsonschema_rs

from adapters.http.template import Name
from bot.core.canonical import Json

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_SCALARS: Final = frozenset({"string", "integer", "number", "boolean"})
_COMPOSING: Final = frozenset(
    {"$ref", "allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas", "$dynamicRef"}
)
_OPEN: Final = frozenset({"additionalProperties", "unevaluatedProperties"})


class SchemaRefused(Exception):
    """The schema cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class ParamsSchema:
    """``closed`` is the schema as declared, with unknown members refused where it is silent."""

    closed: Mapping[str, Json]

    def knows(self, name: Name) -> bool:
        """Tell whether params may have a value under *name*; the empty name is all of them."""
        return self._at(name) is not None

    def always_has_text(self, name: Name) -> bool:
        """Tell whether every value of the schema has a text, number or boolean under *name*."""
        node: Mapping[str, Json] = self.closed
        for step in name:
            if step not in _names(node.get("required")):
                return False
            node = _properties(node)[step]
        return bool(name) and _is_scalar(node)

    def not_in(self, used: frozenset[Name]) -> Iterator[Name]:
        """Yield every name under which params may carry something that no name of *used* covers."""
        yield from _uncovered(self.closed, (), used)

    def _at(self, name: Name) -> Mapping[str, Json] | None:
        node: Mapping[str, Json] | None = self.closed
        for step in name:
            if node is None:
                return None
            node = _properties(node).get(step)
        return node


def params_schema(schema: Mapping[str, Json]) -> ParamsSchema:
    """Return *schema*, checked and closed.

    Raises:
        SchemaRefused: it is not a schema of 2020-12, not of type object, or refers elsewhere.
    """
    if schema.get("type") != "object":
        raise SchemaRefused("the schema of params says type: object")
    if schema.get("$schema", _DRAFT) != _DRAFT:
        raise SchemaRefused(f"the schema of params is read as {_DRAFT}: leave $schema out")
    for reference in _references(schema):
        if not reference.startswith("#"):
            raise SchemaRefused(f"$ref {reference!r} leads outside of the schema")
    closed = _closed(schema)
    try:
        jsonschema_rs.Draft202012Validator(dict(closed))
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise SchemaRefused(f"this is not a JSON Schema: {first}") from None
    return ParamsSchema(closed)


def _closed(schema: Mapping[str, Json]) -> dict[str, Json]:
    closed = dict(schema)
    properties, items = schema.get("properties"), schema.get("items")
    if isinstance(properties, Mapping):
        closed["properties"] = {name: _closed_member(member) for name, member in properties.items()}
    if items is not None:
        closed["items"] = _closed_member(items)
    if schema.get("type") == "object" and not _OPEN.intersection(schema):
        composes = not _COMPOSING.isdisjoint(schema)
        closed["unevaluatedProperties" if composes else "additionalProperties"] = False
    return closed


def _closed_member(schema: Json) -> Json:
    return _closed(schema) if isinstance(schema, Mapping) else schema


def _uncovered(node: Mapping[str, Json], name: Name, used: frozenset[Name]) -> Iterator[Name]:
    if name in used:
        return
    properties = _properties(node)
    only_named = node.get("additionalProperties") is False and "patternProperties" not in node
    if properties and only_named:
        for step, member in properties.items():
            yield from _uncovered(member, (*name, step), used)
    elif name or not only_named:
        yield name


def _properties(node: Mapping[str, Json]) -> Mapping[str, Mapping[str, Json]]:
    properties = node.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    # `true` is a schema too, and says nothing.
    members = {
        name: member if isinstance(member, Mapping) else {} for name, member in properties.items()
    }
    return cast("Mapping[str, Mapping[str, Json]]", members)


def _is_scalar(node: Mapping[str, Json]) -> bool:
    if "type" in node:
        return node["type"] in _SCALARS if isinstance(node["type"], str) else False
    values = node.get("enum", [node["const"]] if "const" in node else [])
    return (
        isinstance(values, list)
        and bool(values)
        and all(isinstance(value, str | int | float) for value in values)
    )


def _names(value: Json) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, list | tuple) else frozenset()


def _references(value: Json) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, member in value.items():
            if key in {"$ref", "$dynamicRef"} and isinstance(member, str):
                yield member
            else:
                yield from _references(member)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _references(item)
