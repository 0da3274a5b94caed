"""The client and the verifier against a real gate on loopback, and against one that lies."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.core.proposal import Action as GateAction
from bot.core.proposal import action_digest as gate_digest
from bot.service.grant_keys import SEED_BYTES, GrantKeys
from keyturn_client import (
    Action,
    GateUnreachable,
    GrantRefused,
    GrantVerifier,
    Keyturn,
    Refused,
    action_digest,
)
from keyturn_client.keys import read_keys
from tests.release.counter import AUDIENCE, Counter, open_counter

ISSUER = "urn:keyturn:deployment:test"
ACTION = Action(verb="note.write", resource="note:1", params={"text": "hello"})


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    async with open_counter(tmp_path) as opened:
        yield opened


@pytest.fixture
async def verifier(counter: Counter) -> AsyncIterator[GrantVerifier]:
    async with at(counter) as opened:
        yield opened


@pytest.fixture
async def agent(counter: Counter) -> AsyncIterator[Keyturn]:
    async with Keyturn(counter.served.agents, token=counter.served.office.token) as opened:
        yield opened


def a_verifier(url: str, token: str, **changes: Any) -> GrantVerifier:
    return GrantVerifier(
        url,
        token=token,
        **{"audience": AUDIENCE, "issuer": ISSUER, "timeout_s": 5, **changes},
    )


def at(counter: Counter, *, later_s: float = 0, **changes: Any) -> GrantVerifier:
    """Return a verifier that reads the clock of *counter*, which no other machine has."""
    clock = counter.served.office.clock
    return a_verifier(
        counter.served.agents,
        changes.pop("token", counter.token),
        clock=lambda: clock.now().timestamp() + later_s,
        **changes,
    )


async def approved(counter: Counter, agent: Keyturn, action: Action = ACTION) -> str:
    proposal = await agent.propose(action, key=os.urandom(8).hex(), audience=AUDIENCE)
    assert proposal.state == "pending"
    waiting = asyncio.create_task(agent.wait(proposal.id, wait_s=20))
    office = counter.served.office
    await office.press(await office.now(proposal.id))  # type: ignore[arg-type] # an id as text
    assert (await waiting).state == "approved"
    return proposal.id


async def test_from_proposal_to_outcome(
    counter: Counter, agent: Keyturn, verifier: GrantVerifier
) -> None:
    proposal = await approved(counter, agent)
    grant = await agent.grant(proposal)
    assert grant.audience == AUDIENCE

    redeemed = await verifier.redeem(grant.token, ACTION)
    await verifier.report(redeemed.proposal, "succeeded", detail="Written.", reference="n-1")

    found = await agent.wait(proposal)
    assert (redeemed.proposal, redeemed.agent) == (proposal, counter.served.office.agent.id)
    assert (found.state, found.is_final, found.executed) == ("succeeded", True, True)


async def test_the_agent_says_that_it_is_done(
    counter: Counter, agent: Keyturn, verifier: GrantVerifier
) -> None:
    proposal = await approved(counter, agent)
    await verifier.redeem((await agent.grant(proposal)).token, ACTION)

    assert (await agent.succeeded(proposal)).state == "succeeded"


async def test_a_proposal_is_withdrawn(agent: Keyturn) -> None:
    proposal = await agent.propose(ACTION, key="k", audience=AUDIENCE)

    assert (await agent.withdraw(proposal.id, reason="moot")).state == "withdrawn"


async def test_the_same_key_is_the_same_proposal(agent: Keyturn) -> None:
    first = await agent.propose(ACTION, key="k", audience=AUDIENCE)
    again = await agent.propose(ACTION, key="k", audience=AUDIENCE)

    assert again.id == first.id


async def test_a_refusal_says_why(agent: Keyturn) -> None:
    with pytest.raises(Refused) as refused:
        await agent.grant("prp_" + "0" * 26)

    assert (refused.value.status, refused.value.code) == (404, "not_found")


async def test_a_grant_is_good_once(
    counter: Counter, agent: Keyturn, verifier: GrantVerifier
) -> None:
    grant = await agent.grant(await approved(counter, agent))
    await verifier.redeem(grant.token, ACTION)

    with pytest.raises(GrantRefused) as refused:
        await verifier.redeem(grant.token, ACTION)

    assert refused.value.code == "grant_used"


@pytest.mark.parametrize(
    "changed",
    [
        replace(ACTION, params={"text": "hullo"}),
        replace(ACTION, resource="note:2"),
        replace(ACTION, verb="note.burn"),
        replace(ACTION, params={"text": "hello", "to": "everybody"}),
    ],
)
async def test_another_action_is_refused_before_the_gate_is_asked(
    counter: Counter, agent: Keyturn, verifier: GrantVerifier, changed: Action
) -> None:
    grant = await agent.grant(await approved(counter, agent))

    with pytest.raises(GrantRefused) as refused:
        await verifier.redeem(grant.token, changed)

    assert refused.value.code == "grant_for_another_action"
    assert await counter.refusals() == []
    assert (await verifier.redeem(grant.token, ACTION)).agent


async def test_a_grant_for_another_audience_is_refused(counter: Counter, agent: Keyturn) -> None:
    grant = await agent.grant(await approved(counter, agent))
    shop = await counter.another_server("shop", "https://shop.example")

    async with at(counter, token=shop, audience="https://shop.example") as verifier:
        with pytest.raises(GrantRefused) as refused:
            await verifier.redeem(grant.token, ACTION)

    assert refused.value.code == "grant_for_another_audience"


async def test_a_grant_of_another_deployment_is_refused(counter: Counter, agent: Keyturn) -> None:
    grant = await agent.grant(await approved(counter, agent))

    async with at(counter, issuer="urn:other") as verifier:
        with pytest.raises(GrantRefused) as refused:
            await verifier.redeem(grant.token, ACTION)

    assert refused.value.code == "grant_not_genuine"


async def test_an_old_grant_is_refused(counter: Counter, agent: Keyturn) -> None:
    grant = await agent.grant(await approved(counter, agent))

    async with at(counter, later_s=126) as verifier:
        with pytest.raises(GrantRefused) as refused:
            await verifier.redeem(grant.token, ACTION)

    assert refused.value.code == "grant_expired"


@pytest.mark.parametrize("how", ["", "a.b.c", "é.b.c", "tampered", "other key", "x" * 20_000])
async def test_what_is_not_a_grant_is_refused(
    counter: Counter, agent: Keyturn, verifier: GrantVerifier, how: str
) -> None:
    grant = (await agent.grant(await approved(counter, agent))).token
    header, payload, signature = grant.split(".")
    forged = how
    if how == "tampered":
        forged = f"{header}.{payload[:-4]}AAAA.{signature}"
    if how == "other key":
        other = GrantKeys([os.urandom(SEED_BYTES)])
        forged = other.sign({"aud": AUDIENCE}, key=other.newest)

    with pytest.raises(GrantRefused) as refused:
        await verifier.redeem(forged, ACTION)

    assert refused.value.code == "grant_not_genuine"


async def test_a_value_without_a_canonical_form_is_refused(verifier: GrantVerifier) -> None:
    with pytest.raises(GrantRefused) as refused:
        await verifier.redeem("a.b.c", replace(ACTION, params={"amount": float("nan")}))

    assert refused.value.code == "no_canonical_form"


async def test_a_key_that_is_new_is_looked_up(
    counter: Counter, agent: Keyturn, verifier: GrantVerifier
) -> None:
    await verifier.redeem((await agent.grant(await approved(counter, agent))).token, ACTION)
    counter.served.office.release.keys.add(os.urandom(SEED_BYTES))
    verifier._keys._asked_at = None
    grant = await agent.grant(await approved(counter, agent))

    assert (await verifier.redeem(grant.token, ACTION)).agent


@pytest.mark.parametrize(
    "params",
    [
        {"text": "hello"},
        {"z": 1, "a": [1.5, None, True, {"ü": "€", "\u2028": "x"}], "é": -0.0},
        {"n": 2**53 - 1, "e": 1e21, "s": "\U0001f600 \x7f"},
        {},
    ],
)
def test_the_digest_is_that_of_the_gate(params: dict[str, Any]) -> None:
    ours = Action(verb="pay", resource="a:1", params=params)
    theirs = GateAction(verb="pay", resource="a:1", params=params)

    assert action_digest(ours) == gate_digest(theirs.canonical())


@pytest.mark.parametrize("url", ["http://gate.example", "ftp://gate.example", "gate.example"])
def test_a_token_never_travels_in_the_clear(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Keyturn(url, token="kta_x")


# A gate that lies, or fails in its own way.


@pytest.fixture
async def lying() -> AsyncIterator[Callable[..., Any]]:
    runners: list[web.AppRunner] = []

    async def start(redeem: Callable[[web.Request], Any], keys: Any) -> str:
        async def published(_: web.Request) -> web.Response:
            return web.json_response(keys)

        app = web.Application()
        app.router.add_post("/v1/grants/redeem", redeem)
        app.router.add_get("/.well-known/jwks.json", published)
        runner = web.AppRunner(app)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}"

    yield start
    for runner in runners:
        await runner.cleanup()


def signed(**changes: Any) -> tuple[GrantKeys, str]:
    keys = GrantKeys([os.urandom(SEED_BYTES)])
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "psn_1",
        "act": {"sub": "agt_1"},
        "txn": "prp_1",
        "jti": "gnt_1",
        "iat": now,
        "nbf": now,
        "exp": now + 60,
        "authorization_details": [
            {
                "type": "urn:keyturn:action:v1",
                "verb": ACTION.verb,
                "resource": ACTION.resource,
                "action_digest": action_digest(ACTION),
                "max_uses": 1,
            }
        ],
        **changes,
    }
    return keys, keys.sign(claims, key=keys.newest)


AGREES = {
    "proposal": "prp_1",
    "state": "redeemed",
    "verb": ACTION.verb,
    "resource": ACTION.resource,
    "action_digest": action_digest(ACTION),
    "report_by": "2030-01-01T00:00:00Z",
}


async def test_what_the_gate_agrees_to_passes(lying: Callable[..., Any]) -> None:
    keys, grant = signed()

    async def redeem(request: web.Request) -> web.Response:
        assert (await request.json())["action_digest"] == action_digest(ACTION)
        return web.json_response(AGREES)

    async with a_verifier(await lying(redeem, keys.jwks()), "ktr_x") as verifier:
        assert (await verifier.redeem(grant, ACTION)).principal == "psn_1"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [AUDIENCE]},
        {"exp": int(time.time()) + 10_000},
        {"iat": int(time.time()) + 1000, "nbf": int(time.time()) + 1000},
        {"authorization_details": []},
        {"authorization_details": [{"type": "urn:keyturn:action:v1"}]},
        {"authorization_details": [{"type": "other"}]},
        {"txn": None},
        {"act": "agt_1"},
    ],
)
async def test_claims_that_are_not_those_of_a_grant_are_refused(
    lying: Callable[..., Any], claims: dict[str, Any]
) -> None:
    keys, grant = signed(**claims)

    async def redeem(_: web.Request) -> web.Response:
        raise AssertionError("the gate was asked")

    async with a_verifier(await lying(redeem, keys.jwks()), "ktr_x") as verifier:
        with pytest.raises(GrantRefused):
            await verifier.redeem(grant, ACTION)


@pytest.mark.parametrize(
    "answer",
    [
        {**AGREES, "proposal": "prp_2"},
        {**AGREES, "action_digest": "sha256:" + "0" * 64},
        {**AGREES, "state": "revoked"},
        {},
    ],
)
async def test_a_gate_that_speaks_of_something_else_is_not_believed(
    lying: Callable[..., Any], answer: dict[str, Any]
) -> None:
    keys, grant = signed()

    async def redeem(_: web.Request) -> web.Response:
        return web.json_response(answer)

    async with a_verifier(await lying(redeem, keys.jwks()), "ktr_x") as verifier:
        with pytest.raises(GrantRefused) as refused:
            await verifier.redeem(grant, ACTION)

    assert refused.value.code == "gate_disagrees"


@pytest.mark.parametrize("how", ["500", "redirect", "not json", "a list", "hangs up", "204"])
async def test_every_doubt_fails_closed(lying: Callable[..., Any], how: str) -> None:
    keys, grant = signed()

    async def redeem(request: web.Request) -> web.StreamResponse:
        match how:
            case "500":
                return web.json_response({"code": "internal"}, status=500)
            case "redirect":
                return web.Response(status=307, headers={"Location": str(request.url)})
            case "not json":
                return web.Response(text="<html>")
            case "a list":
                return web.json_response([AGREES])
            case "204":
                return web.Response(status=204)
            case _:
                assert request.transport is not None
                request.transport.close()
                return web.Response()

    async with a_verifier(await lying(redeem, keys.jwks()), "ktr_x") as verifier:
        with pytest.raises((GrantRefused, GateUnreachable)):
            await verifier.redeem(grant, ACTION)


async def test_a_gate_that_is_not_there_fails_closed() -> None:
    _, grant = signed()

    async with a_verifier("http://127.0.0.1:9", "ktr_x") as verifier:
        with pytest.raises(GateUnreachable):
            await verifier.redeem(grant, ACTION)


@pytest.mark.parametrize("keys", [{}, {"keys": 3}, [], {"keys": [{"kty": "oct", "k": "AAAA"}]}])
async def test_without_usable_keys_nothing_passes(lying: Callable[..., Any], keys: Any) -> None:
    _, grant = signed()

    async def redeem(_: web.Request) -> web.Response:
        raise AssertionError("the gate was asked")

    async with a_verifier(await lying(redeem, keys), "ktr_x") as verifier:
        with pytest.raises((GrantRefused, GateUnreachable)):
            await verifier.redeem(grant, ACTION)


def test_a_malformed_key_among_good_ones_is_left_out() -> None:
    good = GrantKeys([os.urandom(SEED_BYTES)]).jwks()["keys"]
    bad = [{"kty": "OKP", "crv": "Ed25519", "kid": "bad", "x": "!"}, 7, {**good[0], "kid": 7}]

    assert list(read_keys({"keys": [*bad, *good]})) == [good[0]["kid"]]
