"""The section of a connector ``type: release`` in ``keyturn.yaml``, as it is written there."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias, cast

import jsonschema_rs
from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from bot.core.canonical import Json, canonical
from bot.core.errors import InvalidInput
from bot.core.verbs import Kind, Reach


def _schema(value: object) -> Mapping[str, Json]:
    if not isinstance(value, Mapping) or value.get("type") != "object":
        raise ValueError("write a JSON Schema with `type: object`")
    try:
        canonical(cast("Json", value))
    except InvalidInput as error:
        raise ValueError(error.message) from None
    if not jsonschema_rs.meta.is_valid(dict(value)):
        raise ValueError("this is not a JSON Schema (draft 2020-12)")
    # A param that nobody declared is one that nobody may have thought of.
    return {"additionalProperties": False, **cast("Mapping[str, Json]", value)}


Line: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")
]


class Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class SeenBy(Section):
    """Who will see the effect."""

    reach: Annotated[Reach, Field(strict=False)]
    who: Line
    readers: Annotated[int, Field(ge=0)] | None = None


class SaySection(Section):
    """What the card says."""

    effect: Line
    reversible: Line = "Keyturn cannot undo this."


class VerbSection(Section):
    summary: Line
    kind: Annotated[Kind, Field(strict=False)]
    resources: Annotated[list[Line], Field(min_length=1)]
    params: Annotated[Mapping[str, Json], PlainValidator(_schema)]
    seen_by: SeenBy
    say: SaySection


class ConnectorSection(Section):
    type: Literal["release"]
    audience: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,200}$")]
    report_within_s: Annotated[int, Field(ge=10, le=86_400)] = 300
    verbs: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,99}$")], VerbSection],
        Field(min_length=1),
    ]
