"""An agent with all its tokens reaches for what belongs to another agent."""

import json

import pytest

from tests.hostile.cast import Cast
from tests.hostile.scene import AUDIENCE, Scene, note
from tests.hostile.wire import Answer

pytestmark = pytest.mark.usefixtures("unmoved")

NOWHERE = "prp_" + "0" * 26
#: What an agent can ask of one proposal.
ASKED = (
    ("GET", "", None),
    ("GET", "/receipt", None),
    ("GET", "/events", None),
    ("POST", "/withdraw", {"reason": "mine now"}),
    ("POST", "/acknowledge", None),
    ("POST", "/grant", None),
    ("POST", "/outcome", {"result": "succeeded"}),
    ("POST", "/outcome", {"result": "failed"}),
)


def told(answer: Answer) -> object:
    """Return all of *answer* but what differs between any two."""
    kept = {k: v for k, v in answer.headers.items() if k not in {"Date", "Content-Length"}}
    return answer.status, kept, answer.body


@pytest.mark.parametrize("asked_for", ASKED)
@pytest.mark.parametrize("prefer", [{}, {"Prefer": "wait=50"}], ids=["now", "waiting"])
def test_anothers_proposal_looks_like_one_that_does_not_exist(
    scene: Scene, cast: Cast, asked_for: tuple[str, str, object], prefer: dict[str, str]
):
    method, part, body = asked_for
    for proposal in cast.theirs.values():
        asked, nowhere = (
            scene.agents.ask(
                method,
                f"/v1/proposals/{one}{part}",
                token=cast.mallory.token,
                headers=prefer,
                body=body,
            )
            for one in (proposal, NOWHERE)
        )
        assert asked.status == 404
        assert told(asked) == told(nowhere)


def test_anothers_proposal_cannot_be_replaced(scene: Scene, cast: Cast):
    for proposal in cast.theirs.values():
        body = {"on_behalf_of": cast.dana.id, "supersedes": proposal}
        refused = scene.propose(cast.mallory, **body)
        unknown = scene.propose(cast.mallory, **{**body, "supersedes": NOWHERE})
        assert refused.status == 404
        assert refused.body == unknown.body


def test_lists_and_events_hold_ones_own_alone(scene: Scene, cast: Cast):
    own = scene.propose(cast.mallory, on_behalf_of=cast.li.id).json["id"]
    token, theirs = cast.mallory.token, set(cast.theirs.values())
    for path in (
        "/v1/proposals?limit=200",
        f"/v1/proposals?cursor={max(theirs)}",
        f"/v1/proposals?cursor={cast.theirs['pending']}&limit=1",
        "/v1/events?limit=200",
        "/v1/events?cursor=0",
    ):
        answer = scene.agents.ask("GET", path, token=token)
        assert answer.status == 200
        assert not [one for one in theirs if one in answer.body.decode()], path
    told, page = set[str](), {"more": True, "next_cursor": "0"}
    while page["more"]:
        path = f"/v1/events?cursor={page['next_cursor']}&limit=200"
        page = scene.agents.ask("GET", path, token=token).json
        told |= {event["proposal"] for event in page["events"]}
    assert own in told


def test_what_an_agent_reads_names_no_approver(scene: Scene, cast: Cast):
    own = scene.propose(cast.mallory, on_behalf_of=cast.li.id).json["id"]
    for path in (f"/v1/proposals/{own}", f"/v1/proposals/{own}/receipt", "/v1/events"):
        body = scene.agents.ask("GET", path, token=cast.mallory.token).body.decode()
        for person in (cast.dana, cast.eve):
            assert person.id not in body
        assert cast.li.session not in body


def test_a_person_to_whom_an_agent_is_not_bound(scene: Scene, cast: Cast):
    for person in (cast.eve.id, "per_" + "0" * 26):
        refused = scene.propose(cast.mallory, on_behalf_of=person)
        assert (refused.status, refused.code) == (403, "not_permitted")


def test_the_same_key_of_two_agents_is_two_keys(scene: Scene, cast: Cast):
    key = "shared-by-two"
    mine = scene.propose(cast.mallory, key=key, text="mine", on_behalf_of=cast.li.id)
    again = scene.propose(cast.mallory, key=key, text="mine", on_behalf_of=cast.li.id)
    assert (mine.status, again.status) == (202, 200)
    assert mine.json["id"] == again.json["id"]
    for number in range(1, 60):
        # Keys that the quiet agent has used: nothing of its answers comes back.
        replayed = scene.propose(
            cast.mallory, key=f"key-{number}", text="pending", on_behalf_of=cast.dana.id
        )
        assert replayed.status in {200, 202, 422}
        assert replayed.json.get("id") not in cast.theirs.values()


