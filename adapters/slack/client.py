"""Calls of the Web API: one session for all, one retry by nobody, errors as ours."""

import logging
import time
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import ClientSession, ClientTimeout
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.errors import SlackBusy, SlackRateLimited, SlackUnclear, reading

CALL_S: Final = 10.0
_CONNECT_S: Final = 5.0

#: The SDK writes bodies at DEBUG and codes at WARNING: it is heard from ERROR upwards alone.
SDK_LOG: Final = logging.getLogger("keyturn.slack.sdk")
SDK_LOG.setLevel(logging.ERROR)


class Wire:
    """Opens the session when the first call is made, and makes the client of each token."""

    def __init__(self, api_url: str, *, call_s: float = CALL_S) -> None:
        self._api_url = api_url
        self._call_s = call_s
        self._session: ClientSession | None = None
        self._is_closed = False
        self._clients: dict[str, AsyncWebClient] = {}
        self._not_before: dict[tuple[str, str], float] = {}

    def client(self, token: str) -> AsyncWebClient:
        """Return the one client for *token*; "" is for calls that bring their own."""
        client = self._clients.get(token)
        if client is None:
            client = AsyncWebClient(
                token=token or None,
                base_url=self._api_url,
                timeout=int(self._call_s),
                # Connection errors are not retried below us: a card would be posted twice.
                retry_handlers=[],
                logger=SDK_LOG,
            )
            # It takes a proxy from the environment whatever it is given.
            client.proxy = None
            self._clients[token] = client
        # After closing, the SDK opens a session of its own for each call and closes it.
        if not self._is_closed:
            client.session = self.session()
        return client

    def session(self) -> ClientSession:
        if self._session is None:
            timeout = ClientTimeout(total=self._call_s, connect=_CONNECT_S)
            self._session = ClientSession(timeout=timeout)
        return self._session

    async def read(self, token: str, method: str, **params: Any) -> Mapping[str, Any]:
        """Call a *method* that changes nothing.

        Raises:
            SlackRefused: Slack refused it.
            SlackBusy: not now.
            SlackUnclear: no answer; asking again is harmless.
        """
        return await self._call(token, method, http_verb="GET", params=params)

    async def whoami(self, token: str) -> tuple[Mapping[str, Any], frozenset[str]]:
        """Return whose *token* is and the permissions it has; raises as :meth:`read` does."""
        answer = await self._ask(token, "auth.test", http_verb="GET")
        return _told(answer), scopes_in(answer.headers)

    async def write(self, token: str, method: str, **body: Any) -> Mapping[str, Any]:
        """Call a *method* that changes something; raises as :meth:`read` does.

        Raises:
            SlackUnclear: it may have been done.
        """
        return await self._call(token, method, json=body)

    async def exchange(self, method: str, **form: Any) -> Mapping[str, Any]:
        """Call a *method* that takes its credentials in the form; raises as :meth:`write` does."""
        return await self._call("", method, data=form)

    async def close(self) -> None:
        self._is_closed = True
        if self._session is not None:
            await self._session.close()

    async def _call(self, token: str, method: str, **how: Any) -> Mapping[str, Any]:
        return _told(await self._ask(token, method, **how))

    def _refuse_once_closed(self) -> None:
        if self._is_closed:
            raise SlackBusy("Closing.", retry_after_s=_CONNECT_S)

    async def _ask(self, token: str, method: str, **how: Any) -> AsyncSlackResponse:
        self._refuse_once_closed()
        place = token, method
        wait_s = self._not_before.get(place, 0.0) - time.monotonic()
        if wait_s > 0:
            raise SlackBusy("Slack asks to wait.", retry_after_s=wait_s)
        try:
            return await self.client(token).api_call(method, **how)
        except Exception as error:
            read = SlackUnclear("Closing.") if self._is_closed else reading(error)
            if read is error:
                raise
            if isinstance(read, SlackRateLimited):
                self._not_before[place] = time.monotonic() + read.retry_after_s
            # Without its cause: that holds the request, and with it the token.
            raise read from None


def scopes_in(headers: Mapping[str, str]) -> frozenset[str]:
    """Return the permissions that an answer of Slack with *headers* says the token has."""
    named = {name.lower(): value for name, value in headers.items()}.get("x-oauth-scopes", "")
    return frozenset(named.replace(" ", "").split(",")) - {""}


def _told(answer: AsyncSlackResponse) -> Mapping[str, Any]:
    return answer.data if isinstance(answer.data, Mapping) else {}
