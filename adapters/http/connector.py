"""The connector itself: inspect, preview, execute and look up, as the sections say."""

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from adapters.http.answer import Answer, AnswerUnreadable, are_same, as_reference, at_pointer
from adapters.http.client import Client, Exchange, NoAnswer, NotSent, Request
from adapters.http.outcome import outcome_of
from adapters.http.plan import AudiencePlan, Inspection, Plan
from adapters.http.template import MISSING, Missing, Scope, Template, Tree, as_text, fill
from adapters.http.words import in_a_sentence, on_one_line
from bot.core.canonical import Json, canonical
from bot.core.errors import InvalidInput, KeyturnError, UnknownVerb, UpstreamFailed
from bot.core.proposal import Action
from bot.core.verbs import Audience, Facts, Preview, Verb
from bot.ports.clock import Clock
from bot.ports.connector import (
    Absent,
    Executed,
    Failed,
    Found,
    InDoubt,
    LookedUp,
    Unknown,
)

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
        _request(plan, scope | {"key": "key"})  # whatever does not fit is refused before anyone is asked
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
            reversible=plan.section.say.reversible,
            before=facts.before,
        )

    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: datetime
    ) -> Executed:
        try:
            plan = self._plan(action)
            request = _request(plan, _scope(plan, action) | {"key": key})
            headers = _conditions(plan, key=key, etag=etag)
        except KeyturnError as error:
            return Failed(reason=error.code, detail=f"{error.message}. Nothing was sent.")
        within_s = (deadline - self._clock.now()).total_seconds() - MARGIN_S
        if within_s <= 0:
            return Failed(reason="timeout", detail="There was no time left. Nothing was sent.")
        exchange = await self._client.send(
            Request(
                method=request.method,
                target=request.target,
                headers=request.headers | headers,
                body=request.body,
            ),
            within_s=min(within_s, self._timeout_s),
        )
        return outcome_of(
            exchange,
            reference=plan.section.reference,
            accepted_succeeds=plan.section.request.accepted == "succeeded",
            sent_etag="If-Match" in headers,
            sent_key=plan.section.idempotency is not None,
        )

    async def lookup(self, action: Action, *, key: str) -> LookedUp:
        ...

    async def close(self) -> None:
        await self._client.close()
