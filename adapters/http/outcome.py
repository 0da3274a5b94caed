"""What an answer proves about the effect. Failed is for what provably did not happen."""

from collections.abc import Mapping
from typing import Final, assert_never

from adapters.http.answer import Answer, AnswerUnreadable, are_same, as_reference, at_pointer
from adapters.http.client import Exchange
from adapters.http.config import FoundSection, InHeader, LookupSection, ReferenceSection
from adapters.http.template import MISSING, Missing, Scope, Template
from bot.core.canonical import Json
from bot.once import NoAnswer, NotSent
from bot.ports.connector import (
    STALE,
    Absent,
    Executed,
    Failed,
    Found,
    InDoubt,
    LookedUp,
    Succeeded,
    Unknown,
)

# RFC 9110, 15.5; RFC 4918, 11; RFC 6585. 408 is not here: a server that gave up waiting may have
# begun. Nor is 406: a server may find only after the effect that it cannot say so.
REFUSALS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("not_understood", "it does not understand the request"),
    401: ("credential_refused", "it does not accept Keyturn's credential"),
    402: ("payment_required", "it asks for payment first"),
    403: ("forbidden", "it does not allow Keyturn's credential to do this"),
    404: ("not_found", "what this is about is not there"),
    405: ("method_refused", "it does not allow this method here"),
    409: ("conflict", "this conflicts with how things are there now"),
    410: ("gone", "what this is about is gone"),
    411: ("length_required", "it does not understand the request"),
    412: ("precondition_failed", "a precondition of its own does not hold"),
    413: ("too_large", "the content is larger than it accepts"),
    414: ("address_too_long", "the address is longer than it accepts"),
    415: ("media_type_refused", "it does not accept JSON here"),
    421: ("misdirected", "it does not answer for this host"),
    422: ("unprocessable", "it does not accept the content"),
    423: ("locked", "what this is about is locked"),
    424: ("dependency_failed", "something that this depends on failed there"),
    425: ("too_early", "it does not want to act yet"),
    426: ("upgrade_required", "it asks for another protocol"),
    428: ("precondition_required", "it asks for an etag with this"),
    429: ("rate_limited", "it is asked too often and did not act"),
    431: ("headers_too_large", "the headers are larger than it accepts"),
    451: ("legally_refused", "it may not do this for legal reasons"),
}


def outcome_of(
    exchange: Exchange,
    *,
    reference: ReferenceSection | None,
    accepted_succeeds: bool,
    sent_etag: bool,
    sent_key: bool,
) -> Executed:
    """Return what *exchange* proves.

    *sent_etag* and *sent_key* say what the request carried: 412 means stale only with the first,
    409 may mean "still at it" with the second.
    """
    match exchange:
        case NotSent(why=why, detail=detail):
            return Failed(reason=why.value, detail=f"{detail} Nothing was sent.")
        case NoAnswer(why=why, detail=detail):
            return InDoubt(reason=why.value, detail=f"{detail} It may have acted all the same.")
        case Answer():
            pass
        case _:
            assert_never(exchange)
    status, words = exchange.status, exchange.excerpt()
    if status == 202 and not accepted_succeeds:
        return InDoubt(
            reason="accepted",
            detail=f"The target answered 202: it took the request and may act later.{words}",
        )
    if 200 <= status < 300:
        return _succeeded(exchange, reference)
    if status == 412 and sent_etag:
        return Failed(reason=STALE, detail="What would be changed is not as it was shown any more.")
    if status == 409 and sent_key:
        # draft-ietf-httpapi-idempotency-key-header, 2.7: also while the first is still running.
        return InDoubt(
            reason="conflict",
            detail=f"The target answered 409: this conflicts, or it is still at work on it.{words}",
        )
    if status in REFUSALS:
        reason, why_not = REFUSALS[status]
        return Failed(reason=reason, detail=f"The target answered {status}: {why_not}.{words}")
    return _doubt(status, words)


def _succeeded(answer: Answer, reference: ReferenceSection | None) -> Executed:
    detail = f"The target answered {answer.status}."
    if reference is None:
        return Succeeded(detail=detail)
    source: str | InHeader = (
        reference.pointer
        if reference.pointer is not None
        else InHeader(header=reference.header or "")
    )
    try:
        found: Mapping[str, Json] = answer.take({"reference": source})
    except AnswerUnreadable as error:
        return InDoubt(reason="answer_malformed", detail=f"{detail} But {error}.")
    named = as_reference(found.get("reference", MISSING))
    if named is None:
        return InDoubt(
            reason="answer_malformed",
            detail=f"{detail} But it does not say what was written, as it should.",
        )
    return Succeeded(detail=detail, reference=named)


def _doubt(status: int, words: str) -> InDoubt:
    if status == 408:
        return InDoubt(reason="timeout", detail="The target answered 408: it gave up waiting.")
    if 300 <= status < 400:
        return InDoubt(
            reason="redirected",
            detail=f"The target answered {status}: it points elsewhere, where Keyturn does not go.",
        )
    if status >= 500:
        return InDoubt(
            reason="server_error",
            detail=f"The target answered {status}: it failed and may have acted before.{words}",
        )
    return InDoubt(
        reason="unexpected_status",
        detail=f"The target answered {status}, which does not say whether it acted.{words}",
    )


def looked_up(
    exchange: Exchange, section: LookupSection, *, where: Mapping[str, Template], scope: Scope
) -> LookedUp:
    """Return whether *exchange* shows the effect."""
    if not isinstance(exchange, Answer):
        return Unknown(detail=exchange.detail)
    if exchange.status in section.found.status:
        seen = _seen(exchange, section.found, where=where, scope=scope)
        if seen is not None:
            return seen
    if exchange.status in section.absent.status:
        return Absent()
    return Unknown(detail=f"The target answered {exchange.status}, which does not tell.")


def _seen(
    answer: Answer, found: FoundSection, *, where: Mapping[str, Template], scope: Scope
) -> Found | Unknown | None:
    """Return what the body shows; None if it does not show the effect."""
    if not where and found.each is None and found.reference is None:
        return Found()
    try:
        body = answer.json()
    except AnswerUnreadable as error:
        return Unknown(detail=f"The target answered {answer.status}, but {error}.")
    items = [body] if found.each is None else at_pointer(body, found.each)
    if not isinstance(items, list):
        return Unknown(detail=f"The target's answer has no list at {found.each}.")
    expected = {pointer: template.value(scope) for pointer, template in where.items()}
    matching = [item for item in items if _holds(item, expected)]
    if len(matching) > 1:
        return Unknown(detail="More than one entry at the target looks like this one.")
    if matching:
        reference = MISSING if found.reference is None else at_pointer(matching[0], found.reference)
        return Found(reference=as_reference(reference))
    needed = (pointer for pointer, value in expected.items() if not isinstance(value, Missing))
    if found.each is None and any(isinstance(at_pointer(body, p), Missing) for p in needed):
        return Unknown(detail="The target's answer does not hold what it was asked for.")
    return None


def _holds(item: Json, expected: Mapping[str, Json | Missing]) -> bool:
    for pointer, value in expected.items():
        seen = at_pointer(item, pointer)
        if isinstance(value, Missing):
            if not isinstance(seen, Missing) and seen is not None:
                return False
        elif not are_same(seen, value):
            return False
    return True
