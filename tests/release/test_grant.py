"""How an agent comes to a grant, and what stands in it."""

import asyncio
import base64
import json
import os
from dataclasses import replace
from pathlib import Path

from joserfc import jws
from joserfc.jwk import KeySet

from bot.core.actors import OPERATOR, Role
from bot.core.halts import HaltScope, HaltTarget
from bot.core.ids import ProposalId
from bot.core.proposal import binding_digest
from bot.core.states import State
from bot.service.grant_keys import SEED_BYTES, GrantKeys
from bot.service.release import Release
from tests.http.served import Served, note, serve
from tests.release.counter import ALLOW, AUDIENCE, HOLD_ONLY, Counter, open_counter


async def test_a_grant_says_exactly_what_was_approved(counter: Counter) -> None:
    proposal, grant = await counter.granted()
    published = await counter.served.ask("GET", "/.well-known/jwks.json", token=None)

    keys = KeySet.import_key_set(published.body)
    token = jws.deserialize_compact(grant, keys, algorithms=["Ed25519"])
    claims = json.loads(token.payload)

    assert token.headers()["typ"] == "keyturn-grant+jwt"
    assert token.headers()["kid"] == published.body["keys"][-1]["kid"]
    assert claims["iss"] == "urn:keyturn:deployment:test"
    assert claims["aud"] == AUDIENCE
    assert claims["act"] == {"sub": proposal.agent}
    assert claims["txn"] == proposal.id
    assert claims["exp"] - claims["iat"] <= 120
    assert claims["authorization_details"] == [
        {
            "type": "urn:keyturn:action:v1",
            "verb": "note.write",
            "resource": "note:1",
            "action_digest": proposal.action_digest,
            "digest": proposal.digest,
            "max_uses": 1,
        }
    ]
    assert "d" not in published.body["keys"][0]


async def test_a_grant_names_the_person_only_by_a_pseudonym(counter: Counter) -> None:
    proposal, grant = await counter.granted()

    payload = base64.urlsafe_b64decode(grant.split(".")[1] + "==")

    assert proposal.principal.encode() not in payload
    assert json.loads(payload)["sub"].startswith("psn_")


async def test_a_lost_reply_loses_nothing(counter: Counter) -> None:
    proposal = await counter.approved()

    first, *others = [await counter.grant_of(proposal.id) for _ in range(3)]

    assert first.status == 200
    assert [other.raw for other in others] == [first.raw, first.raw]
    leaves = await counter.served.office.leaf_types(proposal.id)
    assert leaves.count("grant.released") == 1


async def test_those_who_ask_at_once_get_one_grant(counter: Counter) -> None:
    proposal = await counter.approved()

    replies = await asyncio.gather(*(counter.grant_of(proposal.id) for _ in range(16)))

    assert len({reply.raw for reply in replies}) == 1


async def test_a_grant_is_the_same_after_a_restart_with_the_same_keys(counter: Counter) -> None:
    seeds = [os.urandom(SEED_BYTES) for _ in range(2)]
    office = counter.served.office
    proposal = await counter.approved()

    _, before = await Release(office.gate, GrantKeys(seeds)).grant(office.agent, proposal.id)
    _, after = await Release(office.gate, GrantKeys(seeds)).grant(office.agent, proposal.id)

    assert before == after


async def test_a_pending_proposal_has_no_grant(counter: Counter) -> None:
    proposed = await counter.propose()

    refused = await counter.grant_of(proposed.body["id"])

    assert (refused.status, refused.code) == (409, "illegal_transition")


async def test_what_is_executed_has_no_grant(tmp_path: Path) -> None:
    async with serve(tmp_path) as served:
        proposed = await served.propose(note())
        refused = await served.ask("POST", f"/v1/proposals/{proposed.body['id']}/grant")

        assert (refused.status, refused.code) == (409, "illegal_transition")


async def test_the_grant_of_another_agent_is_not_there(counter: Counter) -> None:
    office = counter.served.office
    proposal = await counter.approved()
    _, token = await office.agents.create(
        OPERATOR,
        name="other",
        owner=office.dana.id,
        purpose="Something else",
        principals=[office.dana.id],
        verbs=["note.*"],
    )

    refused = await counter.served.ask("POST", f"/v1/proposals/{proposal.id}/grant", token=token)

    assert refused.code == "not_found"


async def test_a_resource_server_takes_no_grant(counter: Counter) -> None:
    proposal = await counter.approved()

    refused = await counter.served.ask(
        "POST", f"/v1/proposals/{proposal.id}/grant", token=counter.token
    )

    assert refused.code == "not_authenticated"


async def test_a_halt_before_the_grant_leaves_none(counter: Counter) -> None:
    proposal = await counter.approved()
    office = counter.served.office
    await office.halts.halt(OPERATOR, HaltTarget(scope=HaltScope.ALL), reason="Stop it.")

    refused = await counter.grant_of(proposal.id)

    assert refused.code == "illegal_transition"
    assert "Stop it." in refused.body["detail"]
    assert (await office.now(proposal.id)).state is State.REVOKED


