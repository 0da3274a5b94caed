"""What every connector must do, as tests: for whoever adds one.

Subclass :class:`ConnectorConformance` in a test module and give it three fixtures:

- ``target``: a loopback server or another real stand-in that plays the service, a :class:`Target`
- ``connector``: the connector, pointed at it, with a time-out of a few seconds
- ``sample``: one :class:`Sample` of an action that it can carry out there

A target plays the behaviours it can; those it cannot are skipped by name. It should repeat what
it receives, headers too, in its refusals: that is how a leaking credential is found.
"""

import asyncio
import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum, unique
from typing import Final, Protocol

import pytest

from bot.core.canonical import Json, canonical
from bot.core.errors import InvalidInput, UpstreamFailed
from bot.core.proposal import Action
from bot.core.verbs import Facts
from bot.ports.connector import (
    STALE,
    Absent,
    Connector,
    Executed,
    Failed,
    Found,
    InDoubt,
    Succeeded,
    Unknown,
)

KEY: Final = "prp_0123456789abcdefghij"
AMPLE_S: Final = 20.0
SHORT_S: Final = 1.0


@unique
class Behaviour(StrEnum):
    """What the target does from now on with a write; reads follow where they can."""

    OK = "ok"
    REFUSE = "refuse"  #: says no, and why, before doing anything
    STALE = "stale"  #: says that the precondition does not hold
    UNREACHABLE = "unreachable"  #: nothing listens
    RESET_UNREAD = "reset_unread"  #: breaks the connection before it read a byte
    RESET_READ = "reset_read"  #: reads everything, does nothing, breaks the connection
    LOST_REPLY = "lost_reply"  #: carries it out, then closes without a word
    HANG = "hang"  #: reads everything and never answers
    SERVER_ERROR = "server_error"  #: says that it failed
    REDIRECT = "redirect"  #: points to itself, where it would carry it out
    HUGE = "huge"  #: answers without end
    SLOW_DRIP = "slow_drip"  #: answers a byte at a time
    GARBAGE = "garbage"  #: answers what its protocol does not know


