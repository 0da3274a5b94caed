"""The section of a connector ``type: http`` in ``keyturn.yaml``, as it is written there."""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self, TypeAlias, cast
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from bot.core.canonical import Json, canonical
from bot.core.errors import InvalidInput
from bot.core.ip_address import is_disguised, is_literal, why_refused
from bot.core.verbs import Kind, Reach

MAX_TIMEOUT_S: Final = 120
MAX_RESPONSE_BYTES: Final = 16 * 2**20
MAX_UNDO_WINDOW_S: Final = 30 * 86_400
VERB_NAME: Final = r"^[a-z][a-z0-9_.-]{0,99}$"

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80}")  # RFC 9110, 5.6.2
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,998}[\x21-\x7e])?")
_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)*")  # RFC 6901
_PLAIN_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}")

#: What Keyturn writes itself, or what would change how the message is read.
_OWN_HEADERS: Final = frozenset(
    {
        *("accept-encoding", "authorization", "connection", "content-encoding", "content-length"),
        *("content-type", "cookie", "expect", "host", "if-match", "keep-alive", "te", "trailer"),
        *("proxy-authorization", "proxy-connection", "transfer-encoding", "upgrade"),
    }
)


def _header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError("this is not the name of a header")
    return name


def _free_header_name(name: str) -> str:
    if _header_name(name).lower() in _OWN_HEADERS:
        raise ValueError("Keyturn sets this header itself: leave it out")
    return name


def _header_value(value: str) -> str:
    if not _HEADER_VALUE.fullmatch(value):
        raise ValueError("a header's value is one line of printable ASCII, not blank at its ends")
    return value


def _pointer(pointer: str) -> str:
    if not _POINTER.fullmatch(pointer):
        raise ValueError("this is not a JSON pointer such as /issue/title")
    return pointer


def _text_keys(value: object) -> object:
    # YAML reads a bare `true:` or `404:` as a boolean or a number.
    if not isinstance(value, Mapping):
        return value
    words = {True: "true", False: "false"}
    return {
        words[key] if isinstance(key, bool) else str(key) if isinstance(key, int) else key: member
        for key, member in value.items()
    }


def _audience_tag(value: object) -> str:
    by_value = isinstance(value, ByValue) or (isinstance(value, Mapping) and "of" in value)
    return "by_value" if by_value else "fixed"


def _json(value: object) -> Json:
    try:
        canonical(cast("Json", value))
    except InvalidInput as error:
        raise ValueError(error.message) from None
    return cast("Json", value)


def _json_object(value: object) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise ValueError("write a mapping")  # noqa: TRY004  pydantic collects ValueErrors alone
    return cast("Mapping[str, Json]", _json(value))


HeaderName: TypeAlias = Annotated[str, AfterValidator(_header_name)]
FreeHeaderName: TypeAlias = Annotated[str, AfterValidator(_free_header_name)]
HeaderValue: TypeAlias = Annotated[str, AfterValidator(_header_value)]
Pointer: TypeAlias = Annotated[str, AfterValidator(_pointer)]
JsonValue: TypeAlias = Annotated[Json, PlainValidator(_json)]
Status: TypeAlias = Annotated[int, Field(ge=200, le=499)]
Line: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")
]


class Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class InHeader(Section):
    """A value that stands in the header of a message."""

    header: HeaderName


class OwnHeader(Section):
    """A header that Keyturn is to add."""

    header: FreeHeaderName


class CredentialSection(Section):
    """``reference`` says where the credential is kept; the credential itself is never here."""

    reference: Line
    send: Literal["bearer", "basic"] | OwnHeader


class RequestSection(Section):
    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    path: Line
    query: dict[str, str] = {}
    body: JsonValue = None
    if_match: bool = True
    accepted: Literal["in_doubt", "succeeded"] = "in_doubt"


class AskSection(Section):
    """A request that reads. There are no others outside ``request``."""

    method: Literal["GET", "HEAD"] = "GET"
    path: Line
    query: dict[str, str] = {}


class InspectSection(AskSection):
    must_exist: bool = True
    matches: dict[Pointer, Line] = {}
    take: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")], Pointer | InHeader] = {}


class FoundSection(Section):
    status: Annotated[list[Status], Field(min_length=1)] = [200]
    each: Pointer | None = None
    where: dict[Pointer, str] = {}
    reference: Pointer | None = None


class AbsentSection(Section):
    status: Annotated[list[Status], Field(min_length=1)] = [404]


