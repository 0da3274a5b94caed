"""The suite must fail on a connector that does not keep the contract: faults planted in copies."""

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession

from adapters.http import HttpConnector
from bot.core.proposal import Action
from bot.core.verbs import Facts, Preview, Verb
from bot.ports.connector import (
    Absent,
    Connector,
    Executed,
    Failed,
    InDoubt,
    LookedUp,
    Succeeded,
    Unknown,
)
from bot.testing.connector import ConnectorConformance
from tests.connectors.samples import SAMPLE
from tests.connectors.sections import connect, section
from tests.connectors.target import SECRET, LoopbackTarget


@dataclass
class Copy:
    """A connector that does as the real one does; each fault overrides one thing."""

    real: HttpConnector

    @property
    def name(self) -> str:
        return self.real.name

    @property
    def verbs(self) -> Mapping[str, Verb]:
        return self.real.verbs

    async def inspect(self, action: Action) -> Facts:
        return await self.real.inspect(action)

    def preview(self, action: Action, facts: Facts) -> Preview:
        return self.real.preview(action, facts)

    def undo(self, action: Action, *, reference: str | None) -> Action | None:
        return self.real.undo(action, reference=reference)

    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: datetime
    ) -> Executed:
        return await self.real.execute(action, key=key, etag=etag, deadline=deadline)

    async def lookup(self, action: Action, *, key: str) -> LookedUp:
        return await self.real.lookup(action, key=key)

    async def close(self) -> None:
        await self.real.close()


class RetriesWhatIsInDoubt(Copy):
    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: datetime
    ) -> Executed:
        outcome = await super().execute(action, key=key, etag=etag, deadline=deadline)
        if isinstance(outcome, InDoubt):
            outcome = await super().execute(action, key=key, etag=etag, deadline=deadline)
        return outcome


class TakesAServerErrorForFailed(Copy):
    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: datetime
    ) -> Executed:
        outcome = await super().execute(action, key=key, etag=etag, deadline=deadline)
        if isinstance(outcome, InDoubt) and outcome.reason == "server_error":
            return Failed(reason="server_error", detail=outcome.detail)
        return outcome


class TakesATimeoutForFailed(Copy):
    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: datetime
    ) -> Executed:
        outcome = await super().execute(action, key=key, etag=etag, deadline=deadline)
        if isinstance(outcome, InDoubt) and outcome.reason == "timeout":
            return Failed(reason="timeout", detail=outcome.detail)
        return outcome


class SendsAnotherKey(Copy):
    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: datetime
    ) -> Executed:
        return await super().execute(action, key=key + "x", etag=etag, deadline=deadline)


class ForgetsTheEtag(Copy):
    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: datetime
    ) -> Executed:
        return await super().execute(action, key=key, etag=etag and None, deadline=deadline)


class FollowsRedirects(Copy):
    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: datetime
    ) -> Executed:
        outcome = await super().execute(action, key=key, etag=etag, deadline=deadline)
        if isinstance(outcome, InDoubt) and outcome.reason == "redirected":
            url = f"{self.real._client._base_url}/elsewhere"
            async with ClientSession() as session, session.post(url, json=action.params) as answer:
                return Succeeded(detail=f"The target answered {answer.status}.")
        return outcome


class LeaksTheCredential(Copy):
    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: datetime
    ) -> Executed:
        outcome = await super().execute(action, key=key, etag=etag, deadline=deadline)
        return replace(outcome, detail=f"{outcome.detail} (sent Bearer {SECRET})")


class ShowsTheCredential(Copy):
    def __repr__(self) -> str:
        return f"Connector(token={SECRET!r})"


class TidiesAParam(Copy):
    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: datetime
    ) -> Executed:
        tidy = replace(
            action,
            params={**action.params, "text": str(action.params["text"]).strip("\\ </script>")},
        )
        return await super().execute(tidy, key=key, etag=etag, deadline=deadline)


