"""One conversation with a gate: a bearer token, strict time limits, no redirects."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from keyturn_client.errors import GateUnreachable, Refused, problem_words

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Gate:
    """Speaks to the agents' listener at *url*, between `open` and `close`.

    Raises:
        ValueError: *url* would send the token in the clear to another machine.
    """

    def __init__(self, url: str, *, token: str, timeout_s: float = 10.0) -> None:
        split = urlsplit(url)
        if split.scheme != "https" and split.hostname not in _LOOPBACK:
            raise ValueError("The gate's URL has to begin with https://.")
        self._url = url.rstrip("/")
        self._token = token
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        wait_s: float = 0.0,
        with_token: bool = True,
    ) -> dict[str, Any]:
        """Return the gate's answer; *wait_s* is added to the time limit.

        Raises:
            Refused: the gate answered with a problem.
            GateUnreachable: it did not answer in time, or not in JSON.
        """
        if self._session is None:
            raise RuntimeError("Use it as an async context manager: async with ...")
        sent = dict(headers or {})
        if with_token:
            sent["Authorization"] = f"Bearer {self._token}"
        timeout = aiohttp.ClientTimeout(total=self._timeout_s + wait_s)
        try:
            async with self._session.request(
                method,
                self._url + path,
                json=None if body is None else dict(body),
                headers=sent,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                status, value = answer.status, await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise GateUnreachable(f"The gate did not answer: {type(error).__name__}.") from error
        if not isinstance(value, dict):
            raise GateUnreachable("The gate's answer is not a JSON object.")
        if status >= 400:
            message, code, remedy = problem_words(value)
            raise Refused(message, code=code, remedy=remedy, status=status)
        if status not in (200, 202):
            raise GateUnreachable(f"The gate answered with the status {status}.")
        return value
