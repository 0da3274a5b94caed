"""The connector itself: inspect, preview, execute and look up, as the sections say."""

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from adapters.http.answer import Answer, AnswerUnreadable, are_same, at_pointer, is_exact
from adapters.http.client import Client, Request
from adapters.http.outcome import looked_up, outcome_of
from adapters.http.plan import REFERENCE, AudiencePlan, Inspection, Plan
from adapters.http.template import Missing, Scope, Template, as_text, fill
from adapters.http.words import in_a_sentence, on_one_line, reversible
from bot.core.canonical import MAX_DEPTH, Json, canonical
from bot.core.errors import InvalidInput, KeyturnError, UnknownVerb, UpstreamFailed
from bot.core.proposal import Action, facts_value
from bot.core.verbs import Audience, Facts, Preview, Verb
from bot.ports.clock import Clock
from bot.ports.connector import Executed, Failed, LookedUp, Unknown

#: Kept back from the deadline, so that the outcome is there before it.
MARGIN_S: Final = 0.2

_ETAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"')  # RFC 9110, 8.8.3, ASCII alone
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


class HttpConnector:
    """Carries out verbs that are declared in YAML. Built by `adapters.http.create`."""

    def __init__(
        self,
        *,
        name: str,
        verbs: Mapping[str, Verb],
        plans: Mapping[str, Plan],
        client: Client,
        timeout_s: float,
        clock: Clock,
    ) -> None:
        self._name = name
        self._verbs = verbs
        self._plans = plans
        self._client = client
        self._timeout_s = timeout_s
        self._clock = clock

    def __repr__(self) -> str:
        return f"HttpConnector({self._name!r}, verbs={sorted(self._verbs)!r})"

    @property
    def name(self) -> str:
        return self._name

    @property
    def verbs(self) -> Mapping[str, Verb]:
        return self._verbs

    async def inspect(self, action: Action) -> Facts:
        plan = self._plan(action)
        scope = _scope(plan, action)
        _request(plan, scope | {"key": ""}, {})  # what does not fit is refused at once
        seen: dict[str, Json] = {}
        try:
            async with asyncio.timeout(self._timeout_s):
                for inspection in plan.inspections:
                    seen |= await self._observe(inspection, scope)
        except TimeoutError:
            raise UpstreamFailed("The target did not answer in time.") from None
        return _facts(plan, scope | {"seen": seen})

    def preview(self, action: Action, facts: Facts) -> Preview:
        plan = self._plan(action)
        try:
            parts = plan.resource.parts(action.resource)
        except InvalidInput:
            parts = {}
        scope: Scope = {"params": action.params, "resource": parts, "before": facts.before}
        says_target = plan.says_target
        return Preview(
            effect=in_a_sentence(plan.effect, scope),
            target=in_a_sentence(says_target, scope) if says_target else action.resource,
            reversible=reversible(plan.section),
            before=facts.before,
        )

    def undo(self, action: Action, *, reference: str | None) -> Action | None:
        try:
            plan = self._plan(action)
            if plan.undo is None:
                return None
            if REFERENCE in plan.undo.names and not is_exact(reference):
                return None
            scope = _scope(plan, action) | {"reference": reference}
            resource, params = plan.undo.resource.text(scope), fill(plan.undo.params, scope)
        except InvalidInput:
            return None
        if not isinstance(params, Mapping):
            return None
        return Action(verb=plan.undo.section.verb, resource=resource, params=params)

    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: datetime
    ) -> Executed:
        try:
            plan = self._plan(action)
            headers = _conditions(plan, key=key, etag=etag)
            request = _request(plan, _scope(plan, action) | {"key": key}, headers)
        except KeyturnError as error:
            return Failed(reason=error.code, detail=f"{error.message}. Nothing was sent.")
        within_s = (deadline - self._clock.now()).total_seconds() - MARGIN_S
        if within_s <= 0:
            return Failed(reason="timeout", detail="There was no time left. Nothing was sent.")
        exchange = await self._client.send(request, within_s=min(within_s, self._timeout_s))
        return outcome_of(
            exchange,
            reference=plan.section.reference,
            accepted_succeeds=plan.section.request.accepted == "succeeded",
            sent_etag="If-Match" in headers,
            sent_key=plan.section.idempotency is not None,
        )

    async def lookup(self, action: Action, *, key: str) -> LookedUp:
        try:
            plan = self._plan(action)
            scope = _scope(plan, action) | {"key": key}
            if plan.lookup is None or plan.section.lookup is None:
                return Unknown(detail="There is no way to ask the target about this verb.")
            target = plan.lookup.fill(scope)
        except KeyturnError as error:
            return Unknown(detail=f"{error.message}.")
        request = Request(method=plan.section.lookup.method, target=target)
        exchange = await self._client.send(request, within_s=self._timeout_s)
        return looked_up(exchange, plan.section.lookup, where=plan.where, scope=scope)

    async def close(self) -> None:
        await self._client.close()

    def _plan(self, action: Action) -> Plan:
        try:
            return self._plans[action.verb]
        except KeyError:
            raise UnknownVerb(f"the connector {self._name} has no such verb") from None

    async def _observe(self, inspection: Inspection, scope: Scope) -> Mapping[str, Json]:
        section = inspection.section
        request = Request(method=section.method, target=inspection.target.fill(scope))
        exchange = await self._client.send(request, within_s=self._timeout_s)
        if not isinstance(exchange, Answer):
            raise UpstreamFailed(exchange.detail)
        if exchange.status in {404, 410} and not section.must_exist:
            return {}
        if exchange.status in {404, 410}:
            raise InvalidInput(
                "the resource does not exist, or Keyturn's credential may not see it",
                field="/action/resource",
            )
        if not 200 <= exchange.status < 300:
            raise UpstreamFailed(f"The target answered {exchange.status}.{exchange.excerpt()}")
        try:
            self._compare(inspection, exchange, scope)
            return exchange.take(section.take)
        except AnswerUnreadable as error:
            raise UpstreamFailed(f"The target answered {exchange.status}, but {error}.") from None

    @staticmethod
    def _compare(inspection: Inspection, answer: Answer, scope: Scope) -> None:
        body = answer.json() if inspection.matches else None
        for pointer, expected in inspection.matches.items():
            if not are_same(at_pointer(body, pointer), expected.value(scope)):
                raise InvalidInput(
                    f"the resource does not fit what the target says at {pointer}",
                    field="/action/resource",
                )