class ForgetsTheDeadline(Copy):
    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: datetime
    ) -> Executed:
        later = deadline + timedelta(seconds=60)
        return await super().execute(action, key=key, etag=etag, deadline=later)


class Raises(Copy):
    async def execute(
        self, action: Action, *, key: str, etag: str | None, deadline: datetime
    ) -> Executed:
        outcome = await super().execute(action, key=key, etag=etag, deadline=deadline)
        if isinstance(outcome, Failed):
            raise ConnectionError(outcome.detail)
        return outcome


class InspectsByWriting(Copy):
    async def inspect(self, action: Action) -> Facts:
        deadline = datetime.now(UTC) + timedelta(seconds=5)
        await self.execute(action, key="probe", etag=None, deadline=deadline)
        return await super().inspect(action)


class TakesSilenceForAbsent(Copy):
    async def lookup(self, action: Action, *, key: str) -> LookedUp:
        found = await super().lookup(action, key=key)
        return Absent() if isinstance(found, Unknown) else found


class CountsItsPreviews(Copy):
    previews = 0

    def preview(self, action: Action, facts: Facts) -> Preview:
        self.previews += 1
        return replace(super().preview(action, facts), reversible=f"Shown {self.previews} times")


FAULTS: Mapping[type[Copy], str] = {
    RetriesWhatIsInDoubt: "what_cannot_be_known_is_in_doubt_and_not_tried_again",
    TakesAServerErrorForFailed: "what_cannot_be_known_is_in_doubt_and_not_tried_again",
    TakesATimeoutForFailed: "what_cannot_be_known_is_in_doubt_and_not_tried_again",
    SendsAnotherKey: "the_key_arrives_where_the_verb_is_idempotent",
    ForgetsTheEtag: "what_people_were_shown_is_pinned",
    FollowsRedirects: "what_cannot_be_known_is_in_doubt_and_not_tried_again",
    LeaksTheCredential: "the_credential_is_never_told",
    ShowsTheCredential: "the_credential_is_never_told",
    TidiesAParam: "exactly_what_was_stored_arrives_once",
    ForgetsTheDeadline: "it_ends_before_the_deadline",
    Raises: "a_refusal_is_failed_with_a_reason",
    InspectsByWriting: "inspecting_has_no_effect",
    TakesSilenceForAbsent: "a_look_up_that_fails_proves_nothing",
    CountsItsPreviews: "a_preview_depends_on_the_action_and_the_facts_alone",
}


@asynccontextmanager
async def planted(fault: type[Copy]) -> AsyncIterator[Mapping[str, object]]:
    async with LoopbackTarget() as target:
        connector: Connector = fault(connect(section(target.url)))
        try:
            yield {"connector": connector, "target": target, "sample": SAMPLE}
        finally:
            await connector.close()


def cases(test: Callable[..., object]) -> Iterator[Mapping[str, object]]:
    """Yield the parameters that a test of the suite runs with."""
    marks = getattr(test, "pytestmark", [])
    parametrized = next((mark for mark in marks if mark.name == "parametrize"), None)
    if parametrized is None:
        yield {}
    else:
        name, values = parametrized.args
        for value in values:
            yield {name: value}


async def fails(fault: type[Copy], name: str) -> bool:
    """Tell whether the test *name* of the suite fails on *fault*, in any of its cases."""
    test = getattr(ConnectorConformance(), f"test_{name}")
    wanted = inspect.signature(test).parameters
    for case in cases(test):
        async with planted(fault) as fixtures:
            arguments = {**fixtures, **case}
            try:
                await test(**{name: arguments[name] for name in wanted})
            except (AssertionError, ConnectionError):
                return True
    return False


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_a_planted_fault_is_caught(fault: type[Copy]) -> None:
    assert await fails(fault, FAULTS[fault])


@pytest.mark.parametrize("name", sorted(set(FAULTS.values())))
async def test_without_a_fault_nothing_is_caught(name: str) -> None:
    assert not await fails(Copy, name)
