"""Keys and tokens come from far away; whoever clicks meanwhile does not feel it."""

import asyncio
import time

from adapters.teams.credentials import CONNECTOR_SCOPE
from tests.teams.listener import (
    SERVICE_URL,
    activity,
    listening,
    longest_stall_s,
    transport_for,
)

MAX_STALL_S = 0.05
SLOW_S = 0.5


async def test_a_stall_would_be_seen() -> None:
    async def stalls() -> None:
        time.sleep(2 * MAX_STALL_S)  # noqa: ASYNC251 - that is what is to be seen

    assert await longest_stall_s(stalls()) > MAX_STALL_S


async def test_a_slow_fetch_of_keys_does_not_stall_the_loop() -> None:
    async with listening() as listener:
        listener.issuer.keys_delay_s = SLOW_S
        stalled_s = await longest_stall_s(listener.say(activity(listener.issuer)))
        assert listener.heard
        assert listener.issuer.asked["keys"] == 1
        assert stalled_s < MAX_STALL_S


async def test_a_slow_fetch_of_a_token_does_not_stall_the_loop() -> None:
    async with listening() as listener:
        listener.issuer.token_delay_s = SLOW_S
        transport = transport_for(listener.issuer)
        credentials = transport._credentials
        asking = asyncio.gather(*(credentials.token(CONNECTOR_SCOPE) for _ in range(20)))
        stalled_s = await longest_stall_s(asking)
        assert len(set(asking.result())) == 1
        assert listener.issuer.asked == {"discovery": 1, "token": 1}
        assert stalled_s < MAX_STALL_S
        await transport.close()


async def test_clicks_are_heard_while_a_token_is_fetched() -> None:
    async with listening() as listener:
        await listener.say(activity(listener.issuer, id="f:0"))
        listener.issuer.token_delay_s = SLOW_S
        transport = transport_for(listener.issuer)
        fetching = asyncio.create_task(transport._credentials.token(CONNECTOR_SCOPE))
        for number in range(20):
            said = activity(listener.issuer, kind="invoke", id=f"f:1{number}")
            assert (await listener.send(said, listener.issuer.bearer(SERVICE_URL)))[0] == 200
        assert not fetching.done()
        assert await fetching
        await transport.close()