DOUBTFUL: Final = (
    Behaviour.RESET_READ,
    Behaviour.LOST_REPLY,
    Behaviour.HANG,
    Behaviour.SERVER_ERROR,
    Behaviour.REDIRECT,
    Behaviour.HUGE,
    Behaviour.SLOW_DRIP,
    Behaviour.GARBAGE,
)
SLOW: Final = (Behaviour.HANG, Behaviour.SLOW_DRIP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write as the target received it: what it would carry out, and what came with it."""

    values: Json
    key: str | None = None
    etag: str | None = None


class Target(Protocol):
    """A service that can be told how to behave, and remembers what it got."""

    @property
    def plays(self) -> Collection[Behaviour]: ...

    @property
    def received(self) -> Sequence[Write]:
        """Every write that was read to its end, in order, carried out or not."""
        ...

    @property
    def effects(self) -> Sequence[Write]:
        """The writes that were carried out, in order."""
        ...

    async def behave(self, behaviour: Behaviour) -> None: ...

    async def until_received(self) -> None:
        """Return as soon as there is something in ``received``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One action and what the target is to receive for it.

    ``etag`` is what the target's present state carries, None where it offers none. ``others`` are
    further actions that the schemas allow, the stranger the better. ``missing`` is about a
    resource that the target does not have, where the connector would notice. ``secrets`` are what
    nobody may see.
    """

    action: Action
    arrives: Json
    etag: str | None = None
    others: Sequence[Action] = ()
    missing: Action | None = None
    secrets: Sequence[str]


class ConnectorConformance:
    """The contract of :class:`bot.ports.connector.Connector`."""

    async def test_every_verb_says_whose_it_is(self, connector: Connector) -> None:
        assert connector.verbs
        for name, verb in connector.verbs.items():
            assert (verb.name, verb.connector) == (name, connector.name)
            assert verb.config_digest.startswith("sha256:")
            assert verb.params_schema["type"] == "object"

    async def test_inspecting_has_no_effect(
        self, connector: Connector, target: Target, sample: Sample
    ) -> None:
        await connector.inspect(sample.action)
        assert list(target.received) == []

    async def test_inspecting_shows_the_etag_of_what_is_there(
        self, connector: Connector, sample: Sample
    ) -> None:
        facts = await connector.inspect(sample.action)
        assert facts.etag == sample.etag

    async def test_inspecting_what_is_not_there_is_invalid(
        self, connector: Connector, sample: Sample
    ) -> None:
        if sample.missing is None:
            pytest.skip("this connector cannot tell what is not there")
        with pytest.raises(InvalidInput):
            await connector.inspect(sample.missing)

    @pytest.mark.parametrize(
        "behaviour", [Behaviour.SERVER_ERROR, Behaviour.REDIRECT, Behaviour.UNREACHABLE]
    )
    async def test_a_target_that_cannot_be_asked_is_upstream_failed(
        self, connector: Connector, target: Target, sample: Sample, behaviour: Behaviour
    ) -> None:
        if not connector.verbs[sample.action.verb].inspects:
            pytest.skip("this verb asks nothing before")
        await _play(target, behaviour)
        with _watched_logs(sample.secrets), pytest.raises(UpstreamFailed) as raised:
            await connector.inspect(sample.action)
        _assert_silent(f"{raised.value!r} {raised.value.remedy}", sample.secrets)

    async def test_a_preview_depends_on_the_action_and_the_facts_alone(
        self, connector: Connector, target: Target, sample: Sample
    ) -> None:
        facts = await connector.inspect(sample.action)
        for action in (sample.action, *sample.others):
            for seen in (facts, Facts()):
                first = connector.preview(action, seen)
                assert connector.preview(action, seen) == first
                assert first.effect.strip()
                assert first.target.strip()
                assert first.reversible.strip()
        assert list(target.received) == []

    async def test_an_undo_follows_from_what_was_done_and_asks_nobody(
        self, connector: Connector, target: Target, sample: Sample
    ) -> None:
        declared = connector.verbs[sample.action.verb].undo
        first = connector.undo(sample.action, reference="7")
        assert connector.undo(sample.action, reference="7") == first
        assert (None if declared is None else declared.verb) == (first.verb if first else None)
        assert first is None or first.verb in connector.verbs
        stranger = replace(sample.action, verb="not.a.verb")
        assert connector.undo(stranger, reference="7") is None
        assert list(target.received) == []

    async def test_exactly_what_was_stored_arrives_once(
        self, connector: Connector, target: Target, sample: Sample
    ) -> None:
        outcome = await _execute(connector, sample)
        assert isinstance(outcome, Succeeded)
        assert [canonical(write.values) for write in target.received] == [canonical(sample.arrives)]
        assert list(target.effects) == list(target.received)

    async def test_the_key_arrives_where_the_verb_is_idempotent(
        self, connector: Connector, target: Target, sample: Sample
    ) -> None:
        if not connector.verbs[sample.action.verb].idempotent:
            pytest.skip("this verb takes no key")
        await _execute(connector, sample)
        assert [write.key for write in target.received] == [KEY]

    async def test_what_people_were_shown_is_pinned(
        self, connector: Connector, target: Target, sample: Sample
    ) -> None:
        if sample.etag is None:
            pytest.skip("this target offers nothing to pin")
        await _execute(connector, sample)
        assert [write.etag for write in target.received] == [sample.etag]

    async def test_a_target_that_has_moved_on_is_stale(
        self, connector: Connector, target: Target, sample: Sample
    ) -> None:
        if sample.etag is None:
            pytest.skip("this target offers nothing to pin")
        await _play(target, Behaviour.STALE)
        outcome = await _execute(connector, sample)
        assert isinstance(outcome, Failed)
        assert outcome.reason == STALE
        assert list(target.effects) == []

    async def test_a_refusal_is_failed_with_a_reason(
        self, connector: Connector, target: Target, sample: Sample
    ) -> None:
        await _play(target, Behaviour.REFUSE)
        outcome = await _execute(connector, sample)
        assert isinstance(outcome, Failed)
        assert outcome.reason
        assert outcome.reason != STALE
        assert outcome.detail
        assert len(target.received) == 1

    async def test_a_target_that_is_not_there_is_failed(
        self, connector: Connector, target: Target, sample: Sample
    ) -> None:
        await _play(target, Behaviour.UNREACHABLE)
        outcome = await _execute(connector, sample)
        assert isinstance(outcome, Failed)
        assert list(target.received) == []

    async def test_a_connection_that_breaks_at_once_is_no_success(
        self, connector: Connector, target: Target, sample: Sample
    ) -> None:
        await _play(target, Behaviour.RESET_UNREAD)
        outcome = await _execute(connector, sample)
        assert isinstance(outcome, Failed | InDoubt)
        assert list(target.effects) == []

    @pytest.mark.parametrize("behaviour", DOUBTFUL)
    async def test_what_cannot_be_known_is_in_doubt_and_not_tried_again(
        self, connector: Connector, target: Target, sample: Sample, behaviour: Behaviour
    ) -> None:
        await _play(target, behaviour)
        within_s = SHORT_S if behaviour in SLOW else AMPLE_S
        outcome = await _execute(connector, sample, within_s=within_s)
        assert isinstance(outcome, InDoubt)
        assert outcome.reason
        assert outcome.detail
        assert len(target.received) <= 1
        assert len(target.effects) <= 1

    @pytest.mark.parametrize("behaviour", SLOW)
    async def test_it_ends_before_the_deadline(
        self, connector: Connector, target: Target, sample: Sample, behaviour: Behaviour
    ) -> None:
        await _play(target, behaviour)
        deadline = datetime.now(UTC) + timedelta(seconds=SHORT_S)
        await _before(deadline, connector, sample)
        assert datetime.now(UTC) < deadline

    async def test_nothing_is_sent_after_the_deadline(
        self, connector: Connector, target: Target, sample: Sample
    ) -> None:
        outcome = await _execute(connector, sample, within_s=-1)
        assert isinstance(outcome, Failed)
        assert list(target.received) == []

    @pytest.mark.parametrize("behaviour", list(Behaviour))
    async def test_the_credential_is_never_told(
        self, connector: Connector, target: Target, sample: Sample, behaviour: Behaviour
    ) -> None:
        await _play(target, behaviour)
        with _watched_logs(sample.secrets):
            outcome = await _execute(connector, sample, within_s=SHORT_S)
            found = await connector.lookup(sample.action, key=KEY)
        told = f"{outcome!r} {found!r} {connector!r} {dict(connector.verbs)!r} {_held(connector)}"
        _assert_silent(told, sample.secrets)

    async def test_being_cancelled_does_not_lead_to_a_second_attempt(
        self, connector: Connector, target: Target, sample: Sample
    ) -> None:
        await _play(target, Behaviour.HANG)
        running = asyncio.create_task(_execute(connector, sample))
        async with asyncio.timeout(AMPLE_S):
            await target.until_received()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await _play(target, Behaviour.OK)
        await connector.inspect(sample.action)
        assert len(target.received) == 1

    async def test_the_look_up_finds_what_happened_and_nothing_else(
        self, connector: Connector, target: Target, sample: Sample
    ) -> None:
        if not connector.verbs[sample.action.verb].can_look_up:
            assert isinstance(await connector.lookup(sample.action, key=KEY), Unknown)
            return
        assert isinstance(await connector.lookup(sample.action, key=KEY), Absent)
        await _play(target, Behaviour.LOST_REPLY)
        await _execute(connector, sample)
        await _play(target, Behaviour.OK)
        assert isinstance(await connector.lookup(sample.action, key=KEY), Found)
        assert len(target.received) == 1

    @pytest.mark.parametrize(
        "behaviour", [Behaviour.SERVER_ERROR, Behaviour.UNREACHABLE, Behaviour.GARBAGE]
    )
    async def test_a_look_up_that_fails_proves_nothing(
        self, connector: Connector, target: Target, sample: Sample, behaviour: Behaviour
    ) -> None:
        await _play(target, behaviour)
        assert isinstance(await connector.lookup(sample.action, key=KEY), Unknown)

    async def test_a_verb_that_it_does_not_have_is_failed_and_not_raised(
        self, connector: Connector, target: Target, sample: Sample
    ) -> None:
        stranger = replace(sample, action=replace(sample.action, verb="not.a.verb"))
        assert isinstance(await _execute(connector, stranger), Failed)
        assert isinstance(await connector.lookup(stranger.action, key=KEY), Unknown)
        assert list(target.received) == []


async def _play(target: Target, behaviour: Behaviour) -> None:
    if behaviour not in target.plays:
        pytest.skip(f"this target cannot play {behaviour}")
    await target.behave(behaviour)


async def _execute(connector: Connector, sample: Sample, *, within_s: float = AMPLE_S) -> Executed:
    return await _before(datetime.now(UTC) + timedelta(seconds=within_s), connector, sample)


async def _before(deadline: datetime, connector: Connector, sample: Sample) -> Executed:
    return await connector.execute(sample.action, key=KEY, etag=sample.etag, deadline=deadline)


def _assert_silent(told: str, secrets: Sequence[str]) -> None:
    for secret in secrets:
        assert secret not in told, "the credential is told"


def _held(value: object) -> str:
    return repr(vars(value)) if hasattr(value, "__dict__") else ""


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {vars(record)}")


@contextmanager
def _watched_logs(secrets: Sequence[str]) -> Iterator[None]:
    heard, root = _Heard(), logging.getLogger()
    level = root.level
    root.addHandler(heard)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(heard)
    _assert_silent("\n".join(heard.lines), secrets)
