"""Errors on the wire: RFC 9457 problems that say what to do next.

Every error of :mod:`bot.core.errors` has one stable ``type``, ``urn:keyturn:problem:CODE``.
What only HTTP can get wrong has its errors here.
"""

import logging
import math
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from aiohttp import hdrs, web
from multidict import CIMultiDict

from bot.core import errors
from bot.core.errors import (
    Halted,
    InvalidInput,
    KeyturnError,
    NotAuthenticated,
    NotFound,
    TooLarge,
    TooMany,
    Unavailable,
)
from bot.core.secret_scan import without_secrets
from bot.http.answers import SERVER

TYPE_PREFIX = "urn:keyturn:problem:"
MEDIA_TYPE = "application/problem+json"

#: How long to stay away where the error itself does not know, in whole seconds.
RETRY_AFTER_HALT_S = 60
RETRY_AFTER_UNAVAILABLE_S = 2

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a request; ``field`` is a JSON pointer into its body."""

    field: str
    detail: str


class BodyInvalid(InvalidInput):
    """Everything that is wrong with a body, told at once; ``field`` is the first of ``faults``."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        places = [f"{fault.field or 'the body'} {fault.detail}" for fault in faults]
        super().__init__(f"{'; '.join(places)}.", field=faults[0].field)
        self.faults = tuple(faults)


class UnsupportedMediaType(InvalidInput):
    code = "unsupported_media_type"
    status = 415
    title = "The body is not plain JSON"
    default_remedy = (
        "Send the body uncompressed, in UTF-8, with the header 'Content-Type: application/json'."
    )


class MalformedRequest(InvalidInput):
    code = "malformed_request"
    status = 400
    title = "This is not a request in HTTP"
    default_remedy = (
        "Send HTTP/1.1 with a client that writes it, each header once and under 8,190 bytes, "
        "and no Expect but 100-continue."
    )


class TooSlow(InvalidInput):
    code = "too_slow"
    status = 408
    title = "The request did not arrive in time"
    default_remedy = "Send the whole body at once, with the same Idempotency-Key."


