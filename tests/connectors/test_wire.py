"""What stands on the wire, and what each end of an exchange proves."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.http import HttpConnector, create
from bot.core.canonical import Json, canonical
from bot.core.proposal import Action
from bot.ports.connector import STALE, Absent, Executed, Failed, Found, InDoubt, Succeeded, Unknown
from bot.system_clock import SystemClock
from bot.testing.connector import Behaviour
from tests.connectors.samples import ACTION
from tests.connectors.sections import TRACKER, connect, section
from tests.connectors.target import SECRET, LoopbackTarget, Received

JSON = {"Content-Type": "application/json"}


async def execute(
    connector: HttpConnector,
    action: Action = ACTION,
    *,
    key: str = "k-1",
    etag: str | None = None,
    within_s: float = 20,
) -> Executed:
    deadline = datetime.now(UTC) + timedelta(seconds=within_s)
    return await connector.execute(action, key=key, etag=etag, deadline=deadline)


async def at(
    target: LoopbackTarget,
    action: Action = ACTION,
    verb: Mapping[str, Any] | None = None,
    *,
    etag: str | None = None,
    **shared: Any,
) -> Executed:
    connector = connect(section(target.url, verb, **shared))
    try:
        return await execute(connector, action, etag=etag)
    finally:
        await connector.close()


def answering(status: int, body: bytes = b"{}", headers: Mapping[str, str] = JSON) -> Any:
    return lambda _request: (status, headers, body)


def request_of(**changed: Any) -> dict[str, Any]:
    return {"request": {**TRACKER["verbs"]["tracker.comment"]["request"], **changed}}


async def test_the_body_is_the_canonical_json_of_the_mapped_params(
    target: LoopbackTarget, connector: HttpConnector
) -> None:
    await execute(connector)
    (request,) = target.requests
    assert request.body == canonical(ACTION.params)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-length"] == str(len(request.body))


async def test_a_member_without_a_value_is_left_out(
    target: LoopbackTarget, connector: HttpConnector
) -> None:
    await execute(connector, replace(ACTION, params={"text": "x"}))
    assert target.requests[0].body == b'{"text":"x"}'


async def test_the_whole_params_can_be_the_body(target: LoopbackTarget) -> None:
    params: Mapping[str, Json] = {"text": "{params.text} {{key}}", "labels": []}
    verb = request_of(body="{params}")
    assert isinstance(await at(target, replace(ACTION, params=params), verb), Succeeded)
    assert target.requests[0].body == canonical(params)


async def test_no_header_but_these_is_sent(
    target: LoopbackTarget, connector: HttpConnector
) -> None:
    await execute(connector, etag='"v7"')
    headers = dict(target.requests[0].headers)
    del headers["content-length"]
    assert headers == {
        "host": f"127.0.0.1:{target.port}",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "keyturn",
        "authorization": f"Bearer {SECRET}",
        "content-type": "application/json",
        "idempotency-key": "k-1",
        "if-match": '"v7"',
        "connection": "close",
    }


@pytest.mark.parametrize(
    ("send", "secret", "header", "value"),
    [
        ("bearer", SECRET, "authorization", f"Bearer {SECRET}"),
        ({"header": "X-Api-Key"}, SECRET, "x-api-key", SECRET),
        ("basic", "dana:long-enough", "authorization", "Basic ZGFuYTpsb25nLWVub3VnaA=="),
    ],
)
async def test_the_credential_is_sent_as_declared(
    target: LoopbackTarget, send: Any, secret: str, header: str, value: str
) -> None:
    made = section(target.url, credential={"reference": "env:TOKEN", "send": send})
    asked: list[str] = []

    def keep(reference: str) -> str:
        asked.append(reference)
        return secret

    connector = create("tracker", made, secrets=keep, clock=SystemClock())
    await execute(connector)
    await connector.close()
    assert asked == ["env:TOKEN"]
    assert target.requests[0].headers[header] == value


async def test_a_megabyte_arrives_whole(target: LoopbackTarget, connector: HttpConnector) -> None:
    text = "é" * 500_000
    assert isinstance(await execute(connector, replace(ACTION, params={"text": text})), Succeeded)
    assert json.loads(target.requests[0].body) == {"text": text}


async def test_cookies_of_the_target_are_not_kept(
    target: LoopbackTarget, connector: HttpConnector
) -> None:
    target.scripted = answering(200, b'{"id": 1}', {**JSON, "Set-Cookie": "session=1; Path=/"})
    await execute(connector)
    await execute(connector)
    assert [r.headers.get("cookie") for r in target.requests] == [None, None]


@pytest.mark.parametrize("name", ["http_proxy", "https_proxy", "all_proxy"])
async def test_a_proxy_of_the_environment_is_not_used(
    target: LoopbackTarget, connector: HttpConnector, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert isinstance(await execute(connector), Succeeded)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
@pytest.mark.parametrize("behaviour", [Behaviour.RESET_READ, Behaviour.LOST_REPLY])
async def test_no_method_is_sent_again_when_the_connection_breaks(
    target: LoopbackTarget, method: str, behaviour: Behaviour
) -> None:
    await target.behave(behaviour)
    outcome = await at(target, verb=request_of(method=method))
    assert isinstance(outcome, InDoubt)
    assert outcome.reason == "connection_lost"
    assert len(target.requests) == 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "not_understood"),
        (401, "credential_refused"),
        (403, "forbidden"),
        (404, "not_found"),
        (405, "method_refused"),
        (409, "conflict"),
        (410, "gone"),
        (412, "precondition_failed"),
        (413, "too_large"),
        (415, "media_type_refused"),
        (422, "unprocessable"),
        (429, "rate_limited"),
    ],
)
async def test_a_refusal_proves_that_nothing_was_done(
    target: LoopbackTarget, status: int, reason: str
) -> None:
    target.scripted = answering(status, b'{"message": "no \xe2\x80\xae thanks"}')
    outcome = await at(target, verb={"idempotency": None})
    assert isinstance(outcome, Failed)
    assert outcome.reason == reason
    assert outcome.detail.startswith(f"The target answered {status}: ")
    assert "no ⟨U+202E⟩ thanks" in outcome.detail


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (202, "accepted"),
        (300, "redirected"),
        (302, "redirected"),
        (304, "redirected"),
        (307, "redirected"),
        (308, "redirected"),
        (406, "unexpected_status"),
        (408, "timeout"),
        (409, "conflict"),
        (418, "unexpected_status"),
        (499, "unexpected_status"),
        (500, "server_error"),
        (502, "server_error"),
        (503, "server_error"),
        (504, "server_error"),
        (599, "server_error"),
    ],
)
async def test_what_does_not_tell_is_in_doubt(
    target: LoopbackTarget, connector: HttpConnector, status: int, reason: str
) -> None:
    body = b"" if status == 304 else b"{}"
    target.scripted = answering(status, body, {**JSON, "Location": target.url})
    outcome = await execute(connector)
    assert isinstance(outcome, InDoubt)
    assert outcome.reason == reason
    assert len(target.requests) == 1


async def test_412_is_stale_only_if_an_etag_was_sent(
    target: LoopbackTarget, connector: HttpConnector
) -> None:
    target.scripted = answering(412)
    with_etag, without = await execute(connector, etag='"v7"'), await execute(connector)
    assert isinstance(with_etag, Failed)
    assert isinstance(without, Failed)
    assert (with_etag.reason, without.reason) == (STALE, "precondition_failed")


async def test_an_etag_is_not_sent_where_the_verb_says_so(target: LoopbackTarget) -> None:
    await at(target, verb=request_of(if_match=False), etag='"v7"')
    assert "if-match" not in target.requests[0].headers


async def test_202_succeeds_where_the_verb_says_so(target: LoopbackTarget) -> None:
    target.scripted = answering(202, b'{"id": 5}')
    outcome = await at(target, verb=request_of(accepted="succeeded"))
    assert outcome == Succeeded(detail="The target answered 202.", reference="5")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"<html>welcome</html>", {"Content-Type": "text/html"}),
        (b'{"id": 1, "id": 2}', JSON),
        (b'{"id": NaN}', JSON),
        (b'{"id": null}', JSON),
        (b'{"id": {"deep": 1}}', JSON),
        (b'{"ok": false}', JSON),
        (b"[" * 100_00, JSON),
        (b"\x1f\x8b\x08\x00", {**JSON, "Content-Encoding": "gzip"}),
        (b"\xff\xfe", JSON),
    ],
)
async def test_an_answer_without_its_declared_reference_is_in_doubt(
    target: LoopbackTarget, connector: HttpConnector, body: bytes, headers: Mapping[str, str]
) -> None:
    target.scripted = answering(200, body, headers)
    outcome = await execute(connector)
    assert isinstance(outcome, InDoubt)
    assert outcome.reason == "answer_malformed"


async def test_the_reference_can_be_a_header(target: LoopbackTarget) -> None:
    target.scripted = answering(201, b"", {"Location": "/comments/9"})
    outcome = await at(target, verb={"reference": {"header": "Location"}})
    assert isinstance(outcome, Succeeded)
    assert outcome.reference == "/comments/9"


async def test_a_large_number_is_a_reference_with_all_its_digits(
    target: LoopbackTarget, connector: HttpConnector
) -> None:
    target.scripted = answering(200, b'{"id": 12345678901234567890}')
    outcome = await execute(connector)
    assert isinstance(outcome, Succeeded)
    assert outcome.reference == "12345678901234567890"


async def test_an_answer_at_the_limit_is_read_and_one_byte_more_is_not(
    target: LoopbackTarget,
) -> None:
    body = b'{"id": 1}'.ljust(100)
    target.scripted = answering(200, body)
    assert isinstance(await at(target, max_response_bytes=100), Succeeded)
    outcome = await at(target, max_response_bytes=99)
    assert isinstance(outcome, InDoubt)
    assert outcome.reason == "answer_too_large"


async def test_the_excerpt_of_an_answer_is_short_and_says_so(
    target: LoopbackTarget, connector: HttpConnector
) -> None:
    target.scripted = answering(403, b"no. " * 5_000, {"Content-Type": "text/plain"})
    outcome = await execute(connector)
    assert isinstance(outcome, Failed)
    assert len(outcome.detail) < 500
    assert "in part" in outcome.detail


async def test_a_page_in_html_is_not_repeated(
    target: LoopbackTarget, connector: HttpConnector
) -> None:
    target.scripted = answering(403, b"<h1>Forbidden</h1>", {"Content-Type": "text/html"})
    outcome = await execute(connector)
    assert isinstance(outcome, Failed)
    assert "h1" not in outcome.detail


async def test_a_target_that_is_slow_to_take_the_body_is_in_doubt(
    target: LoopbackTarget,
) -> None:
    release = asyncio.Event()

    async def never_read(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    async with await asyncio.start_server(never_read, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connector = connect(section(f"http://127.0.0.1:{port}"))
        big = replace(ACTION, params={"text": "x" * 20_000_000})
        outcome = await execute(connector, big, within_s=0.6)
        release.set()
        await connector.close()
    assert isinstance(outcome, InDoubt)
    assert outcome.reason == "timeout"


@pytest.mark.parametrize("etag", ["v7", '"v7"\r\nX-Evil: 1', '"a" , "b"', "*", '"é"', ""])
async def test_an_etag_that_is_none_is_refused_before_anything_is_sent(
    target: LoopbackTarget, connector: HttpConnector, etag: str
) -> None:
    outcome = await execute(connector, etag=etag)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "invalid_input"
    assert target.requests == []


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX-Evil: 1", "é", "x" * 256])
async def test_a_key_that_fits_no_header_is_refused_before_anything_is_sent(
    target: LoopbackTarget, connector: HttpConnector, key: str
) -> None:
    assert isinstance(await execute(connector, key=key), Failed)
    assert target.requests == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b'{"entries": []}', Absent()),
        (b'{"entries": [{"key": "k-1", "id": 9}]}', Found(reference="9")),
        (b'{"entries": [{"key": "k-2", "id": 9}]}', Absent()),
        (b'{"entries": [{"key": "k-1"}, {"key": "k-2"}]}', Found(reference=None)),
    ],
)
async def test_a_look_up_in_a_list(
    target: LoopbackTarget, connector: HttpConnector, answer: bytes, expected: Found | Absent
) -> None:
    target.scripted = answering(200, answer)
    assert await connector.lookup(ACTION, key="k-1") == expected
    assert [request.method for request in target.requests] == ["GET"]


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, b"{}"),
        (200, b'{"entries": null}'),
        (200, b"not json"),
        (200, b'{"entries": [{"key": "k-1"}, {"key": "k-1"}]}'),
        (204, b""),
        (301, b""),
        (401, b"{}"),
        (429, b"{}"),
        (500, b"{}"),
    ],
)
async def test_a_look_up_that_cannot_tell_is_unknown(
    target: LoopbackTarget, connector: HttpConnector, status: int, answer: bytes
) -> None:
    target.scripted = answering(status, answer)
    assert isinstance(await connector.lookup(ACTION, key="k-1"), Unknown)


async def test_a_look_up_of_one_thing_compares_it(target: LoopbackTarget) -> None:
    lookup = {
        "path": "/by-key/{key}",
        "found": {"where": {"/text": "{params.text}", "/author": "{params.labels}"}},
        "absent": {"status": [200, 404]},
    }
    connector = connect(section(target.url, {"lookup": lookup}))
    action = replace(ACTION, params={"text": "hello"})
    seen = []
    for body in (b'{"text": "hello", "author": null}', b'{"text": "other"}', b"{}", b'{"text": 5}'):
        target.scripted = answering(200, body)
        seen.append(await connector.lookup(action, key="k 1?2"))
    await connector.close()
    assert seen[0] == Found()
    assert seen[1] == Absent()
    assert isinstance(seen[2], Unknown)
    assert seen[3] == Absent()


async def test_a_key_that_would_change_the_path_of_a_look_up_is_not_asked(
    target: LoopbackTarget,
) -> None:
    connector = connect(section(target.url, {"lookup": {"path": "/by-key/{key}"}}))
    assert isinstance(await connector.lookup(ACTION, key="../admin"), Unknown)
    await connector.close()
    assert target.requests == []


async def test_a_closed_connector_sends_nothing(
    target: LoopbackTarget, connector: HttpConnector
) -> None:
    await execute(connector)
    await connector.close()
    assert isinstance(await execute(connector), Failed)
    assert len(target.requests) == 1


async def test_a_cancelled_request_closes_its_connection(
    target: LoopbackTarget, connector: HttpConnector
) -> None:
    await target.behave(Behaviour.HANG)
    running = asyncio.create_task(execute(connector))
    async with asyncio.timeout(5):
        await target.until_received()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def paths(requests: list[Received]) -> list[str]:
    return [request.target for request in requests]


async def test_each_inspection_asks_once_and_reads_alone(
    target: LoopbackTarget, connector: HttpConnector
) -> None:
    facts = await connector.inspect(ACTION)
    assert paths(target.requests) == ["/projects/core/issues/7"]
    assert target.requests[0].method == "GET"
    assert facts.before == {"title": "Old title"}
    assert facts.audience.who == "Anyone who reads core"
    assert facts.audience.readers == 12
