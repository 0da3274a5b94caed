"""The app was removed from a workspace, or its token revoked: people are asked elsewhere."""

import asyncio
import logging

from adapters.slack.client import Wire
from adapters.slack.errors import APP_REMOVED, SlackBusy, SlackRefused, SlackUnclear
from adapters.slack.workspaces import Workspace, Workspaces
from bot.core.errors import KeyturnError
from bot.ports.desk import Desk

log = logging.getLogger("keyturn.slack")


class Removal:
    """Cards in the workspace are given up as soon as that is certain.

    ``desk`` is None until there is one: what happens before is found again by the next call.
    """

    def __init__(self, *, chat: str, wire: Wire, workspaces: Workspaces) -> None:
        self.desk: Desk | None = None
        self._chat = chat
        self._wire = wire
        self._workspaces = workspaces
        self._going_on: dict[str, asyncio.Task[None]] = {}

    async def told(self, *, enterprise: str | None, team: str | None) -> None:
        """Ask Slack whether what an event says is so: it may be about an earlier installation."""
        try:
            workspace = await self._workspaces.of(enterprise=enterprise, team=team)
            if workspace is not None and not await self._is_good(workspace.token):
                await self.certain(workspace)
        except (SlackBusy, SlackUnclear):
            log.warning("slack does not say whether the app was removed")

    async def certain(self, workspace: Workspace) -> None:
        """Count the app as removed from *workspace*: Slack does not take its token any more."""
        await self._workspaces.removed(enterprise=workspace.enterprise, team=workspace.team)
        self._give_up(f"{workspace.name}/")

    def everywhere(self) -> None:
        """Give up every card of this chat: the app is in no workspace."""
        self._give_up("")

    async def close(self) -> None:
        for task in list(self._going_on.values()):
            task.cancel()
        await asyncio.gather(*self._going_on.values(), return_exceptions=True)

    async def _is_good(self, token: str) -> bool:
        try:
            await self._wire.read(token, "auth.test")
        except SlackRefused as error:
            return error.code not in APP_REMOVED
        return True

    def _give_up(self, under: str) -> None:
        desk = self.desk
        # Many calls find it out at once; one of them is enough.
        if desk is None or under in self._going_on:
            return
        task = asyncio.create_task(self._ask_elsewhere(desk, under))
        self._going_on[under] = task
        task.add_done_callback(lambda _: self._going_on.pop(under, None))

    async def _ask_elsewhere(self, desk: Desk, under: str) -> None:
        try:
            await desk.cards_lost(self._chat, under=under)
        except KeyturnError as error:
            log.warning("cards in a removed slack stay there", extra={"cause": error.code})
