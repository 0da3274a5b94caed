"""What agents send wrongly: each gets its documented problem and leaves nothing behind."""

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.core.actors import OPERATOR, Role
from bot.core.tokens import TokenKind, spell_token
from bot.http.problems import every_error
from bot.ports.queries import Proposals
from bot.service.caps import Caps
from tests.http.served import Reply, Served, note, serve
from tests.service.office import ALLOW

UNKNOWN_AGENT = spell_token(TokenKind.AGENT, b"\x01" * 24)


def raw_note(params: str) -> bytes:
    return b'{"action":{"verb":"note.write","resource":"note:1","params":' + params.encode() + b"}}"


async def refused(served: Served, status: int, code: str, **sent: object) -> Reply:
    """Submit *sent*, expect the problem, and expect everything to be as it was."""
    before = await served.remains()
    reply = await served.propose(**sent)  # type: ignore[arg-type]
    assert (reply.status, reply.code) == (status, code), reply.raw
    assert every_error()[code].status == status
    assert await served.remains() == before
    return reply


async def settled(served: Served) -> None:
    """Wait until every pending card is shown, so that no leaf comes late."""
    for proposal in await served.office.store.read(Proposals()):
        if proposal.approval is not None:
            await served.office.until_delivered(proposal.id)


async def refused_token(served: Served, token: str | None, word: str, **headers: str) -> None:
    before = await served.remains()
    reply = await served.ask(
        "POST",
        "/v1/proposals",
        token=token,
        headers={"Idempotency-Key": "k", **headers},
        body=note(),
    )
    assert (reply.status, reply.code) == (401, "not_authenticated")
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    assert word in reply.body["detail"]
    assert await served.remains() == before


async def test_a_missing_token(served: Served):
    await refused_token(served, None, "no Authorization header")


async def test_a_wrong_token(served: Served):
    await refused_token(served, UNKNOWN_AGENT, "unknown")


async def test_a_mistyped_token(served: Served):
    token = served.office.token
    await refused_token(served, token[:-1] + ("a" if token[-1] != "a" else "b"), "not a token")


async def test_an_admins_token_at_the_agents_api(served: Served):
    await refused_token(served, await served.admin_token(Role.ADMIN), "admin")


async def test_an_agents_token_at_the_admin_api(served: Served):
    before = await served.remains()
    reply = await served.as_admin("GET", "/v1/admin/agents", served.office.token)
    assert (reply.status, reply.code) == (401, "not_authenticated")
    assert "agent's token" in reply.body["detail"]
    assert await served.remains() == before


async def test_a_persons_session_as_a_bearer_token(served: Served):
    await refused_token(served, spell_token(TokenKind.SESSION, b"\x02" * 24), "session")


async def test_a_persons_session_in_a_cookie(served: Served):
    session = spell_token(TokenKind.SESSION, b"\x02" * 24)
    await refused_token(served, None, "session", Cookie=f"keyturn={session}")


async def test_a_token_in_another_scheme(served: Served):
    await refused_token(served, None, "'Bearer'", Authorization=f"Basic {served.office.token}")


async def test_a_token_in_the_address(served: Served):
    before = await served.remains()
    reply = await served.ask("GET", f"/v1/proposals?access_token={served.office.token}", token=None)
    assert (reply.status, reply.code) == (401, "not_authenticated")
    assert await served.remains() == before


async def test_a_revoked_agents_token(served: Served):
    await served.office.agents.revoke(OPERATOR, served.office.agent.id, reason="gone")
    await refused_token(served, served.office.token, "revoked")


async def test_an_unknown_verb(served: Served):
    body = note()
    body["action"]["verb"] = "note.burn"
    reply = await refused(served, 422, "unknown_verb", body=body)
    assert reply.body["field"] == "/action/verb"


async def test_a_verb_outside_the_credentials_scope(served: Served):
    office = served.office
    await office.agents.bind(
        OPERATOR, office.agent.id, principals=[office.dana.id], verbs=["mail.*"]
    )
    await refused(served, 403, "not_permitted", body=note())


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"text": 1}, "/action/params/text"),
        ({}, "/action/params"),
        ({"text": "a", "more": 1}, "/action/params"),
    ],
)
async def test_params_that_break_the_schema(served: Served, params: dict[str, object], field: str):
    body = note()
    body["action"]["params"] = params
    reply = await refused(served, 422, "invalid_input", body=body)
    assert reply.body["field"] == field


