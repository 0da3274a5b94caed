"""What Teams says about a team, a channel and its members before anything is written there."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from adapters.teams.connector.client import Answer, Client, Done
from adapters.teams.connector.params import Wanted
from adapters.teams.connector.place import Place
from adapters.teams.connector.refusal import Refused, in_words, meaning_of
from adapters.teams.connector.words import audience_of, channel_facts
from bot.core.errors import InvalidInput, UpstreamFailed
from bot.core.verbs import Facts

_RESOURCE: Final = "/action/resource"
_PAGE: Final = "500"
#: Ten thousand members; whoever is beyond them is not looked at one by one.
_PAGES: Final = 20
_ADD: Final = "An owner of the team adds the app to it, and to a private channel once more."


class Observer:
    """Asks Teams as one bot."""

    def __init__(self, client: Client, *, tenant: str, timeout_s: float) -> None:
        self._client = client
        self._tenant = tenant
        self._timeout_s = timeout_s

    async def facts(self, wanted: Wanted) -> Facts:
        """Return who would see it. What a message says no bot may read.

        Raises:
            InvalidInput: there is no such team or channel, or the app is not in it.
            UpstreamFailed: Teams could not be asked, or does not let the app look.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._facts(wanted.place)
        except TimeoutError:
            raise UpstreamFailed("Teams did not answer in time.") from None

    async def _facts(self, place: Place) -> Facts:
        team = _told(await self._read("teams", place.team))
        listed = _told(await self._read("teams", place.team, "conversations"))
        channels = _mappings(listed, "conversations", "items")
        channel = next((one for one in channels if one.get("id") == place.channel), None)
        if channel is None:
            raise InvalidInput(
                "the app knows no such channel in that team", field=_RESOURCE, remedy=_ADD
            )
        described = channel_facts(
            {**team, "id": place.team}, channel, await self._members(place), tenant=self._tenant
        )
        return Facts(audience=audience_of(described), before={"channel": described})

    async def _members(self, place: Place) -> list[Mapping[str, Any]] | None:
        found: list[Mapping[str, Any]] = []
        params = {"pageSize": _PAGE}
        for _ in range(_PAGES):
            told = _told(await self._read("conversations", place.channel, "pagedmembers", **params))
            found += _mappings(told, "members")
            token = told.get("continuationToken")
            if not isinstance(token, str) or not token:
                return found
            params["continuationToken"] = token
        return None

    async def _read(self, *path: str, **params: str) -> Answer:
        return await self._client.read(*path, within_s=self._timeout_s, **params)


def _told(answer: Answer) -> Mapping[str, Any]:
    match answer:
        case Done(told=told):
            return told
        case Refused() if meaning_of(answer)[0] in {"not_found", "not_in_team", "forbidden"}:
            raise InvalidInput(
                "there is no such team or channel, or the app is not in it",
                field=_RESOURCE,
                remedy=_ADD,
            )
        case Refused():
            raise UpstreamFailed(f"Teams refused to say: {in_words(answer)}.")
        case _:
            raise UpstreamFailed(answer.detail)


def _mappings(told: Mapping[str, Any], *names: str) -> list[Mapping[str, Any]]:
    """Return the list under one of *names*.

    Raises:
        UpstreamFailed: there is none; what is not told is not nobody.
    """
    for name in names:
        if isinstance(listed := told.get(name), list):
            return [one for one in listed if isinstance(one, Mapping)]
    raise UpstreamFailed("The answer of Teams cannot be read.")
