"""Installs the app for a person who does not have it, where an admin wants that; once a day."""

import logging
from typing import Final

from adapters.teams.graph import Graph
from adapters.teams.transport import ConnectorRefused
from bot.core.errors import Conflict
from bot.ports.shelf import Shelf

log = logging.getLogger("keyturn.teams")

_TRIED: Final = "teams_install"
#: Who removes the app again is not bothered with it more often than this.
_AGAIN_S: Final = 86_400.0


class Installing:
    """*app* is the id of the app in the catalogue of *tenant*, the one that Graph answers for."""

    def __init__(self, graph: Graph, *, tenant: str, app: str, shelf: Shelf) -> None:
        self._graph = graph
        self._tenant = tenant
        self._app = app
        self._shelf = shelf

    async def install(self, tenant: str, user: str) -> bool:
        """Return whether the app is installed for *user* now, because it was installed here.

        Raises:
            ConnectorBusy: not now.
            ConnectorUnclear: the same.
        """
        key = f"{tenant}/{user}"
        if tenant != self._tenant or await self._shelf.get(_TRIED, key) is not None:
            return False
        try:
            await self._graph.install(user, self._app)
        except ConnectorRefused as error:
            log.warning(
                "graph does not install the app", extra={"status": error.status, "code": error.code}
            )
            await self._tried(key)
            return False
        await self._tried(key)
        return True

    async def _tried(self, key: str) -> None:
        try:
            await self._shelf.put(_TRIED, key, b"1", ttl_s=_AGAIN_S, if_version=0)
        except Conflict:
            return