async def test_params_that_hold_a_secret(served: Served):
    secret = spell_token(TokenKind.AGENT, b"\x03" * 24)
    reply = await refused(served, 422, "secret_in_proposal", body=note(f"use {secret}"))
    assert reply.body["field"] == "/action/params/text"
    assert secret.encode() not in reply.raw


async def test_an_oversize_body(tmp_path: Path):
    async with serve(tmp_path, caps=Caps(max_body_bytes=4096)) as served:
        await refused(served, 413, "too_large", body=note("x" * 5000))


async def test_an_oversize_body_of_unknown_length(tmp_path: Path):
    async with serve(tmp_path, caps=Caps(max_body_bytes=4096)) as served:
        before = await served.remains()

        async def chunks():
            for _ in range(100):
                yield b" " * 1000

        async with served.session.post(
            f"{served.agents}/v1/proposals",
            data=chunks(),
            headers={
                "Authorization": f"Bearer {served.office.token}",
                "Idempotency-Key": "k",
                "Content-Type": "application/json",
            },
        ) as response:
            assert response.status == 413
            assert (await response.json(content_type=None))["code"] == "too_large"
        assert await served.remains() == before


async def test_a_body_of_exactly_the_cap_is_taken(tmp_path: Path):
    raw = json.dumps(note("hello")).encode()
    async with serve(tmp_path, caps=Caps(max_body_bytes=len(raw))) as served:
        assert (await served.propose(raw=raw)).status == 202
        assert (await served.propose(raw=raw + b" ")).status == 413


@pytest.mark.parametrize(
    "raw",
    [
        raw_note('{"text":"a","text":"b"}'),
        b'{"action":1,"action":{"verb":"note.write","resource":"note:1","params":{"text":"a"}}}',
        raw_note('{"text":"a","\\u0074ext":"b"}'),
    ],
)
async def test_duplicate_json_keys(served: Served, raw: bytes):
    reply = await refused(served, 422, "invalid_input", raw=raw)
    assert "twice" in reply.body["detail"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_numbers_that_are_not_json(served: Served, number: str):
    await refused(served, 422, "invalid_input", raw=raw_note(f'{{"text":{number}}}'))


@pytest.mark.parametrize("number", ["9007199254740993", "-9007199254740993", "9007199254740992"])
async def test_integers_beyond_what_a_double_tells_apart(served: Served, number: str):
    await refused(served, 422, "invalid_input", raw=raw_note(f'{{"text":{number}}}'))


@pytest.mark.parametrize("text", [r"\ud800", r"a\udfffb", r"\udc00\ud800"])
async def test_a_lone_surrogate(served: Served, text: str):
    reply = await refused(served, 422, "invalid_input", raw=raw_note(f'{{"text":"{text}"}}'))
    assert "surrogate" in reply.body["detail"]


async def test_depth_33(served: Served):
    # The body, the action and the params are three levels already.
    deep = '{"text":' + "[" * 30 + "]" * 30 + "}"
    reply = await refused(served, 422, "invalid_input", raw=raw_note(deep))
    assert "32 levels" in reply.body["detail"]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"surprise": 1}, "/surprise"),
        ({"rationale": {"because": "x"}}, "/rationale/because"),
        ({"preconditions": {"etag": "a", "version": 1}}, "/preconditions/version"),
        ({"agent": "agt_x"}, "/agent"),
    ],
)
async def test_an_unknown_field(served: Served, more: dict[str, object], field: str):
    reply = await refused(served, 422, "invalid_input", body=note(**more))
    assert reply.body["errors"] == [{"field": field, "detail": "is not known here"}]


async def test_everything_that_is_wrong_is_told_at_once(served: Served):
    body = {"action": {"verb": "", "resource": 7}, "expires_in_s": "soon", "extra~/": None}
    reply = await refused(served, 422, "invalid_input", body=body)
    assert {fault["field"] for fault in reply.body["errors"]} == {
        "/action/verb",
        "/action/resource",
        "/action/params",
        "/expires_in_s",
        "/extra~0~1",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("expires_in_s", 1.0),
        ("expires_in_s", True),
        ("expires_in_s", 1),
        ("expires_in_s", 10**9),
        ("on_behalf_of", "dana"),
        ("supersedes", "prp_1"),
        ("mode", "force"),
        ("correlation", ""),
        ("correlation", "x" * 201),
        ("rationale", {"read": [{"ref": "a", "sha256": "zz"}]}),
        ("rationale", {"why": "x" * 10_001}),
        ("preconditions", {"etag": "two words"}),
    ],
)
async def test_a_field_of_the_wrong_shape(served: Served, field: str, value: object):
    reply = await refused(served, 422, "invalid_input", body=note(**{field: value}))
    assert reply.body["field"].startswith(f"/{field}")


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"null", b'"text"', b"{", b"\xff{}", b"\xef\xbb\xbf{}"]
)
async def test_a_body_that_is_no_object(served: Served, raw: bytes):
    await refused(served, 422, "invalid_input", raw=raw)


