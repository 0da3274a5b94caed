"""Schemathesis as the program that it is: one run over a document, and what it came to."""

import json
import shutil
import subprocess
import sysconfig
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

PROGRAM = Path(sysconfig.get_path("scripts")) / "schemathesis"
SEED = 1
#: How long one request may take, and the whole run.
_REQUEST_S, _RUN_S = 10, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check has against one answer of ``operation``."""

    operation: str
    check: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzed:
    """``statuses`` are those of every answer, by operation."""

    findings: Sequence[Finding]
    statuses: Mapping[str, Sequence[int]]


class Run:
    """One run that has begun; several may go on at once."""

    def __init__(
        self,
        folder: Path,
        document: Mapping[str, Any],
        url: str,
        *,
        token: str,
        examples: int,
        phases: str = "examples,coverage,fuzzing",
    ) -> None:
        folder.mkdir()
        self._report = folder / "report.ndjson"
        file = folder / "openapi.json"
        file.write_text(json.dumps(document))
        self._process = subprocess.Popen(
            [
                *(PROGRAM, "run", file, "--url", url, "--header", f"Authorization: Bearer {token}"),
                *("--checks", "all", "--phases", phases),
                *("--max-examples", str(examples), "--seed", str(SEED), "--no-shrink"),
                *("--continue-on-failure", "--request-timeout", str(_REQUEST_S)),
                *("--report", "ndjson", "--report-ndjson-path", self._report),
                *("--output-sanitize", "false"),
            ],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.kill()

    def result(self) -> Fuzzed:
        """Return what the run came to, once it is over."""
        printed, _ = self._process.communicate(timeout=_RUN_S)
        # 0: no finding; 1: findings; anything else, it could not do its work.
        assert self._process.returncode in {0, 1}, printed[-3_000:]
        scenarios = list(_scenarios(self._report))
        assert scenarios, printed[-3_000:]
        statuses: dict[str, list[int]] = {}
        findings = []
        for label, recorder in scenarios:
            answers = {
                case: made["response"]
                for case, made in recorder.get("interactions", {}).items()
                if made["response"] is not None
            }
            statuses.setdefault(label, []).extend(a["status_code"] for a in answers.values())
            findings += [
                Finding(operation=label, check=check["name"], detail=_detail(answers.get(case)))
                for case, checks in recorder.get("checks", {}).items()
                for check in checks
                if check["status"] == "failure"
            ]
        return Fuzzed(findings=findings, statuses=statuses)


def program() -> None:
    """Skip the test, with the reason, where Schemathesis is not installed."""
    if shutil.which(PROGRAM) is None:
        pytest.skip("Schemathesis is not installed: `make setup` installs it with the extra dev")


def _scenarios(report: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for line in report.read_bytes().splitlines():
        finished = json.loads(line).get("ScenarioFinished")
        if finished is not None:
            yield finished["recorder"]["label"], finished["recorder"]


def _detail(answer: Mapping[str, Any] | None) -> str:
    if answer is None:
        return "no answer"
    content = b64decode((answer.get("content") or {}).get("$base64", ""))
    return f"{answer['status_code']} {content[:600].decode(errors='replace')}"


def narrowed(
    document: Mapping[str, Any],
    *,
    parameters: Mapping[str, Mapping[str, Any]],
    fields: Mapping[tuple[str, str], Mapping[str, Any]],
) -> dict[str, Any]:
    """Return *document* with what parameters, and fields of models, may hold on this scene.

    A program that invents ids and verbs is told 404 and 422 all day: with those that are there it
    comes further.
    """
    changed = deepcopy(dict(document))
    for path, operations in changed["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                for name in (parameter["name"], f"{path} {parameter['name']}"):
                    if name in parameters:
                        parameter["schema"] = dict(parameters[name])
    for (model, name), schema in fields.items():
        changed["components"]["schemas"][model]["properties"][name] = dict(schema)
    return changed
