"""The log over HTTP: receipts for agents, the signed head and the entries for auditors."""

from pathlib import Path

import orjson
import pytest

from bot.core.actors import OPERATOR, Role
from bot.core.audit.export import header_of
from bot.core.audit.receipts import verify_receipt
from bot.core.audit.verify import Known, Verdict
from bot.core.signed_note import NoteKey, parse_note
from bot.ports.queries import Head
from tests.audit.logs import audit
from tests.http.served import Served, serve
from tests.service.office import DENY


async def test_an_agent_gets_the_receipt_of_its_own_proposal(served: Served) -> None:
    proposed = (await served.propose()).body

    reply = await served.ask("GET", f"/v1/proposals/{proposed['id']}/receipt")

    assert reply.status == 200
    keys = served.office.checkpoints.keys
    report = verify_receipt(reply.body, Known(keys=keys))
    assert report.verdict is Verdict.VERIFIED
    assert reply.body["proposal"] == proposed["id"]


async def test_an_agent_gets_no_receipt_of_anothers_proposal(served: Served) -> None:
    proposed = (await served.propose()).body
    dana = served.office.dana
    _, token = await served.office.agents.create(
        OPERATOR,
        name="other",
        owner=dana.id,
        purpose="Something else",
        principals=[dana.id],
        verbs=["note.*"],
    )

    reply = await served.ask("GET", f"/v1/proposals/{proposed['id']}/receipt", token=token)

    assert reply.status == 404


async def test_what_is_final_is_signed_before_it_is_told(tmp_path: Path) -> None:
    async with serve(tmp_path, policy=DENY) as served:
        before = served.office.checkpoints.latest.checkpoint.size

        reply = await served.propose()

        assert reply.body["state"] == "denied"
        signed = served.office.checkpoints.latest.checkpoint
        assert signed.size > before
        assert signed.size == (await served.office.store.read(Head())).size


async def test_an_auditor_reads_a_log_that_verifies(served: Served) -> None:
    token = await served.admin_token(Role.AUDITOR)
    await served.propose()

    head = (await served.as_admin("GET", "/v1/admin/checkpoint", token)).body
    page = (await served.as_admin("GET", "/v1/admin/log?openings=true", token)).body

    keys = [NoteKey.parse(key) for key in head["keys"]]
    header = header_of(parse_note(head["note"]), keys, with_openings=True)
    lines = [orjson.dumps(entry) + b"\n" for entry in page["entries"][: head["size"]]]
    assert audit([header.line(), *lines], keys=keys).problems == ()
    assert page["next"] is None


async def test_the_log_comes_in_pages_and_without_names_unless_asked(served: Served) -> None:
    token = await served.admin_token(Role.AUDITOR)

    first = (await served.as_admin("GET", "/v1/admin/log?limit=2", token)).body
    second = (await served.as_admin("GET", f"/v1/admin/log?start={first['next']}", token)).body

    assert len(first["entries"]) == 2
    assert orjson.loads(second["entries"][0]["body"])["i"] == first["next"] == 2
    assert all(entry["openings"] == [] for entry in (*first["entries"], *second["entries"]))


@pytest.mark.parametrize("query", ["start=-1", "start=x", "limit=0", "limit=1.5", "openings=yes"])
async def test_a_page_that_is_not_understood_is_refused(served: Served, query: str) -> None:
    token = await served.admin_token(Role.AUDITOR)

    assert (await served.as_admin("GET", f"/v1/admin/log?{query}", token)).status == 422


async def test_nobody_else_reads_the_log(served: Served) -> None:
    for path in ("/v1/admin/checkpoint", "/v1/admin/log"):
        assert (await served.as_admin("GET", path, served.office.token)).status == 401
