"""The admin interface: who may do what, what is shown once, and what is recorded."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import BaseModel, TypeAdapter

from bot.core.actors import OPERATOR, Role
from bot.core.errors import NotAuthenticated
from bot.core.halts import HaltScope, HaltTarget
from bot.http import admin_answers as m
from bot.http.admin_routes import ADMIN_ROUTES
from bot.http.routes import Auth
from bot.ports.queries import Leaves
from tests.http.served import Reply, Served, note
from tests.service.office import DENY


def is_a(model: type[BaseModel], reply: Reply, status: int = 200) -> Any:
    """Return the body, after failing unless it is exactly what *model* documents."""
    assert reply.status == status, reply.raw
    TypeAdapter(model).validate_json(reply.raw)
    return reply.body


async def last_leaf(served: Served) -> dict[str, Any]:
    leaves = await served.office.store.read(Leaves())
    value: dict[str, Any] = json.loads(leaves[-1].body)
    return value


async def test_an_agent_from_its_token_to_its_end(served: Served):
    token = await served.admin_token(Role.ADMIN)
    made = await served.as_admin(
        "POST",
        "/v1/admin/agents",
        token,
        body={
            "name": "forum-reader",
            "owner": "dana",
            "purpose": "Reads the forum",
            "principals": ["dana"],
            "verbs": ["note.write"],
        },
    )
    agent = is_a(m.AgentTokenAnswer, made, 201)
    assert made.headers["Cache-Control"] == "no-store"
    assert agent["principals"] == [served.office.dana.id]
    assert (await last_leaf(served))["type"] == "agent.created"
    whoami = await served.ask("GET", "/v1/whoami", token=agent["token"])
    assert whoami.body["name"] == "forum-reader"

    rotated = is_a(
        m.AgentTokenAnswer,
        await served.as_admin(
            "POST", "/v1/admin/agents/forum-reader/rotate", token, body={"overlap_s": 60}
        ),
    )
    for valid in (agent["token"], rotated["token"]):
        assert (await served.ask("GET", "/v1/whoami", token=valid)).status == 200
    served.office.clock.advance(61)
    assert (await served.ask("GET", "/v1/whoami", token=agent["token"])).status == 401
    assert (await served.ask("GET", "/v1/whoami", token=rotated["token"])).status == 200

    limited = await served.as_admin(
        "PUT",
        f"/v1/admin/agents/{agent['id']}/limits",
        token,
        body={"principals": [], "verbs": []},
    )
    assert is_a(m.AgentAnswer, limited)["verbs"] == []
    revoked = await served.as_admin(
        "POST", "/v1/admin/agents/forum-reader/revoke", token, body={"reason": "no longer needed"}
    )
    assert is_a(m.AgentAnswer, revoked)["active"] is False
    assert (await served.ask("GET", "/v1/whoami", token=rotated["token"])).status == 401


async def test_no_list_and_no_later_answer_shows_a_token(served: Served):
    token = await served.admin_token(Role.ADMIN)
    for path in ("agents", "agents/writer", "people", "people/dana"):
        reply = await served.as_admin("GET", f"/v1/admin/{path}", token)
        assert reply.status == 200
        assert b"token" not in reply.raw
        assert b"kta_" not in reply.raw
        assert b"ktx_" not in reply.raw


async def test_a_person_from_registration_to_deactivation(served: Served):
    token = await served.admin_token(Role.ADMIN)
    body = {"handle": "lee", "display_name": "Lee", "roles": []}
    lee = is_a(
        m.PersonAnswer, await served.as_admin("POST", "/v1/admin/people", token, body=body), 201
    )
    again = await served.as_admin("POST", "/v1/admin/people", token, body=body)
    assert (again.status, again.code) == (409, "conflict")
    for_another = await served.as_admin("POST", "/v1/admin/people/lee/admin-token", token)
    assert (for_another.status, for_another.code) == (403, "not_permitted")
    roles = await served.as_admin(
        "PUT", f"/v1/admin/people/{lee['id']}/roles", token, body={"roles": ["auditor"]}
    )
    assert is_a(m.PersonAnswer, roles)["roles"] == ["auditor"]
    _, secret = await served.office.people.admin_token(OPERATOR, "lee")
    assert (await served.as_admin("GET", "/v1/admin/whoami", secret)).status == 200
    gone = await served.as_admin("POST", "/v1/admin/people/lee/deactivate", token)
    assert is_a(m.PersonAnswer, gone)["active"] is False
    assert (await served.as_admin("GET", "/v1/admin/whoami", secret)).status == 401


async def test_a_sign_in_link_of_the_operator_works_once(served: Served, tmp_path: Path):
    async with (
        operator(tmp_path) as session,
        session.post("http://keyturn/v1/admin/people/dana/sign-in-link") as response,
    ):
        reply = Reply(response.status, response.headers, await response.read())
    link = is_a(m.SignInLinkAnswer, reply, 201)
    assert reply.headers["Cache-Control"] == "no-store"
    address, _, code = link["url"].partition("#")
    assert address == "https://keyturn.example/sign-in"
    assert (await served.office.sign_in.redeem(code)).handle == "dana"
    with pytest.raises(NotAuthenticated):
        await served.office.sign_in.redeem(code)


async def test_an_admin_cannot_sign_in_as_somebody_else(served: Served):
    token = await served.admin_token(Role.ADMIN)
    before = await served.remains()
    reply = await served.as_admin("POST", "/v1/admin/people/dana/sign-in-link", token)
    assert (reply.status, reply.code) == (403, "not_permitted")
    assert await served.remains() == before


async def test_an_auditor_reads_everything_and_changes_nothing(served: Served):
    token = await served.admin_token(Role.AUDITOR, handle="audrey")
    proposal = (await served.propose()).body["id"]
    target = HaltTarget(scope=HaltScope.CONNECTOR, connector="elsewhere")
    halt = await served.office.halts.halt(OPERATOR, target, reason="drill")
    await served.office.until_delivered(proposal)
    await served.office.resource_servers.create(OPERATOR, name="bank", audience="https://pay.test")
    before = await served.remains()
    names = {"kind": "grant", "agent": "writer", "person": "dana", "resource_server": "bank"}
    for route in ADMIN_ROUTES:
        if route.auth is Auth.NOBODY:
            continue
        ids = {"id": proposal if "proposals" in route.path else halt.id}
        path = route.path.format(**names, **ids)
        reply = await served.as_admin(route.method, path, token, body=None)
        if route.auth is Auth.ADMIN:
            assert (reply.status, reply.code) == (403, "not_permitted"), path
        elif route.method == "GET":
            assert reply.status == 200, path
    assert await served.remains() == before


async def test_an_admin_who_lost_the_role_is_out_at_once(served: Served):
    token = await served.admin_token(Role.ADMIN)
    await served.office.people.set_roles(OPERATOR, "ada", [])
    reply = await served.as_admin("GET", "/v1/admin/agents", token)
    assert (reply.status, reply.code) == (401, "not_authenticated")


async def test_the_log_names_the_admin_and_the_operator(served: Served, tmp_path: Path):
    token = await served.admin_token(Role.ADMIN)
    ada = await served.office.people.get("ada")
    body = {"handle": "one", "display_name": "One"}
    await served.as_admin("POST", "/v1/admin/people", token, body=body)
    assert (await last_leaf(served))["actor"] == f"person:{ada.id}"
    async with operator(tmp_path) as session:
        body["handle"] = "two"
        async with session.post("http://keyturn/v1/admin/people", json=body) as response:
            assert response.status == 201
    assert (await last_leaf(served))["actor"] == "system:operator"


def operator(folder: Path) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(str(folder / "run" / "admin.sock"))
    )


async def test_the_operators_socket_still_looks_at_a_token_that_is_sent(
    served: Served, tmp_path: Path
):
    async with operator(tmp_path) as session:
        url = "http://keyturn/v1/admin/whoami"
        async with session.get(url) as response:
            assert (await response.json())["actor"] == "system:operator"
        wrong = {"Authorization": f"Bearer {served.office.token}"}
        async with session.get(url, headers=wrong) as response:
            assert response.status == 401


async def test_halts_are_set_listed_and_ended_with_a_reason(served: Served):
    token = await served.admin_token(Role.ADMIN)
    proposal = (await served.propose()).body["id"]
    made = is_a(
        m.HaltAnswer,
        await served.as_admin(
            "POST",
            "/v1/admin/halts",
            token,
            body={
                "scope": "agent_for_principal",
                "agent": "writer",
                "principal": "dana",
                "reason": "It answers in public.",
            },
        ),
        201,
    )
    assert made["active"] is True
    stopped = (await served.ask("GET", f"/v1/proposals/{proposal}")).body
    assert (stopped["state"], stopped["reason"]) == ("revoked", "It answers in public.")
    assert (await served.propose()).status == 503
    empty = await served.as_admin(
        "POST", f"/v1/admin/halts/{made['id']}/resume", token, body={"reason": ""}
    )
    assert (empty.status, empty.code) == (422, "invalid_input")
    resumed = await served.as_admin(
        "POST", f"/v1/admin/halts/{made['id']}/resume", token, body={"reason": "Understood."}
    )
    assert is_a(m.HaltAnswer, resumed)["resume_reason"] == "Understood."
    active = await served.as_admin("GET", "/v1/admin/halts?active=true", token)
    assert is_a(m.HaltsAnswer, active)["halts"] == []
    assert len((await served.as_admin("GET", "/v1/admin/halts", token)).body["halts"]) == 1
    assert (await served.propose()).status == 202
    after = (await served.ask("GET", f"/v1/proposals/{proposal}")).body
    assert after["state"] == "revoked"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"scope": "agent"}, 422),
        ({"scope": "all", "agent": "writer"}, 422),
        ({"scope": "agent_for_principal", "agent": "writer"}, 422),
        ({"scope": "everything"}, 422),
        ({"scope": "agent", "agent": "nobody"}, 404),
        ({"scope": "connector", "connector": "nothing"}, 404),
    ],
)
async def test_a_halt_that_names_too_little_or_too_much_stops_nothing(
    served: Served, body: dict[str, str], status: int
):
    token = await served.admin_token(Role.ADMIN)
    before = await served.remains()
    reply = await served.as_admin(
        "POST", "/v1/admin/halts", token, body={**body, "reason": "drill"}
    )
    assert reply.status == status
    assert await served.remains() == before


async def test_an_auditor_sees_all_of_a_proposal_people_included(served: Served):
    token = await served.admin_token(Role.AUDITOR)
    proposal = (await served.propose(note("<b>hi</b>", rationale={"why": "asked"}))).body["id"]
    await served.office.press(await served.office.now(proposal))
    await served.office.until(proposal)
    reply = await served.as_admin("GET", f"/v1/admin/proposals/{proposal}", token)
    full = is_a(m.FullProposalAnswer, reply)
    assert full["action"]["params"] == {"text": "<b>hi</b>"}
    assert [d["person"] for d in full["decisions"]] == [served.office.dana.id]
    assert full["outcome"]["result"] == "succeeded"
    assert full["leaves"][0]["type"] == "proposal.submitted"
    found = is_a(
        m.ProposalLinesAnswer,
        await served.as_admin(
            "GET", "/v1/admin/proposals?agent=writer&principal=dana&state=succeeded", token
        ),
    )
    assert [line["id"] for line in found["proposals"]] == [proposal]
    missing = await served.as_admin("GET", "/v1/admin/proposals/prp_0", token)
    assert (missing.status, missing.code) == (404, "not_found")


async def test_the_policy_is_read_checked_explained_and_reloaded(served: Served):
    token = await served.admin_token(Role.ADMIN)
    before = is_a(m.PolicyAnswer, await served.as_admin("GET", "/v1/admin/policy", token))
    broken = await served.as_admin(
        "POST", "/v1/admin/policy/check", token, body={"text": "version: 1\nrulez: []\n"}
    )
    assert is_a(m.PolicyCheckAnswer, broken)["loads"] is False
    assert broken.body["problems"]
    doubtful = is_a(
        m.PolicyCheckAnswer,
        await served.as_admin(
            "POST", "/v1/admin/policy/check", token, body={"text": "version: 1\nrules: []\n"}
        ),
    )
    assert doubtful["loads"] is True
    assert doubtful["problems"][0]["severity"] == "warning"
    question = {"agent": "writer", "verb": "note.write", "resource": "note:1"}
    told = is_a(
        m.ExplanationAnswer,
        await served.as_admin("POST", "/v1/admin/policy/explain", token, body=question),
    )
    assert (told["verdict"], told["rules"][0]["counted"]) == ("hold", True)

    served.policy_file["text"] = "rules: nonsense"
    refused = await served.as_admin("POST", "/v1/admin/policy/reload", token)
    assert (refused.status, refused.code) == (422, "policy_not_loaded")
    assert refused.body["problems"]
    assert (await served.as_admin("GET", "/v1/admin/policy", token)).body == before

    served.policy_file["text"] = DENY
    reloaded = await served.as_admin("POST", "/v1/admin/policy/reload", token)
    assert is_a(m.PolicyAnswer, reloaded)["digest"] != before["digest"]
    assert (await served.propose()).body["state"] == "denied"


async def test_the_verbs_are_listed_with_their_whole_declaration(served: Served):
    token = await served.admin_token(Role.AUDITOR)
    listed = is_a(m.AdminVerbsAnswer, await served.as_admin("GET", "/v1/admin/verbs", token))
    assert [verb["connector"] for verb in listed["verbs"]] == ["notebook"]


async def test_the_metrics_count_what_happened(served: Served):
    token = await served.admin_token(Role.AUDITOR)
    await served.propose()
    await served.ask("GET", "/v1/whoami", token=None)
    await served.ask("GET", "/v1/whoami", token=token)
    await served.propose(key=None)
    reply = await served.as_admin("GET", "/metrics", token)
    assert reply.status == 200
    lines = reply.raw.decode().splitlines()
    assert 'keyturn_submitted_total{kind="pending"} 1.0' in lines
    assert 'keyturn_tokens_refused_total{kind="missing"} 1.0' in lines
    assert 'keyturn_tokens_refused_total{kind="wrong_kind"} 1.0' in lines
    assert 'keyturn_problems_total{code="invalid_input",listener="agents"} 1.0' in lines
    assert "keyturn_pending_proposals 1.0" in lines
    assert "keyturn_waiting_requests 0.0" in lines
    assert "keyturn_submit_seconds_count 1.0" in lines


async def test_a_refused_token_is_counted_and_leaves_no_row(served: Served):
    before = await served.remains()
    for _ in range(3):
        await served.ask("GET", "/v1/whoami", token="kta_wrong")
    assert await served.remains() == before
    assert served.office.gate.tally.counts["tokens_refused", "malformed"] == 3
