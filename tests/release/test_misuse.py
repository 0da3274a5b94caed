"""Every way to misuse a grant is refused, with its reason, and is an entry of the log."""

import asyncio
import base64
import json
import os
from collections import Counter as Count
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import OctKey

from bot.core.actors import OPERATOR, Role
from bot.core.canonical import digest_of
from bot.core.errors import GrantUsed
from bot.core.grants import MAX_REFUSALS_RECORDED
from bot.core.halts import HaltScope, HaltTarget
from bot.core.states import State
from bot.ports.clock import Clock
from bot.ports.store import Store
from bot.service.grant_keys import SEED_BYTES, TYPE, GrantKeys
from bot.service.policy_book import PolicyBook
from bot.service.release import Release
from store.sqlite import SqliteStore
from tests.release.counter import AUDIENCE, FOUR_EYES, HOLD_ONLY, Counter, open_counter


def claims_in(grant: str) -> dict[str, Any]:
    payload = grant.split(".")[1]
    found: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return found


def b64(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def test_a_grant_is_redeemed_once(counter: Counter) -> None:
    proposal, grant = await counter.granted()

    first = await counter.redeem(grant, proposal)
    again = await counter.redeem(grant, proposal)

    assert first.status == 200, first.raw
    assert first.body["state"] == "redeemed"
    assert (again.status, again.code) == (409, "grant_used")
    assert await counter.refusals() == ["grant_used"]


async def test_of_sixty_four_that_redeem_at_once_one_does(counter: Counter) -> None:
    proposal, grant = await counter.granted()

    replies = await asyncio.gather(*(counter.redeem(grant, proposal) for _ in range(64)))

    assert Count(reply.status for reply in replies) == {200: 1, 409: 63}
    assert await counter.refusals() == ["grant_used"] * 63


async def test_the_same_server_hears_the_answer_again_under_its_key(counter: Counter) -> None:
    proposal, grant = await counter.granted()
    other = await counter.another_server("other-till", AUDIENCE)

    first = await counter.redeem(grant, proposal, key="till-1")
    again = await counter.redeem(grant, proposal, key="till-1")
    another_key = await counter.redeem(grant, proposal, key="till-2")
    another_server = await counter.redeem(grant, proposal, key="till-1", token=other)

    assert again.body == first.body
    assert again.headers["Idempotency-Replayed"] == "true"
    assert {another_key.code, another_server.code} == {"grant_used"}


async def test_a_server_of_another_audience_is_refused(counter: Counter) -> None:
    proposal, grant = await counter.granted()
    other = await counter.another_server("shop", "https://shop.example")

    refused = await counter.redeem(grant, proposal, token=other)

    assert (refused.status, refused.code) == (403, "grant_for_another_audience")
    assert await counter.refusals() == ["grant_for_another_audience"]
    assert (await counter.redeem(grant, proposal)).status == 200


async def test_a_changed_action_is_refused(counter: Counter) -> None:
    proposal, grant = await counter.granted()

    refused = await counter.redeem(grant, proposal, action_digest=digest_of({"more": 1}))

    assert (refused.status, refused.code) == (403, "grant_for_another_action")
    assert await counter.refusals() == ["grant_for_another_action"]


async def test_a_grant_of_another_proposal_does_not_open_this_one(counter: Counter) -> None:
    small, _ = await counter.granted("1 euro")
    _, large = await counter.granted("1000 euro")

    refused = await counter.redeem(large, small)

    assert refused.code == "grant_for_another_action"


async def test_an_expired_grant_is_refused_and_ends_the_proposal(counter: Counter) -> None:
    proposal, grant = await counter.granted()
    office = counter.served.office
    office.clock.advance(121)

    refused = await counter.redeem(grant, proposal)

    assert (refused.status, refused.code) == (403, "grant_expired")
    assert (await office.now(proposal.id)).state is State.EXPIRED
    assert await counter.refusals() == ["grant_expired"]


async def test_a_grant_that_the_clock_has_ended_is_refused(counter: Counter) -> None:
    proposal, grant = await counter.granted()
    office = counter.served.office
    office.clock.advance(121)
    await office.until(proposal.id, State.EXPIRED)

    assert (await counter.redeem(grant, proposal)).code == "grant_expired"


@pytest.mark.parametrize("scope", [HaltScope.ALL, HaltScope.AGENT, HaltScope.CONNECTOR])
async def test_a_grant_is_worth_nothing_after_a_halt(counter: Counter, scope: HaltScope) -> None:
    proposal, grant = await counter.granted()
    office = counter.served.office
    target = HaltTarget(
        scope=scope,
        agent=office.agent.id if scope is HaltScope.AGENT else None,
        connector=proposal.connector if scope is HaltScope.CONNECTOR else None,
    )
    await office.halts.halt(OPERATOR, target, reason="Stop it.")

    refused = await counter.redeem(grant, proposal)

    assert (refused.status, refused.code) == (403, "grant_revoked")
    assert (await office.now(proposal.id)).state is State.REVOKED
    assert await counter.refusals() == ["grant_revoked"]


async def test_resuming_does_not_revive_a_grant(counter: Counter) -> None:
    proposal, grant = await counter.granted()
    office = counter.served.office
    halt = await office.halts.halt(OPERATOR, HaltTarget(scope=HaltScope.ALL), reason="Stop it.")
    await office.halts.resume(OPERATOR, halt.id, reason="Go on.")

    assert (await counter.redeem(grant, proposal)).code == "grant_revoked"


@pytest.mark.parametrize("stricter", [HOLD_ONLY, FOUR_EYES, "version: 1\nrules: []\n"])
async def test_a_grant_is_worth_nothing_under_a_stricter_policy(
    counter: Counter, stricter: str
) -> None:
    proposal, grant = await counter.granted()
    await counter.served.office.gate.policies.activate(stricter, actor=OPERATOR)

    refused = await counter.redeem(grant, proposal)

    assert (refused.status, refused.code) == (403, "grant_revoked")
    assert "stricter" in refused.body["detail"]
    assert await counter.refusals() == ["grant_revoked"]


async def test_a_grant_is_worth_nothing_once_its_agent_is_revoked(counter: Counter) -> None:
    proposal, grant = await counter.granted()
    office = counter.served.office
    await office.agents.revoke(OPERATOR, office.agent.id, reason="Gone.")

    assert (await counter.redeem(grant, proposal)).code == "grant_revoked"


async def test_a_grant_is_worth_nothing_once_an_approver_may_no_longer_approve(
    tmp_path: Path,
) -> None:
    async with open_counter(tmp_path, policy=FOUR_EYES) as counter:
        office = counter.served.office
        eve = await office.person("eve")
        office.groups.members_of["security"] = frozenset({eve.id})
        proposed = await counter.propose()
        proposal = await office.now(proposed.body["id"])
        await office.press(proposal, by=eve.id)
        taken = await counter.grant_of(proposal.id)
        office.groups.members_of["security"] = frozenset()

        refused = await counter.redeem(taken.body["grant"], proposal)

        assert refused.code == "grant_revoked"


@pytest.mark.parametrize("whose", ["agent", "nobody", "admin", "revoked", "rotated", "unknown"])
async def test_without_a_resource_servers_credential_it_is_refused(
    counter: Counter, whose: str
) -> None:
    proposal, grant = await counter.granted()
    office, servers = counter.served.office, counter.served.office.resource_servers
    match whose:
        case "agent":
            token = office.token
        case "admin":
            token = await counter.served.admin_token(Role.ADMIN)
        case "revoked":
            await servers.revoke(OPERATOR, counter.server.id, reason="Gone.")
            token = counter.token
        case "rotated":
            await servers.rotate(OPERATOR, counter.server.id, overlap_s=0)
            office.clock.advance(1)
            token = counter.token
        case "unknown":
            token = counter.token[:-8] + "AAAAAAAA"
        case _:
            token = "-"

    refused = await counter.redeem(grant, proposal, token=token)

    assert (refused.status, refused.code) == (401, "not_authenticated")
    assert (await office.now(proposal.id)).state is State.RELEASED
    assert await counter.refusals() == ["not_authenticated"]


def _forged(grant: str, counter: Counter, how: str) -> str:
    header, payload, signature = grant.split(".")
    claims = claims_in(grant)
    kid = json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]
    jwk = counter.served.office.release.keys.jwks()["keys"][0]
    match how:
        case "none":
            return f"{b64({'typ': TYPE, 'alg': 'none', 'kid': kid})}.{payload}."
        case "HS256 with the public key":
            public = base64.urlsafe_b64decode(jwk["x"] + "=")
            return jws.serialize_compact(
                {"typ": TYPE, "alg": "HS256", "kid": kid},
                json.dumps(claims).encode(),
                OctKey.import_key(public),
                algorithms=["HS256"],
            )
        case "another key under our name":
            other = GrantKeys([os.urandom(SEED_BYTES)])
            signed = other.sign(claims, key=other.newest)
            return f"{header}.{signed.split('.')[1]}.{signed.split('.')[2]}"
        case "another key under its own name":
            other = GrantKeys([os.urandom(SEED_BYTES)])
            return other.sign(claims, key=other.newest)
        case "a key in the header":
            other = GrantKeys([os.urandom(SEED_BYTES)])
            signed = other.sign(claims, key=other.newest)
            own = {"typ": TYPE, "alg": "Ed25519", "kid": kid, "jwk": other.jwks()["keys"][0]}
            return f"{b64(own)}.{signed.split('.')[1]}.{signed.split('.')[2]}"
        case "a longer life":
            return f"{header}.{b64({**claims, 'exp': claims['exp'] + 3600})}.{signature}"
        case "another audience":
            return f"{header}.{b64({**claims, 'aud': 'https://shop.example'})}.{signature}"
        case "no signature":
            return f"{header}.{payload}."
        case "signed by us, but never issued":
            keys = counter.served.office.release.keys
            return keys.sign({**claims, "exp": claims["exp"] + 3600}, key=keys.newest)
        case "the type of another token":
            keys = counter.served.office.release.keys
            return jws.serialize_compact(
                {"typ": "JWT", "alg": "Ed25519", "kid": kid},
                json.dumps(claims).encode(),
                keys._keys[kid],
                algorithms=["Ed25519"],
            )
        case "garbage":
            return "a.b.c"
        case "another grant's id":
            return f"{header}.{b64({**claims, 'jti': 'gnt_' + '0' * 26})}.{signature}"
        case "another proposal":
            return f"{header}.{b64({**claims, 'txn': 'prp_' + '0' * 26})}.{signature}"
        case _:
            raise AssertionError(how)