async def test_a_missing_idempotency_key(served: Served):
    reply = await refused(served, 422, "invalid_input", key=None)
    assert "Idempotency-Key" in reply.body["detail"]


@pytest.mark.parametrize("key", [" ", "a b", "x" * 256, "é"])
async def test_a_malformed_idempotency_key(served: Served, key: str):
    await refused(served, 422, "invalid_input", key=key)


async def test_two_idempotency_keys(served: Served):
    before = await served.remains()
    host = urlsplit(served.agents)
    body = json.dumps(note()).encode()
    head = (
        f"POST /v1/proposals HTTP/1.1\r\nHost: {host.netloc}\r\n"
        f"Authorization: Bearer {served.office.token}\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: a\r\nIdempotency-Key: b\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    writer.write(head.encode() + body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b" 422 " in answer.split(b"\r\n", 1)[0]
    assert await served.remains() == before


async def test_a_key_of_255_visible_characters_is_taken(served: Served):
    assert (await served.propose(key="~" * 255)).status == 202


async def test_a_reused_key_with_the_same_body_is_the_same_proposal(served: Served):
    first = await served.propose(key="once")
    await settled(served)
    before = await served.remains()
    again = await served.propose(key="once")
    assert (again.status, again.body["id"]) == (200, first.body["id"])
    assert await served.remains() == before


async def test_a_reused_key_with_another_body(served: Served):
    await served.propose(key="once")
    await settled(served)
    await refused(served, 422, "idempotency_key_reused", body=note("other"), key="once")


async def test_a_key_reused_for_the_same_action_with_another_claim(served: Served):
    await served.propose(key="once")
    await settled(served)
    await refused(
        served,
        422,
        "idempotency_key_reused",
        body=note(rationale={"why": "another"}),
        key="once",
    )


async def test_a_principal_that_is_not_bound(served: Served):
    stranger = await served.office.person("eve")
    await refused(served, 403, "not_permitted", body=note(on_behalf_of=stranger.id))


async def test_a_principal_that_does_not_exist_is_answered_alike(served: Served):
    stranger = await served.office.person("eve")
    known = await served.propose(note(on_behalf_of=stranger.id))
    unknown = await served.propose(note(on_behalf_of="per_" + "0" * 26))
    assert known.body == unknown.body


async def test_a_clock_that_has_ended(served: Served):
    proposal = (await served.propose(note(expires_in_s=10))).body["id"]
    served.office.clock.advance(11)
    reply = await served.ask("GET", f"/v1/proposals/{proposal}")
    assert (reply.status, reply.body["state"]) == (200, "expired")
    assert reply.body["message"] == (
        "Nobody answered in time. You do not have permission. "
        "Do not attempt this another way; you may ask again."
    )
    withdrawn = await served.ask("POST", f"/v1/proposals/{proposal}/withdraw")
    assert withdrawn.body["state"] == "expired"


async def test_too_many_pending_of_an_agent(tmp_path: Path):
    async with serve(tmp_path, caps=Caps(pending_per_agent=2)) as served:
        for n in range(2):
            assert (await served.propose(note(f"{n}"))).status == 202
        await settled(served)
        reply = await refused(served, 429, "too_many")
        assert reply.body["cap"] == "pending_per_agent"
        assert int(reply.headers["Retry-After"]) == reply.body["retry_after_s"] > 0


async def test_too_many_pending_for_a_person(tmp_path: Path):
    async with serve(tmp_path, caps=Caps(pending_per_principal=1)) as served:
        await served.office.until_delivered((await served.propose()).body["id"])
        reply = await refused(served, 429, "too_many")
        assert reply.body["cap"] == "pending_per_principal"


async def test_submits_faster_than_the_rate(tmp_path: Path):
    async with serve(tmp_path, caps=Caps(submits_per_minute=2), policy=ALLOW) as served:
        for n in range(2):
            await served.office.until((await served.propose(note(f"{n}"))).body["id"])
        reply = await refused(served, 429, "too_many")
        assert reply.body["cap"] == "submits_per_minute"
        assert 1 <= int(reply.headers["Retry-After"]) <= 60


async def test_a_leaf_that_cannot_be_written(served: Served):
    served.office.store.break_log()
    reply = await refused(served, 503, "store_unavailable", key="again")
    assert "Retry-After" in reply.headers
    assert "same Idempotency-Key" in reply.body["remedy"]
    served.office.store.mend_log()
    assert (await served.propose(key="again")).status == 202


async def test_a_halted_agent(served: Served):
    token = await served.admin_token(Role.ADMIN)
    halted = await served.as_admin(
        "POST", "/v1/admin/halts", token, body={"scope": "all", "reason": "drill"}
    )
    assert halted.status == 201
    await settled(served)
    reply = await refused(served, 503, "halted")
    assert "Retry-After" in reply.headers
    assert reply.body["remedy"] == ("Do not attempt this another way. A person has to resume it.")


async def test_a_proposal_to_supersede_that_is_not_there(served: Served):
    await refused(served, 404, "not_found", body=note(supersedes="prp_" + "0" * 26))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json; charset=latin-1"}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 422),
        ({"Content-Type": "application/json", "Content-Encoding": "identity"}, 415),
        ({"Content-Type": "application/json; charset=UTF-8"}, 202),
    ],
)
async def test_a_body_that_is_not_plain_json(served: Served, headers: dict[str, str], status: int):
    before = await served.remains()
    sent = {"Idempotency-Key": "k", **headers}
    reply = await served.ask("POST", "/v1/proposals", headers=sent, raw=json.dumps(note()).encode())
    if status == 202:
        assert reply.status == 202
    else:
        assert reply.status in {415, 422}
        assert reply.code in {"unsupported_media_type", "invalid_input"}
        assert await served.remains() == before


