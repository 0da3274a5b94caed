"""The issuer's keys: fetched once for everybody, again when there is a reason, and not for ever."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import pytest

from adapters.teams.proven import TRUSTED_S
from adapters.teams.signing_keys import FRESH_S, KEPT_S, LOOK_AGAIN_S
from adapters.teams.testing.issuer import Issuer
from tests.teams.listener import SERVICE_URL, Listener, activity, listening, pair_of


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as listener:
        yield listener


async def status(listener: Listener, bearer: str | None = None) -> int:
    said = activity(listener.issuer, id=f"f:{len(listener.heard)}")
    return (await listener.send(said, bearer or listener.issuer.bearer(SERVICE_URL)))[0]


def asked_for(issuer: Issuer, what: str) -> asyncio.Event:
    """Return what is set when the issuer is asked for *what*."""
    event = asyncio.Event()
    issuer.on_ask = lambda asked: event.set() if asked == what else None
    return event


async def test_fifty_at_once_on_a_cold_start_make_one_fetch(listener: Listener) -> None:
    listener.issuer.keys_delay_s = 0.2
    told = [activity(listener.issuer, id=f"f:{number}") for number in range(50)]
    answers = await asyncio.gather(*(listener.say(said) for said in told))
    assert {code for code, _ in answers} == {202}
    assert len(listener.heard) == 50
    assert listener.issuer.asked == {"metadata": 1, "keys": 1}


async def test_whoever_hangs_up_does_not_end_the_fetch_for_the_others(listener: Listener) -> None:
    listener.issuer.keys_delay_s = 0.2
    is_asked = asked_for(listener.issuer, "metadata")
    first = asyncio.create_task(listener.say(activity(listener.issuer, id="f:1")))
    second = asyncio.create_task(listener.say(activity(listener.issuer, id="f:2")))
    await is_asked.wait()
    first.cancel()
    assert (await second)[0] == 202
    assert listener.issuer.asked["keys"] == 1


async def test_a_rotated_key_is_found_and_the_removed_one_is_taken_no_more(
    listener: Listener,
) -> None:
    assert await status(listener) == 202
    old = listener.issuer.rotate()
    listener.clock.at += LOOK_AGAIN_S + 1
    assert await status(listener) == 202
    by_old = f"Bearer {old.sign(listener.issuer.claims(SERVICE_URL))}"
    assert await status(listener, by_old) == 401
    assert listener.issuer.asked["keys"] == 2


async def test_while_both_keys_are_published_both_are_taken(listener: Listener) -> None:
    old = listener.issuer.rotate(keep_old=True)
    by_old = f"Bearer {old.sign(listener.issuer.claims(SERVICE_URL))}"
    assert await status(listener) == 202
    assert await status(listener, by_old) == 202
    assert listener.issuer.asked["keys"] == 1


async def test_unknown_keys_cannot_make_the_bot_ask_for_ever(listener: Listener) -> None:
    assert await status(listener) == 202
    listener.clock.at += LOOK_AGAIN_S + 1
    forged = f"Bearer {pair_of('attacker').sign(listener.issuer.claims(SERVICE_URL))}"
    assert {await status(listener, forged) for _ in range(20)} == {401}
    assert listener.issuer.asked["keys"] == 2


async def test_tokens_of_emulators_and_skills_ask_nobody(listener: Listener) -> None:
    emulator = "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"
    forged = listener.issuer.bearer(SERVICE_URL, iss=emulator, appid=listener.issuer.app_id)
    assert await status(listener, forged) == 401
    assert not listener.issuer.asked


async def test_without_keys_everything_is_refused_until_they_can_be_had(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    listener.issuer.keys_are_down = True
    assert await status(listener) == 401
    assert await status(listener) == 401
    assert listener.issuer.asked["metadata"] == 1, "nobody waits for the same failure twice"
    assert [vars(record).get("why") for record in caplog.records if "keys" in record.message] == [
        "status 503"
    ]
    listener.issuer.keys_are_down = False
    listener.clock.at += 3
    assert await status(listener) == 202


async def test_old_keys_serve_while_new_ones_are_fetched_and_when_they_cannot_be(
    listener: Listener,
) -> None:
    assert await status(listener) == 202
    listener.issuer.keys_are_down = True
    listener.clock.at += FRESH_S + 1
    assert await status(listener) == 202
    listener.issuer.keys_are_down = False
    listener.clock.at += LOOK_AGAIN_S + 1
    is_asked = asked_for(listener.issuer, "keys")
    assert await status(listener) == 202
    await is_asked.wait()


async def test_keys_that_nobody_confirms_are_not_kept_for_ever(listener: Listener) -> None:
    assert await status(listener) == 202
    listener.issuer.keys_are_down = True
    listener.clock.at += KEPT_S + 1
    assert await status(listener) == 401


async def test_an_issuer_that_hangs_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async with listening(fetch_s=0.1) as listener:
        listener.issuer.keys_delay_s = 0.4
        assert await status(listener) == 401
        assert vars(caplog.records[0])["why"] == "TimeoutError"


async def test_a_token_of_a_withdrawn_key_is_taken_for_half_a_minute_more_and_not_longer(
    listener: Listener,
) -> None:
    bearer = listener.issuer.bearer(SERVICE_URL)
    assert await status(listener, bearer) == 202
    listener.issuer.rotate()
    await listener.transport._keys.fetch()
    assert await status(listener, bearer) == 202
    listener.clock.at += TRUSTED_S
    assert await status(listener, bearer) == 401


async def test_what_was_proven_for_one_address_is_not_for_another(listener: Listener) -> None:
    bearer = listener.issuer.bearer(SERVICE_URL)
    assert await status(listener, bearer) == 202
    said = activity(listener.issuer, id="f:elsewhere")
    elsewhere = {**said, "serviceUrl": "https://smba.trafficmanager.net/apac/"}
    assert (await listener.send(elsewhere, bearer))[0] == 401
    assert (await listener.send({**said, "channelId": "webchat"}, bearer))[0] == 401


async def test_a_token_that_ends_soon_is_checked_each_time(listener: Listener) -> None:
    bearer = listener.issuer.bearer(SERVICE_URL, exp=int(time.time()) + 10)
    assert await status(listener, bearer) == 202
    listener.issuer.rotate()
    await listener.transport._keys.fetch()
    assert await status(listener, bearer) == 401


async def test_what_is_proven_is_admitted_anew_each_time(listener: Listener) -> None:
    bearer = listener.issuer.bearer(SERVICE_URL)
    assert await status(listener, bearer) == 202
    said = activity(listener.issuer, id="f:stranger")
    stranger = {"tenant": {"id": "99999999-0000-4000-8000-00000000beef"}}
    assert (await listener.send({**said, "channelData": stranger}, bearer))[0] == 401


async def test_two_bots_in_one_process_take_their_own_issuer_each() -> None:
    ours, theirs = Issuer(pair=pair_of("msteams")), Issuer(pair=pair_of("another issuer"))
    ours.keys_delay_s = theirs.keys_delay_s = 0.05
    async with listening(ours) as one, listening(theirs) as other:
        crossed = [
            one.send(activity(ours, id="f:2"), theirs.bearer(SERVICE_URL)),
            other.send(activity(theirs, id="f:2"), ours.bearer(SERVICE_URL)),
        ]
        own = [one.say(activity(ours)), other.say(activity(theirs))]
        answers = await asyncio.gather(*own, *crossed)
        assert [status for status, _ in answers] == [202, 202, 401, 401]