async def test_a_stricter_policy_before_the_grant_leaves_none(counter: Counter) -> None:
    proposal = await counter.approved()
    await counter.served.office.gate.policies.activate(HOLD_ONLY, actor=OPERATOR)

    refused = await counter.grant_of(proposal.id)

    assert "no longer releases" in refused.body["detail"]
    assert (await counter.served.office.now(proposal.id)).state is State.REVOKED


async def test_an_approval_that_was_not_used_in_time_has_no_grant(counter: Counter) -> None:
    proposal = await counter.approved()
    counter.served.office.clock.advance(15 * 60 + 1)

    assert (await counter.grant_of(proposal.id)).code == "illegal_transition"
    assert (await counter.served.office.now(proposal.id)).state is State.EXPIRED


async def test_a_grant_never_outlives_the_approval(counter: Counter) -> None:
    proposal = await counter.approved()
    counter.served.office.clock.advance(14 * 60 + 30)

    taken = await counter.grant_of(proposal.id)

    found = await counter.served.office.now(proposal.id)
    assert taken.status == 200
    assert found.grant is not None
    assert found.use_by is not None
    assert found.grant.expires_at <= found.use_by


async def test_an_allowed_release_needs_no_person(tmp_path: Path) -> None:
    async with open_counter(tmp_path, policy=ALLOW) as counter:
        proposed = await counter.propose()
        assert (proposed.status, proposed.body["state"]) == (202, "approved")
        assert "grant" in proposed.body["message"]

        taken = await counter.grant_of(proposed.body["id"])

        assert taken.status == 200
        assert counter.served.office.notebook.written == []


async def test_an_approved_release_is_never_carried_out_by_keyturn(counter: Counter) -> None:
    await counter.granted()

    assert counter.served.office.notebook.written == []


async def test_without_a_rule_that_releases_it_is_denied(tmp_path: Path) -> None:
    async with open_counter(tmp_path, policy=HOLD_ONLY) as counter:
        proposed = await counter.propose()

        assert proposed.body["state"] == "denied"
        assert AUDIENCE in proposed.body["reason"]


async def test_a_released_verb_cannot_be_executed_nor_sent_elsewhere(counter: Counter) -> None:
    executed = await counter.served.propose(note())
    elsewhere = await counter.served.propose(note(mode="release", audience="https://shop.example"))
    nowhere = await counter.served.propose(note(mode="release"))

    assert (executed.code, executed.body["field"]) == ("invalid_input", "/mode")
    assert AUDIENCE in executed.body["remedy"]
    assert (elsewhere.code, elsewhere.body["field"]) == ("invalid_input", "/audience")
    assert (nowhere.code, nowhere.body["field"]) == ("invalid_input", "/audience")


async def test_an_executed_verb_cannot_be_released(served: Served) -> None:
    released = await served.propose(note(mode="release", audience=AUDIENCE))
    with_audience = await served.propose(note(audience=AUDIENCE))

    assert released.body["field"] == "/mode"
    assert with_audience.body["field"] == "/audience"


async def test_a_waiting_agent_is_answered_when_its_release_is_approved(counter: Counter) -> None:
    office = counter.served.office
    proposed = await counter.propose()
    waiting = asyncio.create_task(
        counter.served.ask(
            "GET", f"/v1/proposals/{proposed.body['id']}", headers={"Prefer": "wait=20"}
        )
    )
    await office.press(await office.now(ProposalId(proposed.body["id"])))

    answered = await waiting

    assert answered.body["state"] == "approved"
    assert answered.body["audience"] == AUDIENCE


async def test_mode_and_audience_are_bound_by_the_digest(counter: Counter) -> None:
    proposal = await counter.approved()

    def digest(**changes: str) -> str:
        return binding_digest(replace(proposal, **changes), deployment="test")  # type: ignore[arg-type] # fields by name

    assert digest() == proposal.digest
    assert digest(audience="https://shop.example") != proposal.digest


async def test_with_a_newer_key_old_grants_hold_and_new_ones_carry_its_name(
    counter: Counter,
) -> None:
    proposal, old = await counter.granted()
    token = await counter.served.admin_token(Role.ADMIN)

    rotated = await counter.served.as_admin("POST", "/v1/admin/keys/grant/rotate", token)
    name = rotated.body["name"]
    _, new = await counter.granted("something else")

    assert (await counter.grant_of(proposal.id)).body["grant"] == old
    assert (await counter.redeem(old, proposal)).status == 200
    published = (await counter.served.ask("GET", "/.well-known/jwks.json", token=None)).body
    assert [key["kid"] for key in published["keys"]][-1] == name
    assert len(published["keys"]) == 2
    assert json.loads(base64.urlsafe_b64decode(new.split(".")[0] + "=="))["kid"] == name
