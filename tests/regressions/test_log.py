"""The record: who did what, and that nobody took a piece of it away."""

from functools import partial
from pathlib import Path

import pytest

from tests.regressions.known import known_failure
from tests.regressions.seats import Seat
from tests.regressions.town import Agent, Town, at_once, page_name

VERIFIED = 0


@pytest.fixture(scope="module")
def exported(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an export of the log and a checkpoint that was kept elsewhere before."""
    folder = tmp_path_factory.mktemp("exported")
    agent, dana = town.agent(), town.seat("dana")
    proposal = agent.propose(page_name("logged"))
    dana.press(proposal)
    agent.finally_(proposal)
    done = town.command("audit", "checkpoint", str(folder / "known.txt"))
    assert done.returncode == 0, done.stdout + done.stderr
    done = town.command("audit", "export", str(folder / "log.jsonl"))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def _verify(town: Town, folder: Path, name: str, lines: list[str]) -> int:
    log = folder / f"{name}.jsonl"
    log.write_text("".join(lines))
    ran = town.command("audit", "verify", str(log), "--checkpoint", str(folder / "known.txt"))
    return ran.returncode


@known_failure(
    id="T12",
    title="twelve tests, 12: a log that is cut, edited or reordered",
    seen_in="most of the field",
    promise="Each is found offline, with an exit code of its own.",
)
@known_failure(
    id="P1f",
    title="the chain still verifies when its tail is cut off",
    seen_in="an HTTP approval server",
    promise="A checkpoint that was kept elsewhere shows that something is missing.",
)
@known_failure(
    id="P6e",
    title="cutting the last entries leaves a log that verifies",
    seen_in="an agent governance toolkit",
    promise="The size and root of the log are signed, so that a shorter one is noticed.",
)
@known_failure(
    id="P6d",
    title="approver and decision can be rewritten, and the hash still fits",
    seen_in="an agent governance toolkit",
    promise="Who decided what about which digest is inside the hashed bytes.",
)
@known_failure(
    id="P5c",
    title="the history is a table that anybody with the file may edit",
    seen_in="a phone approver",
    promise="The history is a Merkle tree with signed heads.",
)
@known_failure(
    id="P11f",
    title="an entry that is deleted before it is sealed leaves no gap",
    seen_in="an agent control plane",
    promise="An entry is part of the tree in the commit that makes the change.",
)
def test_whoever_touches_the_log_is_noticed(town: Town, exported: Path) -> None:
    lines = (exported / "log.jsonl").read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if "decision.approve" in line)
    dana, rhea = town.person("dana"), town.person("rhea")
    assert dana in lines[at]
    logs = {
        "whole": lines,
        "cut": lines[: at - 1],
        "holed": lines[:at] + lines[at + 1 :],
        "rewritten": [line.replace(dana, rhea) for line in lines],
        "swapped": [*lines[: at - 1], lines[at], lines[at - 1], *lines[at + 1 :]],
    }
    codes = at_once(*(partial(_verify, town, exported, name, log) for name, log in logs.items()))

    assert [code == VERIFIED for code in codes] == [True] + [False] * 4


@known_failure(
    id="N5",
    title="who approved, who was asked and what was refused is in no log",
    seen_in="Teleport, Codex",
    promise="Submit, card, refused click, decision, intent and outcome are entries, in order.",
)
def test_the_whole_life_is_in_the_log(town: Town, agent: Agent, dana: Seat) -> None:
    proposal = agent.propose(page_name("life"))
    town.seat("owen").forge(proposal)
    dana.press(proposal)
    agent.finally_(proposal)

    leaves = [leaf["type"] for leaf in town.recorded(proposal)["leaves"]]

    assert [leaf for leaf in leaves if leaf != "card.posted"] == [
        "proposal.submitted",
        "click.refused",
        "decision.approve",
        "execution.intent",
        "execution.outcome",
    ]
    assert "card.posted" in leaves
