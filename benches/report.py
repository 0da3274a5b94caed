"""Everything that one run has measured, as a table for people or as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from rich.console import Console
from rich.table import Table

from benches.cycles import Cycles
from benches.decisions import Measured
from benches.history import History
from benches.parked import Parked
from benches.peers import Peers
from benches.spread import Spread
from benches.starts import Starts
from benches.submits import Submits

#: What we aim at; nothing fails when an aim is missed.
SUBMIT_AIMS: Final = {32: 0.50, 256: 0.60}
DECISION_AIM_COMMITS: Final = 5
PARKED_AIM_KIB: Final = 16
HISTORY_AIM: Final = 0.85
TIMES_THE_FASTEST_AIM: Final = 8


@dataclass(slots=True, kw_only=True)
class Report:
    """``skipped`` says what was not measured and why, ``errors`` what went wrong while it was."""

    machine: str
    date: str
    disk: str
    rounds: int
    submits: list[Submits] = field(default_factory=list)
    decisions: Measured | None = None
    cycles: Cycles | None = None
    starts_empty: Starts | None = None
    starts_full: Starts | None = None
    resident_after_mib: float | None = None
    proposals: int | None = None
    parked: Parked | None = None
    history: History | None = None
    peers: Peers | None = None
    skipped: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        aims = {
            "submit_ratio": SUBMIT_AIMS,
            "decision_in_commits": DECISION_AIM_COMMITS,
            "parked_kib": PARKED_AIM_KIB,
            "history_ratio": HISTORY_AIM,
            "times_the_fastest_peer": TIMES_THE_FASTEST_AIM,
        }
        return json.dumps({**asdict(self), "aims": aims}, indent=2)

    def show(self, console: Console) -> None:
        console.print(f"{self.date}, {self.machine}, database on {self.disk}, ", end="")
        console.print(f"median of {self.rounds} rounds (lowest to highest)")
        table = Table("", "measured", "range", "aim", title_justify="left")
        for column in table.columns[1:]:
            column.justify = "right"
        for section in self._sections():
            for row in section:
                table.add_row(*row)
            table.add_section()
        console.print(table)
        for line in self.skipped:
            console.print(f"not measured: {line}", markup=False)
        for line in self.errors:
            console.print(f"failed: {line}", style="red", markup=False)

    def _sections(self) -> Iterator[Sequence[tuple[str, str, str, str]]]:
        for submits in self.submits:
            yield tuple(_submit_rows(submits))
        if self.decisions is not None:
            yield tuple(_decision_rows(self.decisions))
        if self.cycles is not None:
            yield tuple(_cycle_rows(self.cycles))
        if self.parked is not None:
            yield tuple(_parked_rows(self.parked))
        if self.history is not None:
            yield tuple(_history_rows(self.history))
        if self.peers is not None:
            yield tuple(_peer_rows(self.peers))
        yield tuple(self._start_rows())

    def _start_rows(self) -> Iterator[tuple[str, str, str, str]]:
        if self.starts_empty is not None:
            yield _row("start until ready, empty", self.starts_empty.ready_s, "s", digits=2)
        if self.starts_full is not None:
            name = f"start until ready, {self.proposals or 0:,} proposals"
            yield _row(name, self.starts_full.ready_s, "s", digits=2)
        if self.starts_empty is not None:
            yield _row("memory when ready", self.starts_empty.resident_mib, "MiB")
        if self.resident_after_mib is not None:
            yield ("memory after the load", f"{self.resident_after_mib:.0f} MiB", "", "")


def _submit_rows(submits: Submits) -> Iterator[tuple[str, str, str, str]]:
    at = f"{submits.connections} connections"
    aim = SUBMIT_AIMS.get(submits.connections)
    yield _row(
        f"submit ÷ no-op, {at}", submits.ratio, "", digits=3, aim="" if aim is None else f"≥ {aim}"
    )
    yield _row("  submits", submits.submits_per_s, "/s")
    yield _row("  no-op requests", submits.noop_per_s, "/s")
    yield _row("  submit p50", submits.p50_ms, "ms", digits=1)
    yield _row("  submit p99", submits.p99_ms, "ms", digits=1)
    yield _row("  server CPU per submit", submits.submit_cpu_us, "µs")
    yield _row("  server CPU per no-op request", submits.noop_cpu_us, "µs")


def _decision_rows(measured: Measured) -> Iterator[tuple[str, str, str, str]]:
    for decisions in measured.decisions:
        aim = f"≤ {DECISION_AIM_COMMITS}"
        name = f"click → agent: {decisions.name}"
        yield _row(name, decisions.in_commits, "commits", digits=1, aim=aim)
        yield _row("  p50", decisions.p50_ms, "ms", digits=2)
        yield ("  p99", f"{decisions.p99_ms:.2f} ms", "", "")
    yield _row("bare durable commit p50", measured.commit_p50_ms, "ms", digits=2)
    yield ("  p99", f"{measured.commit_p99_ms:.2f} ms", "", "")


def _cycle_rows(cycles: Cycles) -> Iterator[tuple[str, str, str, str]]:
    yield _row(f"full cycles, {cycles.agents} agents", cycles.per_s, "/s")
    yield _row("  p50", cycles.p50_ms, "ms", digits=1)
    yield ("  p99", f"{cycles.p99_ms:.1f} ms", "", "")
    yield _row("  server CPU per cycle", cycles.cpu_us, "µs")


def _parked_rows(parked: Parked) -> Iterator[tuple[str, str, str, str]]:
    name = f"memory for each of {parked.agents:,} waiting agents"
    yield (name, f"{parked.kib_each:.1f} KiB", "", f"≤ {PARKED_AIM_KIB}")
    yield _row("  click → one of them, p50", parked.woken_p50_ms, "ms", digits=2)
    yield ("  p99", f"{parked.woken_p99_ms:.2f} ms", "", "")


def _history_rows(history: History) -> Iterator[tuple[str, str, str, str]]:
    name = f"submits with {history.finished:,} finished and {history.pending:,} pending ÷ with none"
    yield _row(name, history.ratio, "", digits=2, aim=f"≥ {HISTORY_AIM}")


def _peer_rows(peers: Peers) -> Iterator[tuple[str, str, str, str]]:
    yield _row("submits, 32 connections: Keyturn", peers.keyturn_per_s, "/s")
    for peer in peers.found:
        yield _row(f"  {peer.name}", peer.per_s, "/s")
    times = f"{peers.times_the_fastest:.1f} ×"
    yield ("  Keyturn ÷ the fastest of them", times, "", f"≥ {TIMES_THE_FASTEST_AIM}")


def _row(
    name: str, spread: Spread, unit: str, *, digits: int = 0, aim: str = ""
) -> tuple[str, str, str, str]:
    number = f"{{:,.{digits}f}}".format
    return (
        name,
        f"{number(spread.median)} {unit}".rstrip(),
        f"{number(spread.lowest)} to {number(spread.highest)}",
        aim,
    )
