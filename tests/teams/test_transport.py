"""What the bot sends: our own JSON, once, to admitted hosts only, and every answer understood."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from adapters.teams.sdk import BotBuilderTransport
from adapters.teams.testing.issuer import Issuer
from adapters.teams.transport import (
    ConnectorBusy,
    ConnectorRefused,
    ConnectorUnclear,
    Conversation,
)
from tests.teams.listener import DANA, Json, pair_of, transport_for

Answers = Callable[[web.Request], Awaitable[web.StreamResponse]]
CARD: Json = {
    "type": "message",
    "summary": "Approval needed",
    "attachments": [
        {
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {"type": "AdaptiveCard", "version": "1.5", "body": [], "odd": [None, 1.5]},
        }
    ],
    "channelData": {"notification": {"alert": True}},
}


@dataclass
class Connector:
    """Records what it is asked, and answers as it is told."""

    url: str = ""
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    bearers: list[str | None] = field(default_factory=list)
    answer: Answers | None = None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked.append((request.method, request.raw_path, json.loads(body) if body else None))
        self.bearers.append(request.headers.get("Authorization"))
        if self.answer is not None:
            return await self.answer(request)
        told = {"id": "a:1new", "activityId": "1763", "aadObjectId": DANA, "userRole": "user"}
        return web.json_response(told, status=201 if request.method == "POST" else 200)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Connector"]:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self.serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/teams/"
            yield self
        finally:
            await runner.cleanup()


@dataclass
class Scene:
    issuer: Issuer
    connector: Connector
    transport: BotBuilderTransport

    @property
    def chat(self) -> Conversation:
        return Conversation(
            tenant=self.issuer.tenant,
            user=DANA,
            conversation="a:1dana/ü",
            service_url=self.connector.url,
            bot=f"28:{self.issuer.app_id}",
            mri="29:1dana",
        )

    def says(self, status: int, told: Any = None, **headers: str) -> None:
        async def answer(_: web.Request) -> web.Response:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            if isinstance(told, str):
                return web.Response(status=status, text=told, headers=named)
            return web.json_response(told, status=status, headers=named)

        self.connector.answer = answer


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    issuer = Issuer(pair=pair_of("msteams"))
    async with issuer.running(), Connector().running() as connector:
        transport = transport_for(issuer, service_url=connector.url, call_s=0.5)
        yield Scene(issuer, connector, transport)
        await transport.close()


async def test_a_card_goes_out_as_it_was_made_with_an_address(scene: Scene) -> None:
    assert await scene.transport.send(scene.chat, CARD) == "a:1new"
    [(method, path, sent)] = scene.connector.asked
    assert (method, path) == ("POST", "/teams/v3/conversations/a%3A1dana%2F%C3%BC/activities")
    assert sent == {
        **CARD,
        "from": {"id": f"28:{scene.issuer.app_id}"},
        "recipient": {"id": "29:1dana"},
        "conversation": {"id": "a:1dana/ü", "tenantId": scene.issuer.tenant},
    }
    assert scene.connector.bearers == [f"Bearer {scene.issuer.tokens[0]}"]


async def test_an_update_names_the_activity(scene: Scene) -> None:
    await scene.transport.update(scene.chat, "1763:9", CARD)
    [(method, path, sent)] = scene.connector.asked
    assert (method, path) == (
        "PUT",
        "/teams/v3/conversations/a%3A1dana%2F%C3%BC/activities/1763%3A9",
    )
    assert sent["id"] == "1763:9"


async def test_a_chat_begins_by_object_id_with_the_tenant_where_teams_reads_it(
    scene: Scene,
) -> None:
    begun = await scene.transport.begin(
        tenant=scene.issuer.tenant, user=DANA, service_url=scene.connector.url
    )
    assert begun == Conversation(
        tenant=scene.issuer.tenant,
        user=DANA,
        conversation="a:1new",
        service_url=scene.connector.url,
        bot=f"28:{scene.issuer.app_id}",
    )
    [(_, path, sent)] = scene.connector.asked
    assert path == "/teams/v3/conversations"
    assert sent == {
        "bot": {"id": f"28:{scene.issuer.app_id}"},
        "members": [{"id": DANA}],
        "isGroup": False,
        "tenantId": scene.issuer.tenant,
        "channelData": {"tenant": {"id": scene.issuer.tenant}},
    }


async def test_a_notice_begins_a_thread_in_its_channel(scene: Scene) -> None:
    said = {"type": "message", "text": "Stopped."}
    made = await scene.transport.post_in_channel(
        tenant=scene.issuer.tenant,
        service_url=scene.connector.url,
        channel="19:ops@thread.tacv2",
        activity=said,
    )
    assert made == "1763"
    [(_, path, sent)] = scene.connector.asked
    assert path == "/teams/v3/conversations"
    assert sent["channelData"]["channel"] == {"id": "19:ops@thread.tacv2"}
    assert sent["activity"]["text"] == "Stopped."


async def test_a_member_is_told_as_teams_tells_it(scene: Scene) -> None:
    raw = {"id": "29:1dana", "aadObjectId": DANA, "tenantId": "t", "userRole": "user", "new": 1}
    scene.says(200, raw)
    assert await scene.transport.member(scene.chat, DANA) == raw
    assert scene.connector.asked[0][1].endswith(f"/members/{DANA}")


async def test_an_unknown_member_is_none(scene: Scene) -> None:
    scene.says(404, {"error": {"code": "MemberNotFoundInConversation", "message": "no"}})
    assert await scene.transport.member(scene.chat, DANA) is None


async def test_many_cards_take_one_token(scene: Scene) -> None:
    await asyncio.gather(*(scene.transport.send(scene.chat, CARD) for _ in range(20)))
    assert scene.issuer.asked == {"discovery": 1, "token": 1}


def nested(code: str) -> Json:
    """Return an error as the Connector wraps that of a service behind it."""
    inner = json.dumps({"subCode": code, "details": None, "errorCode": 209})
    outer = json.dumps({"errorCode": 209, "message": inner})
    return {"error": {"code": "ServiceError", "message": outer}}


REFUSALS: dict[str, tuple[int, Any, str]] = {
    "not installed": (
        403,
        {"error": {"code": "BotNotInConversationRoster", "message": "The bot is not part."}},
        "BotNotInConversationRoster",
    ),
    "blocked, in a string in a string": (
        403,
        nested("MessageWritesBlocked"),
        "MessageWritesBlocked",
    ),
    "disabled, in an inner error": (
        403,
        {
            "error": {
                "code": "Forbidden",
                "innerHttpError": {"statusCode": 403, "body": {"code": "BotDisabledByAdmin"}},
            }
        },
        "BotDisabledByAdmin",
    ),
    "a chat that is not there": (
        404,
        {"error": {"code": "ConversationNotFound"}},
        "ConversationNotFound",
    ),
    "too large": (413, {"error": {"code": "MessageSizeTooBig"}}, "MessageSizeTooBig"),
    "not registered": (401, {"error": {"code": "BotNotRegistered"}}, "BotNotRegistered"),
    "a page": (403, "<html>Forbidden</html>", ""),
    "nothing": (400, None, ""),
    "depth without end": (400, "[" * 90_000, ""),
}


@pytest.mark.parametrize(("status", "told", "code"), REFUSALS.values(), ids=REFUSALS)
async def test_a_permanent_error_is_refused_with_its_innermost_code(
    scene: Scene, status: int, told: Any, code: str
) -> None:
    scene.says(status, told)
    with pytest.raises(ConnectorRefused) as refused:
        await scene.transport.send(scene.chat, CARD)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert len(scene.connector.asked) == 1


@pytest.mark.parametrize(
    ("status", "retry_after", "pause_s"),
    [
        (429, "7", 7.0),
        (429, "", 5.0),
        (429, "99999999", 3600.0),
        (412, "", 5.0),
        (429, "soon", 5.0),
    ],
)
async def test_asked_to_wait_it_was_surely_not_done(
    scene: Scene, status: int, retry_after: str, pause_s: float
) -> None:
    scene.says(status, {"error": {"code": "Throttled"}}, Retry_After=retry_after)
    with pytest.raises(ConnectorBusy) as busy:
        await scene.transport.send(scene.chat, CARD)
    assert busy.value.retry_after_s == pause_s
    assert len(scene.connector.asked) == 1


@pytest.mark.parametrize("status", [302, 307, 408, 500, 502, 503, 504])
async def test_a_failure_on_the_way_is_unclear_and_never_repeated(
    scene: Scene, status: int
) -> None:
    elsewhere = {"Location": "/teams/elsewhere"} if status < 400 else {}
    scene.says(status, "<html>", **elsewhere)
    with pytest.raises(ConnectorUnclear):
        await scene.transport.send(scene.chat, CARD)
    assert len(scene.connector.asked) == 1


async def test_an_answer_that_names_nothing_is_unclear(scene: Scene) -> None:
    scene.says(201, {})
    with pytest.raises(ConnectorUnclear):
        await scene.transport.send(scene.chat, CARD)


async def test_a_connector_that_hangs_up_or_hangs_is_unclear(scene: Scene) -> None:
    async def hangs_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async def hangs(_: web.Request) -> web.Response:
        await asyncio.sleep(1)
        return web.Response()

    for answer in (hangs_up, hangs):
        scene.connector.answer = answer
        with pytest.raises(ConnectorUnclear):
            await scene.transport.send(scene.chat, CARD)
    assert len(scene.connector.asked) == 2


async def test_a_connection_that_was_never_made_is_for_later(scene: Scene) -> None:
    nobody = Conversation(
        tenant="t", user=DANA, conversation="a:1", service_url="http://127.0.0.1:9/", bot="28:b"
    )
    with pytest.raises(ConnectorBusy):
        await scene.transport.send(nobody, CARD)


async def test_without_a_token_nothing_is_sent(scene: Scene) -> None:
    scene.issuer.entra_is_down = True
    with pytest.raises(ConnectorBusy):
        await scene.transport.send(scene.chat, CARD)
    assert scene.connector.asked == []


async def test_a_token_that_is_not_taken_is_asked_for_anew(scene: Scene) -> None:
    scene.says(401, {"error": {"code": "Unauthorized"}})
    with pytest.raises(ConnectorRefused):
        await scene.transport.send(scene.chat, CARD)
    scene.connector.answer = None
    await scene.transport.send(scene.chat, CARD)
    assert len(set(scene.connector.bearers)) == 2


@pytest.mark.parametrize(
    "service_url",
    [
        "https://smba.trafficmanager.net.example/teams/",
        "https://smba.trafficmanager.net@evil.example/teams/",
        "http://smba.trafficmanager.net/teams/",
        "https://smba.trafficmanager.net:8443/",
        "https://smba.trafficmanager.net\\.evil.example/",
        "https://evil.example/?smba.trafficmanager.net",
        "",
    ],
)
async def test_no_other_host_is_sent_the_token(scene: Scene, service_url: str) -> None:
    chat = Conversation(
        tenant="t", user=DANA, conversation="a:1", service_url=service_url, bot="28:b"
    )
    with pytest.raises(ConnectorRefused) as refused:
        await scene.transport.send(chat, CARD)
    assert refused.value.code == "ServiceAddressNotAdmitted"
    with pytest.raises(ConnectorRefused):
        await scene.transport.begin(tenant="t", user=DANA, service_url=service_url)
    assert not scene.issuer.asked


async def test_neither_token_nor_card_is_written_down(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await scene.transport.send(scene.chat, CARD)
    scene.says(403, nested("MessageWritesBlocked"))
    with pytest.raises(ConnectorRefused):
        await scene.transport.send(scene.chat, CARD)
    written = " ".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    for secret in (*scene.issuer.tokens, scene.issuer.app_password, "Approval needed"):
        assert secret not in written
