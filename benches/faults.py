"""`python -m benches.faults`: kill the real bot at work, again and again; judge what is left.

It fails when something is wrong: an effect twice or unapproved, a record lost, an agent misled.
"""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests.faults.kills import AT_RANDOM, STEPS, Run, kill_again_and_again
from tests.faults.reckoning import COUNTS

_COLUMNS = 92
_SHOWN = 20


def main(
    *,
    kills: Annotated[int, typer.Option(min=1, help="How often a bot is killed.")] = 200,
    lanes: Annotated[int, typer.Option(min=1, help="Deployments at once.")] = 3,
    seed: Annotated[int, typer.Option(help="Chooses steps and moments.")] = 1,
) -> None:
    """Kill bots that are at work, and say whether the log and the target agree afterwards."""
    console, begun = Console(stderr=True), time.monotonic()
    columns = (TextColumn("kills"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        tempfile.TemporaryDirectory(prefix="kt-") as folder,
        Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        ) as progress,
    ):
        bar = progress.add_task("kills", total=kills)
        run = asyncio.run(
            kill_again_and_again(
                Path(folder),
                kills=kills,
                lanes=lanes,
                seed=seed,
                told=lambda done: progress.update(bar, completed=done),
            )
        )
    show(run, Console(width=_COLUMNS), took_s=time.monotonic() - begun)
    raise typer.Exit(1 if run.findings or run.kills.total() < kills else 0)


def show(run: Run, console: Console, *, took_s: float) -> None:
    """Print the kills by step, what became of the proposals, and the verdict."""
    table = Table("the bot was killed", "times", box=None)
    table.columns[1].justify = "right"
    for step in (*STEPS, AT_RANDOM):
        table.add_row(step, str(run.kills[step]))
    console.print(table)
    ends = ", ".join(f"{count} {state}" for state, count in sorted(run.ends.items()))
    console.print(f"{run.kills.total()} kills in {took_s:.0f} s")
    console.print(
        f"{run.proposals} proposals, {run.approved} approvals, {run.writes} writes: {ends}"
    )
    for finding in run.findings[:_SHOWN]:
        console.print(str(finding), style="red", markup=False)
    counts = [(name, sum(f.count == name for f in run.findings)) for name in COUNTS]
    verdict = "failed" if run.findings else "passed"
    said = ", ".join(f"{number} {name}" for name, number in counts)
    console.print(f"{verdict}: {said}", style="red" if run.findings else "green")


if __name__ == "__main__":
    typer.run(main)
