"""Asks Graph whether it lets the app do what the settings need of it."""

from collections.abc import AsyncIterator
from re import IGNORECASE, fullmatch
from typing import Final, Protocol

import orjson

from adapters.teams.activity import GUID
from adapters.teams.config import ChatSection
from adapters.teams.credentials import GRAPH_SCOPE
from adapters.teams.doctor.patient import Around
from adapters.teams.graph import MOST_GROUPS
from adapters.teams.transport import ConnectorBusy, ConnectorRefused, ConnectorUnclear
from adapters.teams.wire import Wire
from bot.core.look import Look, fail, ok, warn

_READS_GROUPS: Final = "GroupMember.Read.All and User.Read.All"
_INSTALLS: Final = "TeamsAppInstallation.ReadWriteSelfForUser.All"
_CONSENT: Final = (
    "Add it in Entra, under API permissions, as an application permission, and grant admin consent."
)
_AGAIN: Final = "Try again; if it stays so, look at the address."


class _Tokens(Protocol):
    async def token(self, scope: str) -> str: ...


class GraphLook:
    """*place* is the section of the chat; nothing is changed in Graph."""

    def __init__(
        self, place: str, section: ChatSection, around: Around, *, tokens: _Tokens, wire: Wire
    ) -> None:
        self._place = place
        self._section = section
        self._around = around
        self._tokens = tokens
        self._wire = wire

    async def looks(self) -> AsyncIterator[Look]:
        named = sorted(self._around.groups)
        groups = [one for one in named if fullmatch(GUID, one, IGNORECASE)]
        for group in set(named) - set(groups):
            what = f"group:teams:{group} is no group's object id, so it is nobody"
            yield fail("policy", what, "Write the Object ID that Entra shows for the group.")
        tenant = self._section.tenant
        own = [one for one in self._around.accounts or () if one.tenant == tenant]
        if groups and not own:
            what = "groups cannot be tried before somebody of the tenant has linked an account"
            yield warn("policy", what, "Link one, and ask again.")
        elif groups:
            path = f"v1.0/users/{own[0].user}/checkMemberGroups"
            body = orjson.dumps({"groupIds": groups[:MOST_GROUPS]})
            trouble = await self._trouble("POST", path, body, setting="policy", needs=_READS_GROUPS)
            yield trouble or ok("policy", f"Graph says who is in {len(groups)} groups")
        if self._section.install_for_people and own:
            setting = f"{self._place}.install_for_people"
            path = f"v1.0/users/{own[0].user}/teamwork/installedApps"
            trouble = await self._trouble("GET", path, None, setting=setting, needs=_INSTALLS)
            yield trouble or ok(setting, "Graph lets the app install itself for people")

    async def _trouble(
        self, method: str, path: str, body: bytes | None, *, setting: str, needs: str
    ) -> Look | None:
        """Return why Graph does not answer, if so."""
        try:
            token = await self._tokens.token(GRAPH_SCOPE)
            await self._wire.call(
                method, f"{self._section.graph_url}{path}", token=token, body=body
            )
        except ConnectorRefused as error:
            if error.status in {401, 403}:
                return fail(setting, f"the app lacks the Graph permission {needs}", _CONSENT)
            return warn(setting, f"Graph does not answer ({error.code or error.status})", _AGAIN)
        except (ConnectorBusy, ConnectorUnclear):
            what = f"nothing at {self._section.graph_url} answers as Graph does"
            return fail(f"{self._place}.graph_url", what, _AGAIN)
        return None