class MethodNotAllowed(InvalidInput):
    """``allowed`` are the methods that this address knows."""

    code = "method_not_allowed"
    status = 405
    title = "This address does not know this method"
    default_remedy = "Use one of the methods in the Allow header."

    def __init__(self, message: str, *, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.allowed = tuple(allowed)


class PolicyNotLoaded(InvalidInput):
    """``problems`` are all that was found, each a sentence."""

    code = "policy_not_loaded"
    title = "The policy does not load; the old one stays in force"
    default_remedy = "Correct what is named, then try again."

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


class NotReady(Unavailable):
    """``missing`` says, each in a sentence, what has to come first."""

    code = "not_ready"
    title = "Keyturn is not ready"
    default_remedy = "Wait. If it stays so, the operator finds the reason in the log."

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(" ".join(missing))
        self.missing = tuple(missing)


def problem(error: KeyturnError, *, correlation: str | None = None) -> web.Response:
    """Return *error* as an answer. *correlation* leads to the log entry of an unexpected error."""
    body: dict[str, object] = {
        "type": TYPE_PREFIX + error.code,
        "title": error.title,
        "status": error.status,
        "detail": without_secrets(error.message),
        "code": error.code,
        "remedy": without_secrets(error.remedy),
    }
    headers = CIMultiDict(
        {hdrs.CONTENT_TYPE: MEDIA_TYPE, hdrs.CACHE_CONTROL: "no-store", hdrs.SERVER: SERVER}
    )
    if correlation is not None:
        body["correlation"] = correlation
    if isinstance(error, InvalidInput) and error.field is not None:
        body["field"] = without_secrets(error.field)
    if isinstance(error, BodyInvalid):
        body["errors"] = [
            {"field": without_secrets(f.field), "detail": without_secrets(f.detail)}
            for f in error.faults
        ]
    if isinstance(error, MethodNotAllowed):
        headers[hdrs.ALLOW] = ", ".join(error.allowed)
    if isinstance(error, NotReady):
        body["missing"] = list(error.missing)
    if isinstance(error, PolicyNotLoaded):
        body["problems"] = list(error.problems)
    if isinstance(error, NotAuthenticated):
        headers[hdrs.WWW_AUTHENTICATE] = 'Bearer realm="keyturn"'
    if isinstance(error, TooMany):
        body["cap"] = error.cap
    retry_after_s = _retry_after_s(error)
    if retry_after_s is not None:
        body["retry_after_s"] = retry_after_s
        headers[hdrs.RETRY_AFTER] = str(retry_after_s)
    answer = web.Response(status=error.status, body=orjson.dumps(body), headers=headers)
    if error.status in _CLOSING:
        answer.force_close()
    return answer


#: After these the rest of the request may still be under way, and nobody will read it.
_CLOSING = frozenset({TooSlow.status, TooLarge.status})


def _retry_after_s(error: KeyturnError) -> int | None:
    match error:
        case TooMany():
            return max(1, math.ceil(error.retry_after_s))
        case Halted():
            return RETRY_AFTER_HALT_S
        case Unavailable():
            return RETRY_AFTER_UNAVAILABLE_S
        case _:
            return None


def answer_problems(counted: Callable[[str], None]) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Return the one middleware: whatever goes wrong leaves as a problem, its code *counted*."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except KeyturnError as error:
            counted(error.code)
            if error.status >= 500 and error.__cause__ is not None:
                log.warning(
                    "refused",
                    exc_info=error.__cause__,
                    extra={"code": error.code, "route": _route_of(request)},
                )
            return problem(error)
        except web.HTTPException as error:
            known = _from_http(request, error)
            if known is None:
                return _unexpected(request, error, counted)
            counted(known.code)
            return problem(known)
        except (ConnectionError, web.RequestPayloadError) as error:
            if request.transport is None or request.transport.is_closing():
                raise
            if isinstance(error, web.RequestPayloadError):
                counted(InvalidInput.code)
                return problem(InvalidInput("The body is broken off or wrongly encoded."))
            return _unexpected(request, error, counted)
        except Exception as error:  # noqa: BLE001 - logged whole; the client gets no details
            return _unexpected(request, error, counted)

    return middleware


def _from_http(request: web.Request, error: web.HTTPException) -> KeyturnError | None:
    match error:
        case web.HTTPMethodNotAllowed():
            return MethodNotAllowed(
                f"This address does not know {request.method}.",
                allowed=sorted(error.allowed_methods),
            )
        case web.HTTPNotFound():
            return NotFound(
                "There is nothing at this address.",
                remedy="The OpenAPI document lists every address.",
            )
        case web.HTTPRequestEntityTooLarge():
            return TooLarge("The body is larger than this deployment takes.")
        case _:
            return None


def _unexpected(
    request: web.Request, error: Exception, counted: Callable[[str], None]
) -> web.Response:
    correlation = secrets.token_hex(8)
    log.error(
        "unexpected error",
        exc_info=error,
        extra={"correlation": correlation, "route": _route_of(request)},
    )
    counted(KeyturnError.code)
    return problem(
        KeyturnError(
            "Something unexpected happened. It is in the operator's log under the correlation.",
            remedy="Try again with the same Idempotency-Key: it is not known how far it came.",
        ),
        correlation=correlation,
    )


def _route_of(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical if resource else 'unknown'}"


def every_error() -> Mapping[str, type[KeyturnError]]:
    """Return every error of the public tree and of this module, by its code."""
    named = (*vars(errors).values(), *globals().values())
    classes = (one for one in named if isinstance(one, type) and issubclass(one, KeyturnError))
    # A subclass that only carries more has its parent's code and words.
    found = {one.code: one for one in classes if "code" in vars(one)}
    return dict(sorted(found.items()))
