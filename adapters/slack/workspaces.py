"""The workspaces in which the app is installed, each with the token that speaks there."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol

from adapters.slack.client import Wire
from adapters.slack.errors import APP_REMOVED, SlackRefused, SlackUnclear
from bot.ports.shelf import Shelf

log = logging.getLogger("keyturn.slack")

_KIND: Final = "slack_install"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """``team`` is None where the app is installed in a whole Grid organisation."""

    token: str = field(repr=False)
    team: str | None
    enterprise: str | None
    bot_user: str
    bot: str | None = None
    scopes: frozenset[str] = frozenset()

    @property
    def tenant(self) -> str:
        """The organisation whose accounts these are: as in ChatIdentity."""
        return self.enterprise or self.team or ""

    @property
    def name(self) -> str:
        """What stands for it in a CardRef."""
        return self.team or self.tenant


class Workspaces(Protocol):
    """Raises SlackBusy or SlackUnclear while Slack cannot be asked."""

    async def of(self, *, enterprise: str | None, team: str | None) -> Workspace | None:
        """Return the workspace where something happened; None where nobody may act."""
        ...

    async def in_tenant(self, tenant: str) -> Workspace | None:
        """Return one whose token reaches the accounts of *tenant*."""
        ...

    async def named(self, name: str) -> Workspace | None:
        """Return that of a CardRef."""
        ...

    async def all(self) -> Sequence[Workspace]: ...

    async def removed(self, *, enterprise: str | None, team: str | None) -> None:
        """Count the app as removed there, until it is installed again."""
        ...


class OneWorkspace:
    """The one of the bot token in the settings. Who that is, Slack says; it must be *tenants*."""

    def __init__(self, wire: Wire, *, token: str, tenants: frozenset[str]) -> None:
        self._wire = wire
        self._token = token
        self._tenants = tenants
        self._known: Workspace | None = None
        self._is_foreign = False

    async def of(self, *, enterprise: str | None, team: str | None) -> Workspace | None:
        found = await self._learn()
        if found is None or not _covers(found, enterprise=enterprise, team=team):
            return None
        return found if self._tenants & {team, enterprise} else None

    async def in_tenant(self, tenant: str) -> Workspace | None:
        found = await self._learn()
        return found if found is not None and found.tenant == tenant else None

    async def named(self, name: str) -> Workspace | None:
        found = await self._learn()
        return found if found is not None and found.name == name else None

    async def all(self) -> Sequence[Workspace]:
        found = await self._learn()
        return [] if found is None else [found]

    async def removed(self, *, enterprise: str | None, team: str | None) -> None:
        log.error("the slack app was removed", extra={"enterprise": enterprise, "team": team})
        # The token may be good again after a new installation: Slack is asked each time.
        self._known = None

    async def _learn(self) -> Workspace | None:
        if self._known is not None:
            return self._known
        try:
            told, scopes = await self._wire.whoami(self._token)
        except SlackRefused as error:
            if error.code in APP_REMOVED:
                return None
            raise SlackUnclear(f"Slack refused auth.test ({error.code}).") from None
        found = _told(told, self._token, scopes)
        if not self._tenants & {found.team, found.enterprise}:
            if not self._is_foreign:
                log.error(
                    "chats.slack.bot_token belongs to another workspace than chats.slack.team",
                    extra={"team": found.team, "enterprise": found.enterprise},
                )
            self._is_foreign = True
            return None
        self._known = found
        return found


def _told(told: Mapping[str, Any], token: str, scopes: frozenset[str]) -> Workspace:
    enterprise = told.get("enterprise_id") or None
    is_org = told.get("is_enterprise_install") is True
    return Workspace(
        token=token,
        team=None if is_org else str(told.get("team_id")),
        enterprise=None if enterprise is None else str(enterprise),
        bot_user=str(told.get("user_id")),
        bot=told.get("bot_id"),
        scopes=scopes,
    )


def _covers(workspace: Workspace, *, enterprise: str | None, team: str | None) -> bool:
    if workspace.team is None:
        return workspace.enterprise is not None and workspace.enterprise == enterprise
    return workspace.team == team


class InstalledWorkspaces:
    """Those that were installed through OAuth: on the shelf, which encrypts their tokens."""

    def __init__(self, shelf: Shelf, *, tenants: frozenset[str]) -> None:
        self._shelf = shelf
        self.tenants = tenants

    def admits(self, *, enterprise: str | None, team: str | None) -> bool:
        return bool(self.tenants & {enterprise, team})

    async def keep(self, workspace: Workspace) -> None:
        """Keep *workspace* in place of what was installed there before."""
        record = asdict(workspace) | {"scopes": sorted(workspace.scopes)}
        await self._shelf.put(
            _KIND, _key(workspace.enterprise, workspace.team), json.dumps(record).encode()
        )

    async def of(self, *, enterprise: str | None, team: str | None) -> Workspace | None:
        if not self.admits(enterprise=enterprise, team=team):
            return None
        places = [_key(enterprise, team), _key(None, team)]
        if enterprise:
            places.append(_key(enterprise, None))
        for place in places:
            item = await self._shelf.get(_KIND, place)
            if item is not None:
                return _read(item.value)
        return None

    async def in_tenant(self, tenant: str) -> Workspace | None:
        found = [one for one in await self.all() if one.tenant == tenant]
        # An organisation's token reaches everybody in it.
        found.sort(key=lambda one: one.team is not None)
        return found[0] if found else None

    async def named(self, name: str) -> Workspace | None:
        return next((one for one in await self.all() if one.name == name), None)

    async def all(self) -> Sequence[Workspace]:
        found = [_read(item.value) for item in await self._shelf.list(_KIND)]
        return [one for one in found if self.admits(enterprise=one.enterprise, team=one.team)]

    async def removed(self, *, enterprise: str | None, team: str | None) -> None:
        log.error("the slack app was removed", extra={"enterprise": enterprise, "team": team})
        await self._shelf.delete(_KIND, _key(enterprise, team))
        if team is not None:
            await self._shelf.delete(_KIND, _key(None, team))


def _key(enterprise: str | None, team: str | None) -> str:
    return f"{enterprise or '-'}/{team or '-'}"


def _read(value: bytes) -> Workspace:
    record = json.loads(value)
    return Workspace(**{**record, "scopes": frozenset(record["scopes"])})
