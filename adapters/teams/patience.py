"""Keeps to the time that the Connector names: nothing is asked of it before, in the same chat."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from adapters.teams.transport import ConnectorBusy, Conversation, Transport

T = TypeVar("T")

_KEPT: Final = 10_000


class Patient:
    """Implements :class:`adapters.teams.transport.Transport` over another."""

    def __init__(self, transport: Transport, *, now: Callable[[], float] = time.monotonic) -> None:
        self._transport = transport
        self._now = now
        self._not_before: dict[str, float] = {}

    async def authenticate(
        self, activity: Mapping[str, Any], authorization: str | None
    ) -> Mapping[str, Any]:
        return await self._transport.authenticate(activity, authorization)

    async def begin(self, *, tenant: str, user: str, service_url: str) -> Conversation:
        return await self._in_time(
            f"begin {user}",
            lambda: self._transport.begin(tenant=tenant, user=user, service_url=service_url),
        )

    async def send(self, to: Conversation, activity: Mapping[str, Any]) -> str:
        return await self._in_time(to.conversation, lambda: self._transport.send(to, activity))

    async def update(self, to: Conversation, activity_id: str, activity: Mapping[str, Any]) -> None:
        await self._in_time(
            to.conversation, lambda: self._transport.update(to, activity_id, activity)
        )

    async def post_in_channel(
        self, *, tenant: str, service_url: str, channel: str, activity: Mapping[str, Any]
    ) -> str:
        return await self._in_time(
            channel,
            lambda: self._transport.post_in_channel(
                tenant=tenant, service_url=service_url, channel=channel, activity=activity
            ),
        )

    async def member(self, of: Conversation, user: str) -> Mapping[str, Any] | None:
        # Somebody waits for it: whether it is throttled is not decided by how much was sent.
        return await self._transport.member(of, user)

    async def close(self) -> None:
        await self._transport.close()

    async def _in_time(self, place: str, ask: Callable[[], Awaitable[T]]) -> T:
        wait_s = self._not_before.get(place, float("-inf")) - self._now()
        if wait_s > 0:
            raise ConnectorBusy(retry_after_s=wait_s)
        try:
            done = await ask()
        except ConnectorBusy as error:
            if len(self._not_before) >= _KEPT:
                self._not_before.pop(next(iter(self._not_before)))
            self._not_before[place] = self._now() + error.retry_after_s
            raise
        self._not_before.pop(place, None)
        return done
