"""Ways that lead past the gate: without a rule, without a token, as another agent, by deleting."""

import json

from tests.regressions.known import known_failure
from tests.regressions.seats import Seat
from tests.regressions.town import Agent, Town, page_name
from tests.regressions.wiki import CREDENTIAL


@known_failure(
    id="F2",
    title="the gate can be walked round: no rule means yes, or the agent can write by itself",
    seen_in="OpenClaw, AnythingLLM, Meta's forum agent",
    promise="What no rule allows is denied, and only Keyturn holds what opens the target.",
)
@known_failure(
    id="P6i",
    title="the first example of a policy allows what it does not mention",
    seen_in="an agent governance toolkit",
    promise="Nothing matches: denied. There is no setting that says otherwise.",
)
@known_failure(
    id="P4a",
    title="a guard patches what the tools override: nothing is checked, and they run",
    seen_in="a guard for tool calls",
    promise="Nothing is patched. Without Keyturn the write does not happen: it has the credential.",
)
@known_failure(
    id="P13b",
    title="the condition is evaluated again on resume, and a refused call runs",
    seen_in="an approval middleware",
    promise="What is denied is final under its key, and has no card that could be resumed.",
)
def test_without_a_rule_and_without_the_credential_there_is_no_way(
    town: Town, agent: Agent, dana: Seat
) -> None:
    page = page_name("around")
    for verb, reason in (("page.stray", "no rule allows this"), ("page.wipe", "by people")):
        denied = agent.submit(page, verb=verb)
        assert (denied.status, denied.body["state"]) == (200, "denied")
        assert reason in denied.body["reason"]
        assert dana.forge(denied.body).is_refused
        assert agent.read(denied.body)["state"] == "denied"
    allowed = agent.finally_(agent.submit(page, verb="page.free").body)
    told = [
        agent.ask("GET", path).raw.decode()
        for path in ("/v1/whoami", "/v1/verbs", "/v1/proposals", "/v1/openapi.json", "/v1/events")
    ]
    told.append(json.dumps(allowed))

    assert not [text for text in told if CREDENTIAL in text or town.wiki.url in text]
    assert [write.key for write in town.wiki.written(page)] == [allowed["id"]]
    assert town.wiki.intruders == []


@known_failure(
    id="P1d",
    title="an action that the policy blocked is approved through the side door",
    seen_in="an HTTP approval server",
    promise="Denied is an end: it has no card, and a click on it is refused.",
)
def test_what_a_rule_refused_cannot_be_approved(town: Town, agent: Agent, dana: Seat) -> None:
    denied = agent.submit(page := page_name("blocked"), verb="page.wipe").body

    assert denied["id"] not in dana.waiting()
    assert "approve" not in dana.card(denied).buttons
    assert dana.forge(denied).is_refused
    assert agent.read(denied)["state"] == "denied"
    assert town.wiki.written(page) == []


@known_failure(
    id="P1a",
    title="whoever reaches the port may submit, read and list",
    seen_in="an HTTP approval server",
    promise="Every address but health, keys and the API's description asks for a token.",
)
@known_failure(
    id="P1l",
    title="the client never sends its token, and nobody notices",
    seen_in="an HTTP approval server",
    promise="Without a token nothing is taken, so that it is noticed at the first call.",
)
def test_without_a_token_nothing_is_taken(town: Town, agent: Agent) -> None:
    proposal = agent.propose(page_name("open"))
    paths = town.ask("agents", "GET", "/v1/openapi.json").body["paths"]
    operations = [
        (m.upper(), path) for path, item in paths.items() for m in item if m != "parameters"
    ]
    is_open = {"/healthz", "/readyz", "/v1/openapi.json", "/.well-known/jwks.json"}
    assert len(operations) > 12

    for method, path in operations:
        if path in is_open:
            continue
        at = path.replace("{id}", proposal["id"])
        for headers in ({}, {"Authorization": f"Bearer {agent.token[:-1]}"}):
            answer = town.ask("agents", method, at, {} if method == "POST" else None, headers)
            assert (answer.status, answer.code) == (401, "not_authenticated"), (method, path)


@known_failure(
    id="P7e",
    title="any agent reads what any other proposed, and its result",
    seen_in="an approval queue for agents",
    promise="What belongs to another agent does not exist: not to read, take back or replace.",
)
def test_another_agents_proposal_does_not_exist(town: Town, agent: Agent, dana: Seat) -> None:
    proposal = agent.propose(page_name("mine"))
    stranger = town.agent()
    path = f"/v1/proposals/{proposal['id']}"

    for at in (path, f"{path}/receipt", f"{path}/events"):
        assert stranger.ask("GET", at).status == 404
    assert stranger.ask("POST", f"{path}/withdraw", {}).status == 404
    assert stranger.submit(page_name("theirs"), supersedes=proposal["id"]).status == 404
    assert stranger.ask("GET", "/v1/proposals").body["proposals"] == []
    assert stranger.ask("GET", "/v1/events").body["events"] == []
    assert agent.read(proposal)["state"] == "pending"


@known_failure(
    id="P2e",
    title="tasks can be deleted, and what was decided with them",
    seen_in="a human-task server",
    promise="Nobody can delete one, the operator included; erasing a person keeps the entries.",
)
@known_failure(
    id="P7f",
    title="the history can be deleted",
    seen_in="an approval queue for agents",
    promise="There is no operation that removes a proposal or an entry of the log.",
)
def test_nothing_can_be_deleted(town: Town, agent: Agent) -> None:
    proposal = agent.propose(page_name("lasting"))
    number = proposal["id"]
    admin = town.operator("POST", "people/ada/admin-token", {})["token"]
    for listener, token in (("agents", agent.token), ("admin", admin)):
        for path in (f"/v1/proposals/{number}", f"/v1/admin/proposals/{number}", "/v1/admin/log"):
            headers = {"Authorization": f"Bearer {token}"}
            answer = town.ask(listener, "DELETE", path, None, headers)
            assert answer.status in {404, 405}, (listener, path)
    assert agent.read(proposal)["state"] == "pending"
    assert town.recorded(proposal)["leaves"]
