"""`python -m benches`: measure the real bot on this machine, as ratios taken in one run.

It never fails because something is slow; it fails when something is wrong.
"""

import os
import platform
import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from benches import cycles, decisions, history, parked, peers, starts, submits
from benches.deployment import Deployment, new_deployment
from benches.load import NotMeasured, wrk
from benches.plot import drawn
from benches.process import DidNotStart, Server, free_port, running
from benches.report import Report
from benches.scale import FULL, QUICK, Scale
from benches.wire import WrongAnswer

_COLUMNS = 92
_NOT_ON_A_DISK = frozenset({"tmpfs", "ramfs", "overlay"})


def main(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer and shorter rounds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    folder: Annotated[
        Path, typer.Option(help="Where the database is kept while it is measured.")
    ] = Path("build"),
    plot: Annotated[
        Path | None, typer.Option(help="Draw the submits into this file, as SVG.")
    ] = None,
) -> None:
    """Measure submits, decisions, whole cycles, start-up and memory."""
    progress = Console(stderr=True)
    folder.mkdir(exist_ok=True)
    scale = QUICK if quick else FULL
    with tempfile.TemporaryDirectory(prefix="benches-", dir=folder) as name:
        here = Path(name).absolute()
        report = Report(
            machine=f"{os.cpu_count()} cores, Python {platform.python_version()}",
            date=datetime.now(UTC).date().isoformat(),
            disk=_file_system(here),
            rounds=scale.rounds,
        )
        try:
            _measure(report, scale, here, progress)
        except (DidNotStart, WrongAnswer, OSError) as error:
            report.errors.append(str(error))
            said = here / "bot" / "bot.log"
            if said.exists():
                report.errors.append(f"the bot said: {said.read_text(errors='replace')[-2000:]}")
    if plot is not None and report.submits:
        plot.write_text(drawn(report), encoding="utf-8")
    if as_json:
        print(report.to_json())
    else:
        report.show(Console(width=_COLUMNS))
    raise typer.Exit(1 if report.errors else 0)


def _measure(report: Report, scale: Scale, here: Path, progress: Console) -> None:
    deployment = new_deployment(here / "bot")
    progress.print("starting", style="dim")
    report.starts_empty = starts.measure(deployment, rounds=scale.starts)
    with deployment.serving() as bot:
        deployment.register()
        progress.print("decisions", style="dim")
        report.decisions = decisions.measure(
            deployment, rounds=scale.rounds, decisions=scale.decisions
        )
        progress.print("cycles", style="dim")
        report.cycles = cycles.measure(deployment, bot, rounds=scale.rounds, seconds=scale.round_s)
        try:
            _measure_submits(report, scale, deployment, bot, progress)
        except NotMeasured as error:
            report.skipped.append(f"submits: {error}")
        report.resident_after_mib = bot.resident_mib
    with deployment.serving() as bot:
        progress.print(f"{scale.parked:,} agents that wait", style="dim")
        try:
            report.parked = parked.measure(
                deployment,
                bot,
                agents=scale.parked,
                rounds=scale.rounds,
                decisions=scale.decisions,
            )
        except NotMeasured as error:
            report.skipped.append(f"agents that wait: {error}")
    report.proposals = _proposals(deployment)
    progress.print("starting again", style="dim")
    report.starts_full = starts.measure(deployment, rounds=scale.starts)
    try:
        _measure_history(report, scale, here, progress)
        if report.submits:
            progress.print("others, installed for this", style="dim")
            report.peers = peers.measure(
                wrk(),
                keyturn_per_s=report.submits[0].submits_per_s,
                folder=here,
                rounds=scale.rounds,
                seconds=scale.round_s,
            )
            report.skipped += report.peers.skipped
    except NotMeasured as error:
        report.skipped.append(f"a long history, others: {error}")


def _measure_submits(
    report: Report, scale: Scale, deployment: Deployment, bot: Server, progress: Console
) -> None:
    program = wrk()
    port = free_port()
    with running(
        [sys.executable, "-m", "benches.noop", str(port)],
        port=port,
        log=deployment.folder / "noop.log",
        environment={},
    ) as noop:
        for connections in submits.CONNECTIONS:
            progress.print(f"submits, {connections} connections", style="dim")
            found = submits.measure(
                program,
                noop=noop,
                bot=bot,
                tokens=deployment.tokens,
                connections=connections,
                rounds=scale.rounds,
                seconds=scale.round_s,
                folder=deployment.folder,
            )
            report.submits.append(found)
            report.errors += found.errors


def _measure_history(report: Report, scale: Scale, here: Path, progress: Console) -> None:
    program = wrk()
    empty, full = new_deployment(here / "empty"), new_deployment(here / "full")
    with full.serving():
        full.register()
        decided, waiting = history.two_lives(full)
    whole = scale.finished + scale.pending
    with Progress(console=progress, transient=True) as bar:
        copying = bar.add_task(f"copying {whole:,} proposals", total=whole)
        history.fill(
            full.database,
            finished=(decided, scale.finished),
            pending=(waiting, scale.pending),
            told=lambda made: bar.update(copying, completed=made),
        )
    progress.print("submits beside a long history", style="dim")
    with empty.serving() as new, full.serving() as old:
        empty.register()
        report.history = history.measure(
            program,
            empty=(empty, new),
            full=(full, old),
            finished=scale.finished,
            pending=scale.pending,
            rounds=scale.rounds,
            seconds=scale.round_s,
        )


def _proposals(deployment: Deployment) -> int:
    with closing(sqlite3.connect(deployment.database)) as connection:
        found: int = connection.execute("SELECT count(*) FROM proposal").fetchone()[0]
        return found


def _file_system(folder: Path) -> str:
    """Return the type of the file system of *folder*; in memory a commit costs nothing."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "an unknown file system"
    places = [line.split()[1:3] for line in mounts]
    above = [(len(place), kind) for place, kind in places if folder.is_relative_to(place)]
    kind = max(above, default=(0, "unknown"))[1]
    return f"{kind}, which may not be a disk" if kind in _NOT_ON_A_DISK else kind


if __name__ == "__main__":
    typer.run(main)
