"""The few questions that are asked of Microsoft Graph, as the app itself."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import orjson

from adapters.teams.credentials import GRAPH_SCOPE
from adapters.teams.transport import ConnectorRefused, ConnectorUnclear
from adapters.teams.wire import Answer, Wire

#: Graph's own bounds, of one batch and of the groups in one question.
MOST_IN_BATCH: Final = 20
MOST_GROUPS: Final = 20
_NO_SUCH: Final = 404
_THERE_ALREADY: Final = 409


class Tokens(Protocol):
    async def token(self, scope: str) -> str: ...

    def forget(self, scope: str) -> None: ...


class Graph:
    """*url* ends with a slash. What fails is told as the Connector's failures are."""

    def __init__(self, url: str, *, tokens: Tokens, wire: Wire) -> None:
        self._url = url
        self._tokens = tokens
        self._wire = wire

    async def groups_of(
        self, users: Sequence[str], groups: Sequence[str]
    ) -> Sequence[frozenset[str]]:
        """Return which of *groups* each of *users* is in, directly or through other groups.

        At most ``MOST_IN_BATCH`` users and ``MOST_GROUPS`` groups. Who is there no more is in none.

        Raises:
            ConnectorRefused: for all or for one of them, for good.
            ConnectorBusy: not now.
            ConnectorUnclear: the same.
        """
        requests = [
            {
                "id": str(number),
                "method": "POST",
                "url": f"/users/{user}/checkMemberGroups",
                "headers": {"Content-Type": "application/json"},
                "body": {"groupIds": list(groups)},
            }
            for number, user in enumerate(users)
        ]
        told = await self._ask("POST", "v1.0/$batch", {"requests": requests})
        answers = _answers(told.json)
        return [_groups(answers.get(str(number))) for number in range(len(users))]

    async def install(self, user: str, app: str) -> None:
        """Install *app*, named by its id in the organisation's catalogue, for *user*.

        Raises:
            ConnectorRefused: for good.
            ConnectorBusy: not now.
            ConnectorUnclear: the same; asking again does no harm.
        """
        # Graph knows its own objects by this address, whichever one it is asked at.
        bound = f"https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/{app}"
        try:
            await self._ask(
                "POST",
                f"v1.0/users/{user}/teamwork/installedApps",
                {"teamsApp@odata.bind": bound},
            )
        except ConnectorRefused as error:
            if error.status != _THERE_ALREADY:
                raise

    async def _ask(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        token = await self._tokens.token(GRAPH_SCOPE)
        try:
            return await self._wire.call(
                method, f"{self._url}{path}", token=token, body=orjson.dumps(body)
            )
        except ConnectorRefused as error:
            if error.status == 401:
                self._tokens.forget(GRAPH_SCOPE)
            raise


def _answers(told: Any) -> Mapping[str, Mapping[str, Any]]:
    responses = told.get("responses") if isinstance(told, Mapping) else None
    if not isinstance(responses, list):
        raise ConnectorUnclear("Graph's answer is not understood.")
    return {str(one.get("id")): one for one in responses if isinstance(one, Mapping)}


def _groups(answer: Mapping[str, Any] | None) -> frozenset[str]:
    status = None if answer is None else answer.get("status")
    if status == _NO_SUCH:
        return frozenset()
    body = None if answer is None else answer.get("body")
    value = body.get("value") if isinstance(body, Mapping) else None
    if status != 200 or not isinstance(value, list):
        # Whoever cannot be asked about leaves the group unknown, not smaller.
        raise ConnectorUnclear("Graph did not answer about everybody.")
    return frozenset(str(group).lower() for group in value)
