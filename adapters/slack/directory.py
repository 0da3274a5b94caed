"""Slack's user groups as groups of approvers: asked anew each time, each member checked."""

import asyncio
import logging
from collections.abc import Collection
from types import MappingProxyType
from typing import Final

from adapters.slack.accounts import Accounts
from adapters.slack.client import Wire
from adapters.slack.errors import SlackBusy, SlackRefused, SlackUnclear
from adapters.slack.people import People
from adapters.slack.workspaces import Workspace, Workspaces
from bot.core.approval import Membership
from bot.core.ids import PersonId
from bot.ports.identities import Identities

log = logging.getLogger("keyturn.slack")

_MOST: Final = 200
_AT_ONCE: Final = 10


class SlackGroups:
    """Implements :class:`bot.ports.directory.Directory`: a group is named by its id in Slack.

    In policies it is written ``group:slack:S…``: a handle can be given to another group. A member
    counts who may act here and whose account is linked.
    """

    def __init__(
        self,
        *,
        wire: Wire,
        workspaces: Workspaces,
        accounts: Accounts,
        people: People,
        identities: Identities,
    ) -> None:
        self._wire = wire
        self._workspaces = workspaces
        self._accounts = accounts
        self._people = people
        self._identities = identities

    async def members(self, groups: Collection[str]) -> Membership:
        found: dict[str, frozenset[PersonId]] = {}
        for group in groups:
            try:
                members = await self._members(group)
            except (SlackRefused, SlackBusy, SlackUnclear) as error:
                log.warning("a group cannot be read", extra={"group": group, "cause": str(error)})
                continue
            if members:
                found[group] = members
        return MappingProxyType(found)

    async def _members(self, group: str) -> frozenset[PersonId]:
        for workspace in await self._workspaces.all():
            more = {} if workspace.team is None else {"team_id": workspace.team}
            try:
                told = await self._wire.read(
                    workspace.token, "usergroups.users.list", usergroup=group, **more
                )
            except SlackRefused as error:
                if error.code == "no_such_subteam":
                    continue
                raise
            users = [str(user) for user in told.get("users") or []]
            if len(users) > _MOST:
                raise SlackRefused("too_many_members")
            at_once = asyncio.Semaphore(_AT_ONCE)
            people = await asyncio.gather(
                *(self._person(workspace, user, at_once) for user in users)
            )
            return frozenset(person for person in people if person is not None)
        return frozenset()

    async def _person(
        self, workspace: Workspace, user: str, at_once: asyncio.Semaphore
    ) -> PersonId | None:
        async with at_once:
            account = await self._accounts.get(workspace, user)
        if account is None or account.why_not(workspace) is not None:
            return None
        return await self._identities.person(self._people.identity(workspace, account))