@pytest.mark.parametrize(
    "how",
    [
        "none",
        "HS256 with the public key",
        "another key under our name",
        "another key under its own name",
        "a key in the header",
        "a longer life",
        "another audience",
        "no signature",
        "signed by us, but never issued",
        "the type of another token",
        "garbage",
        "another grant's id",
        "another proposal",
    ],
)
async def test_what_we_have_not_issued_is_refused(counter: Counter, how: str) -> None:
    proposal, grant = await counter.granted()

    refused = await counter.redeem(_forged(grant, counter, how), proposal)

    assert (refused.status, refused.code) == (403, "grant_not_genuine")
    assert await counter.refusals() == ["grant_not_genuine"]
    assert (await counter.redeem(grant, proposal)).status == 200


async def test_a_flood_of_refusals_does_not_flood_the_log(counter: Counter) -> None:
    proposal, grant = await counter.granted()
    await counter.redeem(grant, proposal)

    for _ in range(MAX_REFUSALS_RECORDED + 20):
        assert (await counter.redeem(grant, proposal)).code == "grant_used"

    assert len(await counter.refusals()) == MAX_REFUSALS_RECORDED


async def test_a_flood_of_forgeries_is_slowed_down(counter: Counter) -> None:
    proposal, _ = await counter.granted()

    codes = Count([(await counter.redeem("a.b.c", proposal)).code for _ in range(120)])

    assert codes == {"grant_not_genuine": 100, "too_many": 20}
    assert len(await counter.refusals()) == 100


async def test_a_grant_that_was_redeemed_before_a_restart_is_refused_after_it(
    tmp_path: Path,
) -> None:
    seed, file = os.urandom(SEED_BYTES), tmp_path / "keyturn.sqlite3"

    async def opened(clock: Clock) -> Store:
        return await SqliteStore.open(file, clock=clock)

    async with open_counter(tmp_path, make_store=opened) as counter:
        counter.served.office.release.keys.add(seed)
        gate, server = counter.served.office.gate, counter.server
        proposal, grant = await counter.granted()
        assert (await counter.redeem(grant, proposal)).status == 200

    store = await SqliteStore.open(file, clock=gate.clock)
    try:
        policies = PolicyBook(store, gate.policies.current)
        again = Release(replace(gate, store=store, policies=policies), GrantKeys([seed]))
        with pytest.raises(GrantUsed):
            await again.redeem(server, grant, action_digest=proposal.action_digest, key=None)
    finally:
        await store.close()
