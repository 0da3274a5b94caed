"""Bodies: read with a cap and a time limit, parsed strictly, checked against their model."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeVar

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from bot.core.canonical import Json, parse
from bot.core.errors import SecretSent, TooLarge
from bot.core.secret_scan import find_secrets
from bot.http.problems import BodyInvalid, Fault, TooSlow, UnsupportedMediaType

MAX_FAULTS = 20
#: How long a body may be that does not say so: what it costs is counted before it is read.
UNANNOUNCED_BYTES: Final = 65_536

BODY_TIMEOUT_S = web.AppKey("body_timeout_s", float)


class Body(BaseModel):
    """Base of every request body: exact types, no unknown field.

    A longer one than ``most_bytes`` is refused unread: to look through it would cost others time.
    """

    most_bytes: ClassVar[int | None] = None
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)


class OpenBody(Body):
    """A body in which secrets, or what looks like one, have their place: a grant, a rule."""


ModelT = TypeVar("ModelT", bound=Body)


async def read_json(request: web.Request, *, most_bytes: int | None = None) -> Json:
    """Return the one value that the body of *request* spells.

    Raises:
        UnsupportedMediaType: it is not plain JSON.
        TooLarge: it is longer than *most_bytes*, or the application's ``client_max_size``.
        TooSlow: it did not arrive in time.
        InvalidInput: as :func:`bot.core.canonical.parse`.
    """
    if request.content_type != "application/json" or (
        request.charset is not None and request.charset.lower() != "utf-8"
    ):
        sent = request.headers.get(hdrs.CONTENT_TYPE)
        raise UnsupportedMediaType(
            "The header Content-Type is missing."
            if sent is None
            else "The Content-Type is not 'application/json' in UTF-8."
        )
    if hdrs.CONTENT_ENCODING in request.headers:
        raise UnsupportedMediaType("The body is compressed.")
    whole = request.client_max_size
    return parse(await _read(request, cap=whole if most_bytes is None else min(whole, most_bytes)))


async def _read(request: web.Request, *, cap: int) -> bytes:
    if request.content_length is None:
        cap = min(cap, UNANNOUNCED_BYTES)
    if request.content_length is not None and request.content_length > cap:
        raise TooLarge(f"The body is longer than {cap} bytes.")
    if request.content.is_eof():
        body = request.content.read_nowait()
        if len(body) > cap:
            raise TooLarge(f"The body is longer than {cap} bytes.")
        return body
    try:
        async with asyncio.timeout(request.app[BODY_TIMEOUT_S]):
            body = await request.read()
    except TimeoutError:
        raise TooSlow("The body did not arrive in time.") from None
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge(f"The body is longer than {cap} bytes.") from None
    if len(body) > cap:
        raise TooLarge(f"The body is longer than {cap} bytes.")
    return body


async def read_model(request: web.Request, model: type[ModelT]) -> ModelT:
    """Return the body of *request* as *model*; an absent body counts as an empty object.

    Raises:
        InvalidInput: as :func:`read_json` and :func:`fit`.
        SecretSent: there is a secret in it.
    """
    if not request.body_exists or request.content_length == 0:
        return fit({}, model)
    value = await read_json(request, most_bytes=model.most_bytes)
    if not issubclass(model, OpenBody):
        refuse_secrets(value)
    return fit(value, model)


def fit(value: Json, model: type[ModelT]) -> ModelT:
    """Return *value* as *model*.

    Raises:
        BodyInvalid: it does not fit, with everything that is wrong.
        SecretSent: it does not fit, and the faults might quote a secret.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        if not issubclass(model, OpenBody):
            refuse_secrets(value)
        raise BodyInvalid(_faults(error)) from None


def refuse_secrets(value: Json) -> None:
    """Check that nothing in *value* is a secret.

    Raises:
        SecretSent: naming the places, never the values.
    """
    if found := find_secrets(value):
        places = ", ".join(f"{secret.path or 'the body'} ({secret.kind})" for secret in found)
        raise SecretSent(f"What looks like a secret is at: {places}.", field=found[0].path)


def _faults(error: ValidationError) -> list[Fault]:
    found = error.errors(include_url=False, include_context=True, include_input=False)
    faults = [Fault(pointer(*detail["loc"]), _sentence(detail)) for detail in found[:MAX_FAULTS]]
    if len(found) > MAX_FAULTS:
        faults.append(Fault("", f"has {len(found) - MAX_FAULTS} more faults"))
    return faults


def pointer(*steps: str | int) -> str:
    """Return the JSON pointer (RFC 6901) to the value behind *steps*."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


#: What a pattern of the models asks for, for those who do not read patterns.
PATTERNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$": "a name of small letters and digits, "
        "with . _ - between them",
        r"^[\x21-\x7e]{1,200}$": "up to 200 ASCII characters without spaces",
        r"^[\x21-\x7e]+$": "ASCII characters without spaces",
        "^/": "a path that begins with /",
    }
)

_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "missing": "is missing",
        "extra_forbidden": "is not known here",
        "string_type": "must be a string",
        "int_type": "must be a whole number",
        "bool_type": "must be true or false",
        "dict_type": "must be an object",
        "list_type": "must be a list",
        "model_type": "must be an object",
        "model_attributes_type": "must be an object",
        "string_too_short": "must have at least {min_length} characters",
        "string_too_long": "must have at most {max_length} characters",
        "too_short": "must have at least {min_length} entries",
        "too_long": "must have at most {max_length} entries",
        "greater_than_equal": "must be at least {ge}",
        "less_than_equal": "must be at most {le}",
        "literal_error": "must be {expected}",
        "string_pattern_mismatch": "must match {pattern}",
    }
)


def _sentence(detail: ErrorDetails) -> str:
    template = _SENTENCES.get(detail["type"])
    if template is None:
        return f"is wrong: {detail['msg']}"
    context: dict[str, Any] = detail.get("ctx", {})
    if (words := PATTERNS.get(str(context.get("pattern")))) is not None:
        return f"must be {words}"
    if detail["type"] == "string_too_short" and context.get("min_length") == 1:
        return "must not be empty"
    return template.format(**context)