async def test_a_misspelt_query_parameter_does_not_submit(served: Served):
    reply = await refused(served, 422, "invalid_input", query="?dryrun=true")
    assert "dry_run" in reply.body["remedy"]


@pytest.mark.parametrize("query", ["?dry_run=1", "?dry_run=true&dry_run=false"])
async def test_a_dry_run_that_cannot_be_understood_does_not_submit(served: Served, query: str):
    await refused(served, 422, "invalid_input", query=query)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "state=gone", "cursor=abc", "page=2"]
)
async def test_a_list_that_cannot_be_understood(served: Served, query: str):
    reply = await served.ask("GET", f"/v1/proposals?{query}")
    assert (reply.status, reply.code) == (422, "invalid_input")


async def test_an_unknown_address(served: Served):
    reply = await served.ask("GET", "/v1/nothing", token=None)
    assert (reply.status, reply.code) == (404, "not_found")


async def test_an_unknown_method(served: Served):
    reply = await served.ask("DELETE", "/v1/proposals", token=None)
    assert (reply.status, reply.code) == (405, "method_not_allowed")
    assert reply.headers["Allow"] == "GET, POST"


async def test_a_body_that_never_ends_is_cut_off(tmp_path: Path):
    async with serve(tmp_path, body_timeout_s=0.1) as served:
        before = await served.remains()
        host = urlsplit(served.agents)
        reader, writer = await asyncio.open_connection(host.hostname, host.port)
        writer.write(
            f"POST /v1/proposals HTTP/1.1\r\nHost: {host.netloc}\r\n"
            f"Authorization: Bearer {served.office.token}\r\nIdempotency-Key: slow\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
        )
        async with asyncio.timeout(5):
            answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"too_slow"' in answer
        assert await served.remains() == before


async def test_an_unexpected_error_tells_no_details(
    served: Served, caplog: pytest.LogCaptureFixture
):
    served.office.notebook.facts = None  # type: ignore[assignment] # a faulty connector
    reply = await refused(served, 500, "internal")
    correlation = reply.body["correlation"]
    assert b"Traceback" not in reply.raw
    assert b"NoneType" not in reply.raw
    [record] = [r for r in caplog.records if getattr(r, "correlation", None) == correlation]
    assert record.exc_info is not None
    caplog.clear()