def _scope(plan: Plan, action: Action) -> dict[str, Json]:
    return {"params": action.params, "resource": plan.resource.parts(action.resource)}


def _request(plan: Plan, scope: Scope, conditions: Mapping[str, str]) -> Request:
    """Return what is sent.

    Raises:
        InvalidInput: a value is missing, or does not fit its place.
    """
    body = fill(plan.body, scope)
    method, target = plan.section.request.method, plan.target.fill(scope)
    if isinstance(body, Missing) or plan.section.request.body is None:
        return Request(method=method, target=target, headers=conditions)
    headers = {**conditions, "Content-Type": "application/json"}
    return Request(method=method, target=target, headers=headers, body=canonical(body))


def _conditions(plan: Plan, *, key: str, etag: str | None) -> dict[str, str]:
    """Return the headers that tie the request to its key and to what people were shown.

    Raises:
        InvalidInput: one of them is not what such a header may hold.
    """
    headers: dict[str, str] = {}
    if plan.section.idempotency is not None:
        if not _KEY.fullmatch(key):
            raise InvalidInput("the key cannot be sent in a header")
        headers[plan.section.idempotency.header] = key
    if etag is not None and plan.section.request.if_match:
        if not _ETAG.fullmatch(etag):
            raise InvalidInput("the etag is not written as a target writes it, in double quotes")
        headers["If-Match"] = etag
    return headers


def _facts(plan: Plan, scope: Scope) -> Facts:
    before = fill(plan.before, scope)
    etag = plan.etag.value(scope) if plan.etag is not None else None
    if isinstance(etag, Missing):
        etag = None
    if etag is not None and not (isinstance(etag, str) and _ETAG.fullmatch(etag)):
        raise UpstreamFailed("The target's etag is not written as RFC 9110 asks, in double quotes.")
    facts = Facts(
        audience=_audience(plan, scope),
        before=None if isinstance(before, Missing) or before == {} else before,
        etag=etag,
    )
    try:
        canonical(facts_value(facts), max_depth=MAX_DEPTH - 2)
    except InvalidInput as error:
        raise UpstreamFailed(f"The target answered what cannot be kept: {error.message}.") from None
    return facts


def _audience(plan: Plan, scope: Scope) -> Audience:
    case = "" if plan.of is None else plan.of.said(scope, _as_case)
    audience = plan.audiences.get(case)
    if audience is None:
        return Audience()
    return Audience(
        reach=audience.reach,
        who=on_one_line(audience.who, scope),
        readers=_readers(audience, scope),
    )


def _as_case(value: Json | Missing) -> str:
    return "" if isinstance(value, Missing) else as_text(value)


def _readers(audience: AudiencePlan, scope: Scope) -> int | None:
    readers = audience.readers
    if not isinstance(readers, Template):
        return readers
    value = readers.value(scope)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return None
