"""Admins set, renew and remove webhooks; nobody else does, and a secret is shown once."""

import json

import pytest

from bot.core.actors import Role
from bot.http import admin_answers as m
from tests.http.served import Served

URL = "https://agent.your-company.net/keyturn"
PATH = "/v1/admin/agents/writer/webhook"


async def test_a_webhook_from_its_address_to_its_end(served: Served):
    token = await served.admin_token(Role.ADMIN)
    told = await served.as_admin("PUT", PATH, token, body={"url": URL})
    assert told.status == 200
    m.WebhookSecretAnswer.model_validate_json(told.raw)
    assert told.body["webhook"] == {"url": URL, "secrets": 1, "stopped": None}
    renewed = await served.as_admin("POST", f"{PATH}/rotate", token, body={"overlap_s": 60})
    assert renewed.body["webhook"]["secrets"] == 2
    assert renewed.body["secret"] != told.body["secret"]

    listed = await served.as_admin("GET", "/v1/admin/agents", token)
    m.AgentsAnswer.model_validate_json(listed.raw)
    for secret in (told.body["secret"], renewed.body["secret"]):
        assert secret.encode() not in listed.raw

    ended = await served.as_admin("DELETE", PATH, token)
    again = await served.as_admin("DELETE", PATH, token)
    assert ended.body["webhook"] is again.body["webhook"] is None
    assert (await served.office.leaf_types())[-3:] == [
        "agent.webhook_set",
        "agent.webhook_rotated",
        "agent.webhook_removed",
    ]


async def test_an_auditor_and_the_agent_itself_may_not(served: Served):
    auditor = await served.admin_token(Role.AUDITOR)
    for method, path in (("PUT", PATH), ("POST", f"{PATH}/rotate"), ("DELETE", PATH)):
        body = {"url": URL} if method == "PUT" else {} if method == "POST" else None
        refused = await served.as_admin(method, path, auditor, body=body)
        assert (refused.status, refused.code) == (403, "not_permitted")
        mine = await served.as_admin(method, path, served.office.token, body=body)
        assert (mine.status, mine.code) == (401, "not_authenticated")


@pytest.mark.parametrize(
    "body", [{}, {"url": ""}, {"url": 7}, {"url": URL, "secret": "mine"}, {"url": "x" * 2001}]
)
async def test_a_body_that_does_not_fit_is_refused(served: Served, body: dict[str, object]):
    token = await served.admin_token(Role.ADMIN)
    reply = await served.as_admin("PUT", PATH, token, body=body)
    assert (reply.status, reply.code) == (422, "invalid_input")


async def test_no_proposal_can_name_an_address(served: Served):
    for name in ("webhook", "callback_url", "url"):
        body = {"action": {"verb": "note.write", "resource": "note:1", "params": {"text": "x"}}}
        reply = await served.propose(body={**body, name: URL})
        assert (reply.status, reply.code) == (422, "invalid_input")


async def test_an_agent_never_learns_its_secret_or_address(served: Served):
    token = await served.admin_token(Role.ADMIN)
    secret = (await served.as_admin("PUT", PATH, token, body={"url": URL})).body["secret"]
    proposal = (await served.propose()).body["id"]
    for path in ("/v1/whoami", "/v1/events", f"/v1/proposals/{proposal}", "/v1/proposals"):
        raw = (await served.ask("GET", path)).raw.decode()
        assert json.loads(raw)
        assert secret not in raw
        assert URL not in raw
