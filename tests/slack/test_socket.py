"""A socket that dies, or falls silent, is replaced, and no click is lost for it."""

import asyncio
from dataclasses import replace

import pytest

from adapters.slack.load import create
from adapters.slack.pressable import ActionId
from adapters.slack.testing import Delivery, Message, Mode
from bot.testing.chat import Play
from tests.slack.stage import PACE, TIMES, SlackStage, secrets_of, section_of, stage_of


async def played(stage: SlackStage) -> tuple[Play, Message]:
    stage.identities.enroll = stage.enroll
    play = Play(stage)
    await play.post(play.proposal(1))
    return play, (await stage.seat(play.dana.id)).card(play.proposal(1).id)


async def click(stage: SlackStage, play: Play, card: Message) -> Delivery:
    seat = await stage.seat(play.dana.id)
    return await seat.hand.press(card, ActionId.APPROVE)


async def connections(stage: SlackStage, count: int) -> None:
    """Wait until *count* connections have been made."""
    async with asyncio.timeout(15):
        await stage.slack.socket.until_made(count)


@pytest.mark.parametrize("reason", ["refresh_requested", "warning", "too_many_websockets"])
async def test_a_connection_is_made_anew_when_slack_asks(reason: str) -> None:
    async with stage_of(Mode.SOCKET) as stage:
        play, card = await played(stage)
        await stage.slack.socket.disconnect(reason)
        await connections(stage, 2)
        assert (await click(stage, play, card)).is_acked


async def test_a_connection_that_broke_is_made_anew() -> None:
    async with stage_of(Mode.SOCKET) as stage:
        play, card = await played(stage)
        await stage.slack.socket.hang_up()
        await connections(stage, 2)
        assert (await click(stage, play, card)).is_acked


async def test_a_connection_that_falls_silent_is_given_up() -> None:
    async with stage_of(Mode.SOCKET) as stage:
        play, card = await played(stage)
        stage.slack.socket.silence()
        await connections(stage, 2)
        assert (await click(stage, play, card)).is_acked


async def test_a_new_handler_is_made_while_even_new_connections_stay_silent() -> None:
    # Slow pings leave the silence to our own watch, not to the SDK's.
    times = replace(TIMES, ping_s=30.0, silent_s=0.3, check_s=0.05)
    async with stage_of(Mode.SOCKET, times=times) as stage:
        play, card = await played(stage)
        stage.slack.socket.silence(also_new=True)
        await connections(stage, 3)
        stage.slack.socket.speak_again()
        made = stage.slack.socket.connections_made
        await connections(stage, made + 1)
        state = stage.chat.socket
        assert state is not None
        assert state.connections_made >= 3
        assert (await click(stage, play, card)).is_acked


async def test_slack_being_down_at_first_is_waited_for() -> None:
    async with stage_of(Mode.SOCKET) as stage:
        play, card = await played(stage)
        stage.slack.faults.refuse("apps.connections.open", "internal_error", times=3)
        await stage.slack.socket.hang_up()
        await connections(stage, 2)
        assert (await click(stage, play, card)).is_acked


async def test_a_click_that_comes_to_another_replica_counts_as_well() -> None:
    async with stage_of(Mode.SOCKET) as stage:
        play, card = await played(stage)
        other = create(
            "slack",
            section_of(stage.slack),
            shelf=stage.shelf,
            clock=stage.clock,
            identities=stage.identities,
            public_url="http://localhost",
            web_url=None,
            secrets=secrets_of(stage.slack),
            socket_times=TIMES,
            pace=PACE,
        )
        running = asyncio.create_task(other.run(stage.desk))
        try:
            await connections(stage, 2)
            answers = [await click(stage, play, card) for _ in range(4)]
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await other.close()
        assert all(answer.is_acked for answer in answers)
        assert len(stage.desk.clicks) == 4


async def test_a_wrong_app_token_is_told_once_and_waited_with(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with stage_of(Mode.SOCKET) as stage:
        caplog.clear()
        stage.slack.socket.app_tokens.clear()
        await stage.slack.socket.hang_up()
        await stage.slack.until(lambda: stage.slack.called("apps.connections.open")[5:])
        told = [r for r in caplog.records if r.name == "keyturn.slack"]
        assert [r.getMessage() for r in told].count("slack does not open a socket") <= 1
        assert stage.slack.app_token not in caplog.text
