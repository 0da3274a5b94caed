"""Whether the bot lives, and whether it is ready for work."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from bot.http.answers import answer
from bot.http.problems import NotReady
from bot.ports.queries import Head
from bot.ports.store import Store
from bot.service.policy_book import PolicyBook

#: A check returns None when all is well, else one sentence that says what is missing.
Check = Callable[[], Awaitable[str | None]]

CHECKS = web.AppKey("checks", Mapping[str, Check])
CHECK_TIMEOUT_S = 2.0


async def healthz(_: web.Request, __: object) -> web.Response:
    return answer({"status": "ok"})


async def readyz(request: web.Request, _: object) -> web.Response:
    checks = request.app[CHECKS]
    told = await asyncio.gather(*(_told(name, check) for name, check in checks.items()))
    missing = [sentence for sentence in told if sentence is not None]
    if missing:
        raise NotReady(missing)
    return answer({"status": "ok"})


async def _told(name: str, check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await check()
    except TimeoutError:
        return f"The {name} does not answer in time."
    except Exception:  # noqa: BLE001 - whatever it is, it is not ready
        return f"The {name} does not answer."


def store_answers(store: Store) -> Check:
    async def check() -> str | None:
        await store.read(Head())
        return None

    return check


def policy_is_loaded(policies: PolicyBook) -> Check:
    async def check() -> str | None:
        return None if policies.current.text else "No policy is loaded."

    return check