def test_a_key_with_another_body_is_refused(scene: Scene, cast: Cast):
    first = scene.propose(cast.mallory, key="once", text="a", on_behalf_of=cast.li.id)
    for body in (
        note(text="b", on_behalf_of=cast.li.id),
        note(text="a", on_behalf_of=cast.dana.id),
        note(text="a", on_behalf_of=cast.li.id, supersedes=cast.theirs["pending"]),
    ):
        other = scene.propose(cast.mallory, body, key="once")
        assert (other.status, other.code) == (422, "idempotency_key_reused")
        assert first.json["id"] not in other.body.decode()


@pytest.mark.parametrize("name", ["released", "redeemed"])
def test_anothers_grant_is_worth_nothing_to_an_agent(scene: Scene, cast: Cast, name: str):
    body = {k: cast.grants[name][k] for k in ("grant", "action_digest")}
    by_agent = scene.agents.ask("POST", "/v1/grants/redeem", token=cast.mallory.token, body=body)
    assert (by_agent.status, by_agent.code) == (401, "not_authenticated")
    by_other = scene.agents.ask("POST", "/v1/grants/redeem", token=cast.other_bank.token, body=body)
    assert by_other.code == "grant_for_another_audience"


def test_a_grant_is_not_stretched_to_another_action(scene: Scene, cast: Cast):
    grant = cast.grants["released"]
    redeemed = cast.grants["redeemed"]
    wrong = {"grant": grant["grant"], "action_digest": "sha256:" + "0" * 64}
    head, payload, signature = grant["grant"].split(".")
    forged = [
        f"{head}.{payload}.{signature[:-4]}AAAA",
        f"{head}.{redeemed['grant'].split('.')[1]}.{signature}",
        f"eyJhbGciOiJub25lIn0.{payload}.",
        f"{head}.{payload}.",
        f"{head}.{payload}",
        "." * 2000,
    ]
    asked = [wrong] + [
        {**wrong, "grant": one, "action_digest": grant["action_digest"]} for one in forged
    ]
    codes = [
        scene.agents.ask("POST", "/v1/grants/redeem", token=cast.bank.token, body=body).code
        for body in asked
    ]
    assert codes == ["grant_for_another_action", *["grant_not_genuine"] * len(forged)]


def test_a_resource_server_speaks_only_for_what_it_redeemed(scene: Scene, cast: Cast):
    for name, proposal in cast.theirs.items():
        for server in (cast.other_bank, cast.bank):
            if (name, server) == ("redeemed", cast.bank):
                continue
            path = f"/v1/proposals/{proposal}/outcome"
            answer = scene.agents.ask("POST", path, token=server.token, body={"result": "failed"})
            assert answer.status in {403, 404, 409}, (name, answer.body)


def test_nothing_in_a_body_makes_one_agent_another(scene: Scene, cast: Cast):
    for more in (
        {"agent": cast.quiet.id},
        {"proposer": cast.quiet.id},
        {"state": "approved"},
        {"approved": True},
        {"digest": "sha256:" + "0" * 64},
        {"id": cast.theirs["pending"]},
        {"decisions": [{"person": cast.dana.id, "choice": "approve"}]},
        {"idempotency_key": "key-1"},
    ):
        body = {**note(on_behalf_of=cast.li.id), **more}
        answer = scene.propose(cast.mallory, body)
        assert (answer.status, answer.code) == (422, "invalid_input")
        assert "is not known here" in json.dumps(answer.json)


def test_a_release_goes_only_where_its_verb_does(scene: Scene, cast: Cast):
    action = {"verb": "payment.send", "resource": "account:1", "params": {"to": "me"}}
    for more in (
        {"mode": "execute"},
        {"mode": "release", "audience": "https://evil.example"},
        {"mode": "release"},
        {"mode": "execute", "audience": AUDIENCE},
    ):
        body = {"action": action, "on_behalf_of": cast.li.id, **more}
        assert scene.propose(cast.mallory, body).status == 422
