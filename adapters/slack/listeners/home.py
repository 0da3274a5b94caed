"""Somebody opens the app: their Home is published, and where their cards go is known."""

from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.home import render_closed_home
from adapters.slack.inbound import parse_home_opened
from adapters.slack.listeners.answering import told_stranger
from adapters.slack.listeners.office import Office
from bot.core.identified import Known


def register(app: AsyncApp, office: Office) -> None:
    @app.event("app_home_opened")
    async def _opened(body: dict[str, Any], client: AsyncWebClient) -> None:
        opened = parse_home_opened(body)
        who = await office.clicker(body)
        if isinstance(who, Known) and opened.channel is not None:
            await office.cards.met(who.identity, opened.channel)
        if not opened.is_home:
            return
        if isinstance(who, Known):
            await office.cards.home(who.person, who.identity)
            return
        closed = render_closed_home(told_stranger(who).message)
        await client.views_publish(user_id=opened.user, view=closed)
