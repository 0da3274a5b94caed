"""One card, one click and one installation begun, as a process of its own: ``MODE``."""

import asyncio
import sys

from aiohttp import ClientSession

from adapters.slack.pressable import ActionId
from adapters.slack.testing import Mode
from bot.testing.chat import Play
from tests.slack.stage import stage_of


async def main(mode: Mode) -> None:
    async with stage_of(mode) as stage:
        stage.identities.enroll = stage.enroll
        play = Play(stage)
        await play.post(play.proposal(1))
        seat = await stage.seat(play.dana.id)
        card = seat.card(play.proposal(1).id)
        await seat.told(seat.hand.press(card, ActionId.APPROVE))
        # Nothing was configured that could be installed, whatever the environment says.
        async with ClientSession() as http, http.get(f"{stage.url}/slack/install") as answer:
            assert answer.status == 404
        assert {call.bearer for call in stage.slack.calls} <= {
            stage.slack.bot_token,
            stage.slack.app_token,
        }
        sys.stdout.write(f"{len(stage.desk.clicks)} click\n")


if __name__ == "__main__":
    asyncio.run(main(Mode(sys.argv[1])))
