"""What the OpenAPI documents promise, held against every listener that has one.

People's pages are HTML and have no document; their forms are tried in `test_inbox_door`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.cast import Cast, assemble
from tests.hostile.fuzzing import Finding, Fuzzed, Run, narrowed, program
from tests.hostile.scene import Program, Scene, playing

#: Every finding that is none, by check and words of the answer, and why: what a document cannot
#: say. Nothing else may be found.
EXPLAINED: Mapping[tuple[str, str], str] = {
    ("positive_data_acceptance", "Idempotency-Key is missing"): (
        "The key is required unless `dry_run` is true: OpenAPI has no way to say that."
    ),
    ("positive_data_acceptance", "beyond the end of the log"): (
        "A cursor is a number that was given here: which were is not for a document to say."
    ),
    ("positive_data_acceptance", "The scope 'agent' needs"): (
        "Which fields a halt needs depends on its scope."
    ),
    ("positive_data_acceptance", "has been revoked"): (
        "What was revoked, by this very run, is not renewed."
    ),
    ("positive_data_acceptance", "has no webhook"): "Nor is what was never set.",
    ("positive_data_acceptance", "This is no address"): (
        "Addresses of mail are checked by a parser, not by a pattern."
    ),
    ("positive_data_acceptance", "The address has to be like"): (
        "So are those of webhooks, and where they lead."
    ),
    ("positive_data_acceptance", "printable characters"): (
        "Which characters can be seen is in tables of Unicode, not in a pattern."
    ),
    ("positive_data_acceptance", "must be a whole number"): (
        "JSON Schema takes 60.0 for an integer; what is hashed is spelt in one way, so we do not."
    ),
    ("positive_data_acceptance", "send it as a string"): (
        "An integer beyond what a double tells apart is refused before it is hashed."
    ),
    ("negative_data_rejection", '"digest":"sha256:'): (
        "A preference that is not understood is ignored, as RFC 7240 demands."
    ),
    ("negative_data_rejection", '"dry_run":true'): "The same.",
}
#: Five programs at once take a while where others are at work as well.
pytestmark = pytest.mark.timeout(300)
NOWHERE = "prp_" + "0" * 26
#: Answers without which the run would have said nothing about who gets in.
_LET_IN = range(200, 400)


@dataclass(frozen=True, slots=True)
class Runs:
    agent: Fuzzed
    resource_server: Fuzzed
    admin: Fuzzed
    wrong_at_agents: Fuzzed
    wrong_at_admin: Fuzzed


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """All runs at once, over a deployment of their own: an admin may do much there."""
    program()
    folder = tmp_path_factory.mktemp("fuzzed")
    with playing(
        folder, caps={"submits_per_minute": 1_000_000, "requests_per_second": 10_000}
    ) as scene:
        known = scene.manage("GET", "checkpoint")
        cast = assemble(scene)
        hostile = scene.agent("fuzzer", cast.li)
        agents, admin = documents(scene, cast, hostile)
        at_agents, at_admin = (
            f"http://127.0.0.1:{door.port}" for door in (scene.agents, scene.admin)
        )
        redeem = {**agents, "paths": {p: agents["paths"][p] for p in ("/v1/grants/redeem",)}}
        with ExitStack() as running:

            def run(
                name: str, document: dict[str, Any], url: str, token: str, *, fuzzing: str
            ) -> Run:
                made = Run(folder / name, document, url, token=token, examples=3, phases=fuzzing)
                return running.enter_context(made)

            every, some = "examples,coverage,fuzzing", "examples,fuzzing"
            asked = [
                run("agent", agents, at_agents, hostile.token, fuzzing=every),
                run("server", redeem, at_agents, cast.bank.token, fuzzing=every),
                run("wrong-agents", agents, at_agents, cast.admin, fuzzing="fuzzing"),
                run("wrong-admin", admin, at_admin, hostile.token, fuzzing="fuzzing"),
            ]
            agent, server, *wrong = [one.result() for one in asked]
            # Last, for an admin may end everybody's access. Boundaries of all 50 operations would
            # take a minute: fuzzing crosses them as well.
            by_admin = run("admin", admin, at_admin, cast.admin, fuzzing=some).result()
        yield Runs(agent, server, by_admin, *wrong)
        entries = scene.verified(folder, known=known)
        # Whatever an admin may do, deciding is not among it.
        decided = [one for one in entries if one["type"].startswith("decision")]
        assert {one["proposal"] for one in decided} == {cast.theirs["succeeded"]}
        assert scene.target.written == ["done"]


def documents(scene: Scene, cast: Cast, hostile: Program) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both documents, narrowed to what is there."""
    own = [scene.propose(hostile, text=f"own {n}").json["id"] for n in range(8)]
    spare = scene.agent("spare", cast.li).id
    one_of_own = known_or_any(*own)
    agents = narrowed(
        scene.agents.ask("GET", "/v1/openapi.json").json,
        parameters={
            "id": one_of_own,
            # A stream of what stays open ends never.
            "/v1/proposals/{id}/events id": {"enum": [NOWHERE]},
            # Too short to ask for a wait.
            "Prefer": {"type": "string", "maxLength": 5},
        },
        fields={
            ("ActionBody", "verb"): {"enum": ["notes.add"]},
            ("ActionBody", "resource"): {"enum": ["notes:x"]},
            ("ActionBody", "params"): {
                "type": "object",
                "properties": {"text": {"type": "string", "maxLength": 100}},
                "required": ["text"],
                "additionalProperties": False,
            },
            ("ProposalBody", "on_behalf_of"): {"enum": [cast.li.id]},
            ("ProposalBody", "mode"): {"enum": ["execute"]},
            ("ProposalBody", "audience"): {"type": "null"},
            ("RedeemBody", "grant"): {"enum": [cast.grants["released"]["grant"]]},
        },
    )
    admin = narrowed(
        scene.admin.ask("GET", "/v1/admin/openapi.json").json,
        parameters={
            "agent": known_or_any("spare", spare),
            "person": known_or_any("eve"),
            "resource_server": known_or_any("other-bank"),
            "/v1/admin/proposals/{id} id": one_of_own,
            "principal": known_or_any("li"),
        },
        fields={
            ("QuestionBody", "verb"): {"enum": ["notes.add"]},
            ("QuestionBody", "agent"): {"enum": ["spare"]},
            ("HaltBody", "scope"): {"enum": ["agent"]},
        },
    )
    return agents, admin


