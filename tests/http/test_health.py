"""Alive is not ready."""

import asyncio

import pytest

from bot.core.errors import StoreUnavailable
from tests.http.served import Served


async def test_a_bot_with_all_it_needs_is_ready(served: Served):
    for path in ("/healthz", "/readyz"):
        for base in (served.agents, served.admin):
            reply = await served.ask("GET", path, base=base, token=None)
            assert (reply.status, reply.body) == (200, {"status": "ok"})


async def test_everything_that_is_missing_is_said(served: Served):
    async def stopped() -> str:
        return "The workers do not run."

    async def broken() -> None:
        raise StoreUnavailable("disk full")

    served.checks["workers"] = stopped
    served.checks["store"] = broken
    reply = await served.ask("GET", "/readyz", token=None)
    assert (reply.status, reply.code) == (503, "not_ready")
    assert set(reply.body["missing"]) == {
        "The workers do not run.",
        "The store does not answer.",
    }
    assert int(reply.headers["Retry-After"]) > 0
    assert b"disk full" not in reply.raw
    assert (await served.ask("GET", "/healthz", token=None)).status == 200


async def test_a_check_that_hangs_counts_as_missing(
    served: Served, monkeypatch: pytest.MonkeyPatch
):
    async def hangs() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("bot.http.health.CHECK_TIMEOUT_S", 0.05)
    served.checks["store"] = hangs
    reply = await served.ask("GET", "/readyz", token=None)
    assert reply.body["missing"] == ["The store does not answer in time."]


async def test_a_closed_store_is_not_ready(served: Served):
    await served.office.store.close()
    reply = await served.ask("GET", "/readyz", token=None)
    assert (reply.status, reply.code) == (503, "not_ready")
