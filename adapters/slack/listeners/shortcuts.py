"""The global shortcut: Stop, from anywhere in Slack, also on a phone."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import words
from adapters.slack.blocks import Element
from adapters.slack.inbound import parse_trigger
from adapters.slack.listeners.answering import fill_with, open_early, said, told_stranger
from adapters.slack.listeners.office import Office
from adapters.slack.modals import stop_modal, told_modal
from adapters.slack.pressable import STOP_SHORTCUT
from bot.core.actors import Role
from bot.core.identified import Known
from bot.core.told import NOT_RECORDED, Told


def register(app: AsyncApp, office: Office) -> None:
    @app.shortcut(STOP_SHORTCUT)
    async def _stop(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        user, trigger = parse_trigger(body)
        view_id = await open_early(client, trigger, "Stop")
        await ack()
        if view_id is None:
            late = Told(NOT_RECORDED, words.CLICK_AGAIN)
            await client.chat_postMessage(channel=user, **said(late))
            return

        async def make() -> Element:
            who = await office.clicker(body)
            if not isinstance(who, Known):
                told = told_stranger(who)
                return told_modal(told.title, told.message)
            agents = await office.desk.agents(who.person.id)
            return stop_modal(agents, may_stop_all=Role.ADMIN in who.person.roles)

        await fill_with(client, view_id, make)