def known_or_any(*known: str) -> dict[str, Any]:
    return {"anyOf": [{"enum": list(known)}, {"type": "string", "minLength": 1}]}


def unexplained(findings: Sequence[Finding]) -> list[str]:
    """Return each finding that is none of those that are explained, once."""
    found = {
        f"{one.operation}: {one.check}: {one.detail[:400]}"
        for one in findings
        if not any(one.check == check and words in one.detail for check, words in EXPLAINED)
    }
    return sorted(found)


def test_the_agents_listener_keeps_its_document(fuzzed: Runs):
    found = [*fuzzed.agent.findings, *fuzzed.resource_server.findings]
    assert unexplained(found) == []


def test_the_admin_listener_keeps_its_document(fuzzed: Runs):
    assert unexplained(fuzzed.admin.findings) == []


def test_every_operation_was_reached_with_the_right_credential(fuzzed: Runs):
    """Proposals were made, pages were read: the runs were about more than refusals."""
    assert {200, 202} & set(fuzzed.agent.statuses["POST /v1/proposals"])
    for run, least in ((fuzzed.agent, 10), (fuzzed.admin, 20)):
        reached = [name for name, seen in run.statuses.items() if set(seen) & set(_LET_IN)]
        assert len(reached) >= least, run.statuses


def test_the_wrong_credential_reaches_nothing(fuzzed: Runs):
    for run in (fuzzed.wrong_at_agents, fuzzed.wrong_at_admin):
        let_in = {name for name, seen in run.statuses.items() if set(seen) & set(_LET_IN)}
        assert {name.removeprefix("GET ") for name in let_in} <= OPEN
        assert sum(len(seen) for seen in run.statuses.values()) > 30
        assert unexplained(run.findings) == []


#: What tells nothing about anybody.
OPEN = {
    "/healthz",
    "/readyz",
    "/v1/openapi.json",
    "/v1/admin/openapi.json",
    "/.well-known/jwks.json",
}


def test_a_finding_that_nobody_explained_is_told(tmp_path: Path):
    planted = Finding(operation="GET /v1/whoami", check="not_a_server_error", detail="500")
    assert unexplained([planted]) == ["GET /v1/whoami: not_a_server_error: 500"]
