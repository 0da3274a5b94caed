"""An activity is handled once, however often it is sent, and a handler's failure is no answer."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from adapters.teams.inbound import Inbound, Invoke, Typed
from tests.teams.listener import Listener, activity, listening


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as listener:
        yield listener


async def test_an_invoke_is_answered_with_the_body_as_it_is(listener: Listener) -> None:
    listener.answer = {"statusCode": 200, "type": "text", "value": "décidé"}
    status, text = await listener.say(activity(listener.issuer, kind="invoke"))
    assert (status, text) == (200, '{"statusCode":200,"type":"text","value":"décidé"}')
    [heard] = listener.heard
    assert isinstance(heard, Invoke)
    assert heard.verb == "approve"


async def test_a_message_is_acknowledged_without_a_body(listener: Listener) -> None:
    assert await listener.say(activity(listener.issuer)) == (202, "")
    [heard] = listener.heard
    assert isinstance(heard, Typed)
    assert heard.text == "whoami"


async def test_an_activity_that_comes_twice_is_handled_once_and_answered_twice(
    listener: Listener,
) -> None:
    said = activity(listener.issuer, kind="invoke")
    answers = [await listener.say(said) for _ in range(3)]
    assert len({text for _, text in answers}) == 1
    assert len(listener.heard) == 1


async def test_one_that_comes_again_meanwhile_waits_for_the_same_answer(
    listener: Listener,
) -> None:
    goes_on = asyncio.Event()

    async def slowly(_: Inbound) -> Mapping[str, Any]:
        await goes_on.wait()
        return listener.answer

    listener.handle = slowly
    said = activity(listener.issuer, kind="invoke")
    asking = [asyncio.create_task(listener.say(said)) for _ in range(3)]
    await listener.has_heard.wait()
    goes_on.set()
    assert {status for status, _ in await asyncio.gather(*asking)} == {200}
    assert len(listener.heard) == 1


async def test_the_same_id_in_another_chat_is_another_activity(listener: Listener) -> None:
    said = activity(listener.issuer)
    elsewhere = {**said["conversation"], "id": "a:1erin"}
    await listener.say(said)
    await listener.say({**said, "conversation": elsewhere})
    assert len(listener.heard) == 2


async def test_activities_without_an_id_are_never_the_same(listener: Listener) -> None:
    said = activity(listener.issuer)
    del said["id"]
    await listener.say(said)
    await listener.say(said)
    assert len(listener.heard) == 2


async def test_an_id_is_forgotten_after_ten_minutes(listener: Listener) -> None:
    await listener.say(activity(listener.issuer, id="f:1"))
    listener.clock.at += 601
    await listener.say(activity(listener.issuer, id="f:2"))
    await listener.say(activity(listener.issuer, id="f:1"))
    assert len(listener.heard) == 3


async def test_a_click_is_handled_to_its_end_when_the_connector_hangs_up(
    listener: Listener,
) -> None:
    goes_on, is_done = asyncio.Event(), asyncio.Event()

    async def slowly(_: Inbound) -> Mapping[str, Any]:
        await goes_on.wait()
        is_done.set()
        return listener.answer

    listener.handle = slowly
    asking = asyncio.create_task(listener.say(activity(listener.issuer, kind="invoke")))
    await listener.has_heard.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    goes_on.set()
    async with asyncio.timeout(5):
        await is_done.wait()


async def test_what_failed_is_an_error_without_its_words_and_may_be_sent_again(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "keyturn")

    async def fails(_: Inbound) -> Mapping[str, Any]:
        raise RuntimeError("what somebody typed")

    listener.handle = fails
    said = activity(listener.issuer, kind="invoke")
    assert await listener.say(said) == (500, "Internal Server Error\n")
    listener.handle = None
    assert (await listener.say(said))[0] == 200
    assert len(listener.heard) == 2
    assert "what somebody typed" not in caplog.text
    assert [record.exc_info for record in caplog.records] == [None]