class LookupSection(AskSection):
    found: FoundSection = FoundSection()
    absent: AbsentSection = AbsentSection()


class FixedAudience(Section):
    reach: Annotated[Reach, Field(strict=False)]
    who: Line
    readers: Annotated[int, Field(ge=0)] | Line | None = None


class ByValue(Section):
    """Which audience it is depends on one value; any other value than the cases is unknown."""

    of: Line
    cases: Annotated[dict[str, FixedAudience], BeforeValidator(_text_keys), Field(min_length=1)]


AudienceSection: TypeAlias = Annotated[
    Annotated[FixedAudience, Tag("fixed")] | Annotated[ByValue, Tag("by_value")],
    Discriminator(_audience_tag),
]


class SaySection(Section):
    """What the card says. ``target`` is the resource as it is written, where nothing else is."""

    effect: Line
    target: Line | None = None
    reversible: Line | None = None


class ReferenceSection(Section):
    """Where a successful answer says what was written; exactly one of the two."""

    header: HeaderName | None = None
    pointer: Pointer | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.header is None) == (self.pointer is None):
            raise ValueError("name either a header or a pointer")
        return self


class UndoSection(Section):
    """The action that takes back what this verb did, for so long after it was done."""

    verb: Annotated[str, Field(pattern=VERB_NAME)]
    window_s: Annotated[int, Field(ge=1, le=MAX_UNDO_WINDOW_S)]
    resource: Line
    params: Annotated[dict[str, Json], PlainValidator(_json_object)] = {}


class VerbSection(Section):
    summary: Line
    kind: Annotated[Kind, Field(strict=False)]
    resource: Line
    resources: Annotated[list[Line], Field(min_length=1)] | None = None
    params: Annotated[dict[str, Json], PlainValidator(_json_object)]
    request: RequestSection
    idempotency: OwnHeader | None = None
    lookup: LookupSection | None = None
    settles_after_s: Annotated[int, Field(ge=0, le=86_400)] = 60
    inspect: list[InspectSection] = []
    before: JsonValue = None
    etag: Line | None = None
    audience: AudienceSection
    say: SaySection
    reference: ReferenceSection | None = None
    undo: UndoSection | None = None


class ConnectorSection(Section):
    type: Literal["http"]
    allow_private: bool = False
    base_url: str
    credential: CredentialSection | None = None
    headers: dict[FreeHeaderName, HeaderValue] = {}
    timeout_s: Annotated[float, Field(gt=0, le=MAX_TIMEOUT_S)] = 10
    max_response_bytes: Annotated[int, Field(ge=1, le=MAX_RESPONSE_BYTES)] = 2**20
    verbs: Annotated[
        dict[Annotated[str, Field(pattern=VERB_NAME)], VerbSection],
        Field(min_length=1),
    ]

    @field_validator("base_url")
    @classmethod
    def _url(cls, base_url: str, info: ValidationInfo) -> str:
        refusal = why_unusable(base_url, allow_private=info.data.get("allow_private", False))
        if refusal:
            raise ValueError(refusal)
        return base_url


def why_unusable(base_url: str, *, allow_private: bool) -> str | None:
    """Return what is wrong with *base_url*, or None. It is not repeated: it may hold a secret."""
    try:
        url = urlsplit(base_url)
        host, port = url.hostname or "", url.port
    except ValueError:
        return "this is not a URL"
    if url.username is not None or url.password is not None:
        return "the URL carries a credential: declare it under credential, as a reference"
    if url.scheme not in {"http", "https"} or not host or port == 0 or not base_url.isascii():
        return "write a URL such as https://api.example.com"
    if url.query or url.fragment or not _PLAIN_PATH.fullmatch(url.path):
        return "the URL ends with a plain path: no query, no fragment, no %-codes, no empty part"
    if {".", ".."}.intersection(url.path.split("/")):
        return "the URL has a path with . or .. in it: write it out"
    if url.scheme == "http" and not allow_private:
        return "http can be read and changed by anybody on the way: use https"
    return _why_no_host(host, allow_private=allow_private)


def _why_no_host(host: str, *, allow_private: bool) -> str | None:
    if is_literal(host):
        refusal = why_refused(host, allow_private=allow_private)
        return f"the URL leads to {host}, {refusal}" if refusal else None
    if is_disguised(host) or not _HOST.fullmatch(host):
        return "the URL needs a host name, or an address written out such as 192.0.2.7"
    return None
