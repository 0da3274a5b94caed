"""The admin API, asked by the commands: over the socket of the running bot, or of one run for it.

When no bot runs, the same bot runs here, with no listener but a socket that only this user can
reach, for as long as the command takes. So there is one way in, and every change is recorded.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from bot.cli.output import NotReachable
from bot.core.errors import KeyturnError
from bot.settings import Settings, load

ANSWER_WITHIN_S = 30.0

_BASE = "http://keyturn/v1/admin/"


class Refused(KeyturnError):
    """What the admin API answered with a problem; the problem's own code and status."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail", "")), remedy=problem.get("remedy"))
        self._problem = problem

    @property
    def code(self) -> str:  # type: ignore[override]
        return str(self._problem.get("code", "internal"))

    @property
    def status(self) -> int:  # type: ignore[override]
        return int(self._problem.get("status", 500))


class Admin:
    """One conversation with the admin API."""

    def __init__(self, session: aiohttp.ClientSession, settings: Settings) -> None:
        self._session = session
        self.settings = settings

    async def get(self, *steps: str, **query: str | list[str]) -> Any:
        """Return what the admin API answers below the path *steps*.

        Raises:
            Refused: with the problem's words.
            NotReachable: there was no answer.
        """
        return await self._ask("GET", steps, query=query)

    async def post(
        self,
        *steps: str,
        body: Mapping[str, Any] | None = None,
        within_s: float = ANSWER_WITHIN_S,
    ) -> Any:
        """Return what it answers to *body*; raises as :meth:`get`."""
        return await self._ask("POST", steps, body=body or {}, within_s=within_s)

    async def follow(self, *steps: str, body: Mapping[str, Any]) -> AsyncIterator[Any]:
        """Yield each line that it answers to *body* with, however long it takes.

        Raises:
            Refused: as :meth:`get`.
            NotReachable: it ended before its last line.
        """
        url = URL(_BASE + "/".join(quote(step, safe="") for step in steps), encoded=True)
        patience = aiohttp.ClientTimeout(sock_connect=ANSWER_WITHIN_S)
        try:
            async with self._session.post(url, json=body, timeout=patience) as answer:
                if answer.status >= 400:
                    raise Refused(await answer.json(content_type=None))
                async for line in answer.content:
                    value = json.loads(line)
                    if "problem" in value:
                        raise Refused(value["problem"])
                    yield value
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise _no_answer() from error

    async def put(self, *steps: str, body: Mapping[str, Any]) -> Any:
        """Return what it answers to *body*; raises as :meth:`get`."""
        return await self._ask("PUT", steps, body=body)

    async def delete(self, *steps: str) -> Any:
        """Return what it answers to the end of *steps*; raises as :meth:`get`."""
        return await self._ask("DELETE", steps)

    async def _ask(
        self,
        method: str,
        steps: Sequence[str],
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | list[str]] | None = None,
        within_s: float = ANSWER_WITHIN_S,
    ) -> Any:
        timeout = aiohttp.ClientTimeout(total=within_s)
        url = URL(_BASE + "/".join(quote(step, safe="") for step in steps), encoded=True)
        try:
            async with self._session.request(
                method, url.with_query(query), json=body, timeout=timeout
            ) as answer:
                value = await answer.json(content_type=None) if answer.status != 204 else None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise _no_answer() from error
        if answer.status >= 400:
            raise Refused(value if isinstance(value, dict) else {"status": answer.status})
        return value


def _no_answer() -> NotReachable:
    return NotReachable(
        "The bot did not answer.",
        remedy="It is not known how far it came. Look before you repeat it.",
    )


@asynccontextmanager
async def admin(config: Path) -> AsyncIterator[Admin]:
    """Speak with the bot of *config*.

    Raises:
        RefusesToStart: none runs, and with these settings none can.
        NotReachable: one runs, and may not be spoken to.
    """
    settings = load(config)
    if await is_answered(settings.admin_socket):
        async with speaking(settings, settings.admin_socket) as api:
            yield api
        return
    # Only this way needs the whole bot, and loading it takes longer than most commands.
    from bot.main import assemble  # noqa: PLC0415

    with TemporaryDirectory(prefix="keyturn-") as folder:
        socket = Path(folder) / "admin.sock"
        async with (
            assemble(settings) as bot,
            bot.serving_admin(socket),
            speaking(settings, socket) as api,
        ):
            yield api


@asynccontextmanager
async def speaking(settings: Settings, socket: Path) -> AsyncIterator[Admin]:
    async with aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(path=str(socket)),
        timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN_S),
        trust_env=False,
    ) as session:
        yield Admin(session, settings)


async def is_answered(socket: Path) -> bool:
    """Return whether a bot listens on *socket*.

    Raises:
        NotReachable: this user may not connect.
    """
    try:
        _, writer = await asyncio.open_unix_connection(str(socket))
    except PermissionError as error:
        raise NotReachable(
            f"This user may not speak to the bot on {socket}.",
            remedy="Run the command as the user that runs `keyturn serve`.",
        ) from error
    except OSError:
        return False
    writer.close()
    return True
