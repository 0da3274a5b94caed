"""The way to a person's chat: the one that is known, else one begun, else after installing."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from adapters.teams.errors import BARRED, NOT_INSTALLED, REMOVED, STALE, because
from adapters.teams.installing import Installing
from adapters.teams.references import References, Standing
from adapters.teams.transport import ConnectorRefused, Conversation, Transport

T = TypeVar("T")


class Reaching:
    """*service_url* is where a chat is begun with whom Teams has not told of yet."""

    def __init__(
        self,
        transport: Transport,
        references: References,
        *,
        service_url: str,
        installing: Installing | None,
    ) -> None:
        self._transport = transport
        self._references = references
        self._service_url = service_url
        self._installing = installing

    async def reach(self, tenant: str, user: str, do: Callable[[Conversation], Awaitable[T]]) -> T:
        """Do *do* with the chat of an account; again with another chat if that one is refused.

        *do* MUST raise ConnectorRefused only where nothing was done.

        Raises:
            Undeliverable: the person has removed the app.
            ConnectorRefused: for good.
            ConnectorBusy: not now.
            ConnectorUnclear: the same, or whatever *do* has left in doubt.
        """
        known = await self._references.of(tenant, user)
        if known is not None and known.standing is Standing.REMOVED:
            raise because(REMOVED)
        if known is not None and known.standing is Standing.HERE:
            try:
                return await do(known.chat)
            except ConnectorRefused as error:
                if not _may_be_mended(error):
                    raise
                await self._references.lost(tenant, user)
                if error.code in NOT_INSTALLED:
                    return await self._installed(tenant, user, do, error)
        try:
            return await self._begun(tenant, user, do)
        except ConnectorRefused as error:
            if error.status not in {403, 404} or error.code in BARRED:
                raise
            return await self._installed(tenant, user, do, error)

    async def _begun(self, tenant: str, user: str, do: Callable[[Conversation], Awaitable[T]]) -> T:
        chat = await self._transport.begin(tenant=tenant, user=user, service_url=self._service_url)
        done = await do(chat)
        # Kept once something was taken there, so that what failed is asked for anew.
        await self._references.met(chat)
        return done

    async def _installed(
        self,
        tenant: str,
        user: str,
        do: Callable[[Conversation], Awaitable[T]],
        refused: ConnectorRefused,
    ) -> T:
        if self._installing is None or not await self._installing.install(tenant, user):
            raise refused
        return await self._begun(tenant, user, do)


def _may_be_mended(error: ConnectorRefused) -> bool:
    if error.code in BARRED:
        return False
    return error.status == 404 or error.code in STALE | NOT_INSTALLED
