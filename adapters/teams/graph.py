"""The few questions that are asked of Microsoft Graph, as the app itself."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import orjson

from adapters.teams.credentials import GRAPH_SCOPE
from adapters.teams.transport import ConnectorRefused, ConnectorUnclear
from adapters.teams.wire import Answer, Wire

#: Graph's own bounds, of one batch and of the groups in one question.
_MOST_IN_BATCH: Final = 20
#: Two questions are asked about each.
MOST_USERS: Final = _MOST_IN_BATCH // 2
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

        At most ``MOST_USERS`` users and ``MOST_GROUPS`` groups. Who is there no more is in none,
        and neither is a guest or whose account is disabled: Entra leaves both in their groups.

        Raises:
            ConnectorRefused: for all or for one of them, for good.
            ConnectorBusy: not now.
            ConnectorUnclear: the same.
        """
        requests: list[Mapping[str, Any]] = []
        for number, user in enumerate(users):
            requests += [
                {
                    "id": f"groups-{number}",
                    "method": "POST",
                    "url": f"/users/{user}/checkMemberGroups",
                    "headers": {"Content-Type": "application/json"},
                    "body": {"groupIds": list(groups)},
                },
                {
                    "id": f"user-{number}",
                    "method": "GET",
                    "url": f"/users/{user}?$select=accountEnabled,userType",
                },
            ]
        told = await self._ask("POST", "v1.0/$batch", {"requests": requests})
        answers = _answers(told.json)
        return [
            _groups(answers.get(f"groups-{number}"))
            if _counts(answers.get(f"user-{number}"))
            else frozenset()
            for number in range(len(users))
        ]

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


def _counts(answer: Mapping[str, Any] | None) -> bool:
    """Tell whether *answer* is about an account that is enabled, of the organisation itself."""
    body = _body(answer)
    if body is None:
        return False
    return body.get("accountEnabled") is True and body.get("userType") == "Member"


def _groups(answer: Mapping[str, Any] | None) -> frozenset[str]:
    body = _body(answer)
    if body is None:
        return frozenset()
    value = body.get("value")
    if not isinstance(value, list):
        raise ConnectorUnclear("Graph did not answer about everybody.")
    return frozenset(str(group).lower() for group in value)


def _body(answer: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return what *answer* says of an account; None where there is none.

    Raises:
        ConnectorUnclear: it says nothing: who cannot be asked about leaves the group unknown,
            not smaller.
    """
    status = None if answer is None else answer.get("status")
    if status == _NO_SUCH:
        return None
    body = None if answer is None else answer.get("body")
    if status != 200 or not isinstance(body, Mapping):
        raise ConnectorUnclear("Graph did not answer about everybody.")
    return body
