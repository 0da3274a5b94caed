"""An agent's proposals over the wire: what it is told, and what it is never told."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from bot.core.actors import OPERATOR
from bot.core.card import Button
from bot.core.proposal import Action
from bot.core.states import State
from bot.http.models import DryRunAnswer, ProposalAnswer, ProposalsAnswer
from bot.ports.connector import InDoubt, Unknown
from tests.http.served import Served, note, serve
from tests.service.office import ALLOW, DENY

_AS_JSON = {model: TypeAdapter(model) for model in (ProposalAnswer, ProposalsAnswer, DryRunAnswer)}


def is_a(model: type, raw: bytes) -> None:
    """Fail unless *raw* is exactly what *model* documents."""
    _AS_JSON[model].validate_json(raw)


async def test_a_held_proposal_is_answered_with_202_and_a_sentence_for_the_model(served: Served):
    reply = await served.propose()
    assert reply.status == 202
    is_a(ProposalAnswer, reply.raw)
    body = reply.body
    assert body["state"] == "pending"
    assert body["executed"] is False
    assert body["may_retry"] is False
    assert body["delivery"] == "queued"
    assert body["message"] == (
        "A person has been asked. Nothing was done. Do not attempt this another way."
    )
    assert reply.headers["Location"] == f"/v1/proposals/{body['id']}"
    assert served.office.notebook.written == []


async def test_the_answer_speaks_of_the_proposal_that_was_kept(served: Served):
    body = (await served.propose(note(correlation="run-42/step-7"))).body
    kept = await served.office.now(body["id"])
    assert body["digest"] == kept.digest
    assert body["action_digest"] == kept.action_digest
    assert body["correlation"] == kept.correlation == "run-42/step-7"


async def test_a_denied_proposal_is_200_with_the_reason(tmp_path: Path):
    async with serve(tmp_path, policy=DENY) as served:
        reply = await served.propose()
        assert reply.status == 200
        is_a(ProposalAnswer, reply.raw)
        assert reply.body["state"] == "denied"
        assert reply.body["reason"] == "Notes are closed."
        assert reply.body["delivery"] == "not_needed"


async def test_an_allowed_proposal_is_carried_out_and_says_so_to_who_waits(tmp_path: Path):
    async with serve(tmp_path, policy=ALLOW) as served:
        reply = await served.propose(Prefer="wait=10")
        assert reply.status == 200
        is_a(ProposalAnswer, reply.raw)
        assert reply.body["state"] == "succeeded"
        assert reply.body["executed"] is True
        assert reply.body["outcome"]["reference"] == "note-1"
        assert reply.headers["Preference-Applied"] == "wait=10"


async def test_a_rejection_is_200_with_the_reason_and_without_the_person(served: Served):
    proposal = (await served.propose()).body["id"]
    await served.office.press(
        await served.office.now(proposal), Button.REJECT, note="Not in public."
    )
    reply = await served.ask("GET", f"/v1/proposals/{proposal}")
    assert reply.status == 200
    assert reply.body["state"] == "rejected"
    assert reply.body["reason"] == "Not in public."
    assert reply.body["may_retry"] is False
    assert served.office.dana.id.encode() not in reply.raw
    assert b"dana" not in reply.raw.lower()


async def test_an_approved_one_never_names_who_approved(served: Served):
    proposal = (await served.propose()).body["id"]
    await served.office.press(await served.office.now(proposal))
    reply = await served.ask("GET", f"/v1/proposals/{proposal}", headers={"Prefer": "wait=10"})
    is_a(ProposalAnswer, reply.raw)
    assert reply.body["state"] == "succeeded"
    assert served.office.dana.id.encode() not in reply.raw


async def test_the_same_key_and_body_again_is_the_same_proposal(served: Served):
    first = await served.propose(key="once")
    again = await served.propose(key="once")
    assert again.status == 200
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert again.body["id"] == first.body["id"]


async def test_the_order_of_members_makes_no_other_body(served: Served):
    first = await served.propose(
        raw=b'{"action":{"verb":"note.write","resource":"note:1","params":{"text":"a"}},'
        b'"correlation":"c"}',
        key="once",
    )
    again = await served.propose(
        raw=b'{"correlation":"c", "action":{"params":{"text":"\\u0061"},"resource":"note:1",'
        b'"verb":"note.write"}}',
        key="once",
    )
    assert again.body["id"] == first.body["id"]


async def test_a_dry_run_says_what_would_happen_and_keeps_nothing(served: Served):
    before = await served.remains()
    reply = await served.propose(key=None, query="?dry_run=true")
    assert reply.status == 200
    is_a(DryRunAnswer, reply.raw)
    assert reply.body["verdict"] == "hold"
    assert reply.body["approval"] == {"mode": "confirm", "count": 1, "expires_in_s": 1800}
    assert reply.body["audience"]["who"] == "Everybody at work"
    assert await served.remains() == before


async def test_a_dry_run_that_would_be_denied_says_why(tmp_path: Path):
    async with serve(tmp_path, policy=DENY) as served:
        reply = await served.propose(key=None, query="?dry_run=true")
        is_a(DryRunAnswer, reply.raw)
        assert (reply.body["verdict"], reply.body["reason"]) == ("deny", "Notes are closed.")


async def test_an_unchanged_proposal_is_304_until_it_changes(served: Served):
    proposal = (await served.propose()).body["id"]
    await served.office.until_delivered(proposal)
    first = await served.ask("GET", f"/v1/proposals/{proposal}")
    etag = first.headers["ETag"]
    known = {"If-None-Match": f'"other", W/{etag}'}
    unchanged = await served.ask("GET", f"/v1/proposals/{proposal}", headers=known)
    assert (unchanged.status, unchanged.raw, unchanged.headers["ETag"]) == (304, b"", etag)
    await served.ask("POST", f"/v1/proposals/{proposal}/withdraw")
    changed = await served.ask("GET", f"/v1/proposals/{proposal}", headers=known)
    assert changed.status == 200
    assert changed.body["state"] == "withdrawn"
    assert changed.headers["ETag"] != etag


async def test_delivery_is_told_once_the_card_is_shown(served: Served):
    proposal = (await served.propose()).body["id"]
    await served.office.until_delivered(proposal)
    assert (await served.ask("GET", f"/v1/proposals/{proposal}")).body["delivery"] == "delivered"


async def test_pages_of_the_list_hold_each_proposal_once_newest_first(served: Served):
    made = [(await served.propose(note(f"{n}"))).body["id"] for n in range(5)]
    seen: list[str] = []
    cursor, pages = "", 0
    while True:
        reply = await served.ask("GET", f"/v1/proposals?limit=2{cursor}")
        assert reply.status == 200
        is_a(ProposalsAnswer, reply.raw)
        seen += [proposal["id"] for proposal in reply.body["proposals"]]
        pages += 1
        if reply.body["next_cursor"] is None:
            break
        cursor = f"&cursor={reply.body['next_cursor']}"
    assert sorted(seen) == sorted(made)
    assert pages == 3


async def test_the_list_is_filtered_by_any_of_several_states(served: Served):
    first = (await served.propose(note("1"))).body["id"]
    second = (await served.propose(note("2"))).body["id"]
    await served.ask("POST", f"/v1/proposals/{first}/withdraw", body={"reason": "no need"})
    states = "state=withdrawn&state=denied"
    withdrawn = (await served.ask("GET", f"/v1/proposals?{states}")).body["proposals"]
    pending = (await served.ask("GET", "/v1/proposals?state=pending")).body["proposals"]
    assert [proposal["id"] for proposal in withdrawn] == [first]
    assert [proposal["id"] for proposal in pending] == [second]


async def test_another_agents_proposal_is_not_there(served: Served):
    office = served.office
    proposal = (await served.propose()).body["id"]
    _, other = await office.agents.create(
        OPERATOR,
        name="other",
        owner=office.dana.id,
        purpose="Reads",
        principals=[office.dana.id],
        verbs=["*"],
    )
    read = await served.ask("GET", f"/v1/proposals/{proposal}", token=other)
    waited = await served.ask(
        "GET", f"/v1/proposals/{proposal}", token=other, headers={"Prefer": "wait=5"}
    )
    withdrawn = await served.ask("POST", f"/v1/proposals/{proposal}/withdraw", token=other)
    listed = await served.ask("GET", "/v1/proposals", token=other)
    missing = await served.ask("GET", f"/v1/proposals/{proposal[:-1]}0", token=other)
    assert [r.status for r in (read, waited, withdrawn, missing)] == [404] * 4
    assert read.body == missing.body
    assert listed.body["proposals"] == []
    assert (await office.now(proposal)).state is State.PENDING


async def test_what_has_ended_cannot_be_withdrawn(served: Served):
    proposal = (await served.propose()).body["id"]
    await served.office.press(await served.office.now(proposal), Button.REJECT)
    reply = await served.ask("POST", f"/v1/proposals/{proposal}/withdraw")
    assert (reply.status, reply.code) == (409, "illegal_transition")


async def test_a_newer_proposal_takes_the_place_of_a_pending_one(served: Served):
    first = (await served.propose()).body["id"]
    second = (await served.propose(note("better", supersedes=first))).body
    replaced = (await served.ask("GET", f"/v1/proposals/{first}")).body
    assert second["supersedes"] == first
    assert (replaced["state"], replaced["superseded_by"]) == ("superseded", second["id"])


async def test_an_effect_that_nobody_can_tell_is_neither_executed_nor_not(tmp_path: Path):
    async def lose(_: Action) -> InDoubt:
        return InDoubt(reason="timeout", detail="The target did not answer.")

    async with serve(tmp_path, policy=ALLOW) as served:
        served.office.notebook.behave = lose
        served.office.notebook.answer_lookup = lambda _: Unknown(detail="It cannot say.")
        proposal = (await served.propose()).body["id"]
        await served.office.until(proposal, State.IN_DOUBT)
        reply = await served.ask("GET", f"/v1/proposals/{proposal}")
        is_a(ProposalAnswer, reply.raw)
        assert reply.status == 202
        assert reply.body["executed"] is None
        assert reply.body["may_retry"] is False
        assert reply.body["outcome"]["result"] == "in_doubt"


@pytest.mark.parametrize("path", ["/v1/verbs", "/v1/whoami"])
async def test_what_an_agent_may_read_about_itself_names_no_owner(served: Served, path: str):
    reply = await served.ask("GET", path)
    assert reply.status == 200
    assert b"dana" not in reply.raw.lower()


async def test_whoami_tells_the_limits(served: Served):
    office = served.office
    assert (await served.ask("GET", "/v1/whoami")).body == {
        "agent": office.agent.id,
        "name": "writer",
        "purpose": "Writes notes",
        "principals": [office.dana.id],
        "verbs": ["note.*"],
        "deployment": "test",
    }


async def test_the_verbs_come_with_their_schemas(served: Served):
    [verb] = (await served.ask("GET", "/v1/verbs")).body["verbs"]
    assert verb["name"] == "note.write"
    assert verb["params_schema"]["required"] == ["text"]


async def test_a_verb_that_is_always_denied_or_out_of_scope_is_not_offered(tmp_path: Path):
    async with serve(tmp_path, policy=DENY) as served:
        assert (await served.ask("GET", "/v1/verbs")).body["verbs"] == []
    async with serve(tmp_path) as served:
        office = served.office
        await office.agents.bind(OPERATOR, office.agent.id, principals=[], verbs=["mail.*"])
        assert (await served.ask("GET", "/v1/verbs")).body["verbs"] == []
