"""The agent's side: silence, patience, and what it hears."""

import http.client
import json
import time
from contextlib import closing

from tests.regressions.conftest import Overdue
from tests.regressions.known import known_failure
from tests.regressions.seats import Seat
from tests.regressions.town import Agent, Town, page_name, until


@known_failure(
    id="E2",
    title="it was approved, and the agent never goes on",
    seen_in="Agenta, OpenClaw, OpenAI Agents SDK, Agno",
    promise="Keyturn carries it out whether the agent lives or not, and tells the end for days.",
)
def test_it_is_done_though_the_agent_is_gone(town: Town, agent: Agent, dana: Seat) -> None:
    page = page_name("gone")
    body = {"action": {"verb": "page.write", "resource": f"page:{page}", "params": {"text": "x"}}}
    headers = {
        "Authorization": f"Bearer {agent.token}",
        "Content-Type": "application/json",
        "Idempotency-Key": page,
        "Prefer": "wait=40",
    }
    connection = http.client.HTTPConnection("127.0.0.1", town.ports["agents"], timeout=10)
    with closing(connection):
        connection.request("POST", "/v1/proposals", json.dumps(body), headers)
        (known,) = until(lambda: agent.ask("GET", "/v1/proposals").body["proposals"], bool)
    dana.press(known)

    ended = agent.finally_(known)
    again = agent.submit(page, "x", key=page)
    events = agent.ask("GET", "/v1/events").body["events"]

    assert (ended["state"], ended["executed"]) == ("succeeded", True)
    assert again.body["id"] == ended["id"]
    assert again.body["outcome"] == ended["outcome"]
    assert [e["state"] for e in events if e["final"]] == ["succeeded"]
    assert len(town.wiki.written(page)) == 1


@known_failure(
    id="E3",
    title="the call that is held open dies before the person answers",
    seen_in="Claude remote approver, Preloop, Kimi CLI, MCP",
    promise="A submit is answered at once; waiting is bounded, repeatable, and ends nothing.",
)
def test_waiting_is_bounded_and_ends_nothing(town: Town, agent: Agent, dana: Seat) -> None:
    began = time.monotonic()
    proposal = agent.propose(page_name("patience"))
    assert time.monotonic() - began < 10

    waited = agent.ask("GET", f"/v1/proposals/{proposal['id']}", Prefer="wait=1")
    connection = http.client.HTTPConnection("127.0.0.1", town.ports["agents"], timeout=10)
    with closing(connection):
        token = {"Authorization": f"Bearer {agent.token}", "Prefer": "wait=40"}
        connection.request("GET", f"/v1/proposals/{proposal['id']}", headers=token)
    held = agent.read(proposal)

    assert (waited.status, waited.body["state"]) == (202, "pending")
    assert held["state"] == "pending"
    dana.press(proposal)
    assert agent.finally_(proposal)["state"] == "succeeded"
    long = agent.ask("GET", f"/v1/proposals/{proposal['id']}", Prefer="wait=86400")
    assert long.headers["Preference-Applied"] == "wait=50"


@known_failure(
    id="E4",
    title="no says no reason, and the agent tries the same in another way",
    seen_in="Hermes Agent, Vercel AI SDK, Claude Code",
    promise="The reason reaches the agent, its message forbids ways round, and the same action "
    "again waits for a person again.",
)
@known_failure(
    id="P13c",
    title="an answer that only comments counts as success",
    seen_in="an approval middleware",
    promise="There are two words, approve and reject; a note decides nothing by itself.",
)
def test_a_no_has_a_reason_and_does_not_wear_off(town: Town, agent: Agent, dana: Seat) -> None:
    proposal = agent.propose(page := page_name("reason"))
    dana.press(proposal, "reject", "Ask the owner of the page first.")

    told = agent.finally_(proposal)
    again = agent.submit(page).body

    assert (told["state"], told["executed"], told["may_retry"]) == ("rejected", False, False)
    assert told["reason"] == "Ask the owner of the page first."
    assert "Do not attempt this another way" in told["message"]
    assert again["id"] != proposal["id"]
    assert again["state"] == "pending"
    assert town.wiki.written(page) == []


@known_failure(
    id="E1",
    title="silence is told to the agent as a refusal, or taken for consent",
    seen_in="Hermes Agent, agent-os, Codex, QwenPaw",
    promise="Expired is its own end: not done, nobody said no, and asking again is fair.",
)
@known_failure(
    id="T10",
    title="twelve tests, 10: ends with names, and a late click that is told what to do",
    seen_in="most of the field",
    promise="An expired proposal is never called denied, and a late click is answered.",
)
@known_failure(
    id="P1h",
    title="a request waits for ever, and an old yes still counts",
    seen_in="an HTTP approval server",
    promise="Both waiting for people and waiting for use have a clock.",
)
def test_silence_is_neither_yes_nor_no(town: Town, dana: Seat, overdue: Overdue) -> None:
    agent, proposal, form = overdue
    told = agent.finally_(proposal)
    late = dana.press_form(proposal, form | dana.session_form())

    assert (told["state"], told["executed"], told["may_retry"]) == ("expired", False, True)
    words = f"{told['message']} {told['reason'] or ''}".lower()
    assert not any(word in words for word in ("denied", "rejected", "refused", "declined"))
    assert "ask again" in words
    assert "do not attempt this another way" in words
    assert "Not recorded." in late.said
    assert "Nobody answered in time" in late.said
    assert "The agent may ask again." in late.said
    assert agent.read(proposal)["state"] == "expired"
    assert proposal["id"] not in [write.key for write in town.wiki.writes]
