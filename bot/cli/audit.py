import asyncio
import gc
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer

from bot.cli import audit_report
from bot.cli.admin import Admin
from bot.cli.audit_erase import erase
from bot.cli.audit_export import Format, created, pages
from bot.cli.audit_export import export as write_export
from bot.cli.audit_files import read_known, verify_file
from bot.cli.audit_names import Names
from bot.cli.audit_progress import progress_bar
from bot.cli.options import Config, Debug, Json
from bot.cli.output import as_json, err, fail, local, out, plain
from bot.cli.run import ask
from bot.core.audit.export import NotReadable
from bot.core.audit.story import story_of, who_of
from bot.core.audit.verify import Known
from bot.core.audit.witnesses import parse_policy
from bot.core.audit.words import what_of
from bot.core.errors import KeyturnError, NotFound
from bot.core.signed_note import NoteInvalid, NoteKey

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Export the log, verify it anywhere, and tell what it says.",
)

#: The only command here that changes anything.
app.command()(erase)

_LOOK_EVERY_S: Final = 1.0


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="An exported log or a receipt; - reads it in.")],
    *,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint that you kept before. May be repeated."),
    ] = None,
    vkey: Annotated[
        list[str] | None,
        typer.Option(help="The log's key, as you know it from elsewhere. May be repeated."),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="A C2SP tlog-policy: the log's key, its witnesses, and how many."),
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Check an exported log or a receipt, without a server and without a database."""
    # Nothing that is read refers to itself: looking for such circles only costs time.
    gc.disable()
    try:
        known = _known(checkpoint or (), vkey or (), policy)
        with progress_bar("verifying") as progress:
            what, report = verify_file(file, known, progress=progress)
    except KeyturnError as error:
        if debug:
            raise
        try:
            fail(error, json_wanted=json)
        except typer.Exit:
            raise typer.Exit(audit_report.NOT_READABLE) from None
    if json:
        as_json(audit_report.as_value(report))
    else:
        audit_report.show(report, what=what)
    raise typer.Exit(audit_report.EXIT_CODES[report.verdict])


@app.command()
def export(
    file: Annotated[
        Path | None, typer.Argument(help="Where to write it; left out: the standard output.")
    ] = None,
    *,
    format_: Annotated[
        Format, typer.Option("--format", help="jsonl is the evidence; the others are for viewers.")
    ] = Format.JSONL,
    without_openings: Annotated[
        bool,
        typer.Option("--without-openings", help="Leave out what is personal or free text."),
    ] = False,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the whole log, up to its present head, into one file."""
    with progress_bar("exporting") as progress:
        head = ask(
            config,
            lambda api: write_export(
                api,
                file,
                format_=format_,
                with_openings=not without_openings,
                progress=progress,
            ),
            json_wanted=json,
            debug=debug,
        )
    if file is None or str(file) == "-":
        return
    if json:
        as_json({"written": str(file), "entries": head["size"], "checkpoint": head["note"]})
        return
    out.print(f"[green]written[/]  {plain(file)}, entries: {head['size']:,}")
    if format_ is Format.JSONL:
        out.print(f"Verify it anywhere: keyturn audit verify {plain(file)}")


@app.command()
def checkpoint(
    file: Annotated[
        Path | None, typer.Argument(help="Where to write it; left out: the standard output.")
    ] = None,
    *,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Print the signed head of the log: keep it where nobody who runs the bot can change it."""

    async def question(api: Admin) -> Any:
        head = await api.get("checkpoint")
        if file is not None:
            with created(file) as to:
                to.write(head["note"].encode())
        return head

    head = ask(config, question, json_wanted=json, debug=debug)
    if json:
        as_json(head)
        return
    if file is None:
        # Nothing else on the standard output: what is redirected is the note, exactly.
        print(head["note"], end="")
    else:
        out.print(f"[green]written[/]  {plain(file)}, entries: {head['size']:,}")
    for key in head["keys"]:
        err.print(f"[dim]key of this log:[/] {plain(key)}")


@app.command()
def tail(
    *,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many at first.", min=0)] = 20,
    no_follow: Annotated[
        bool, typer.Option("--no-follow", help="Print what there is, and end.")
    ] = False,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show the newest entries of the log, and those that come."""

    async def watch(api: Admin) -> None:
        names = await Names.of(api)
        start = max(0, (await api.get("checkpoint"))["size"] - lines)
        while True:
            async for entries in pages(api, with_openings=False, start=start):
                start += len(entries)
                for entry in entries:
                    _print_line(entry, names, json_wanted=json)
            if no_follow:
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    try:
        ask(config, watch, json_wanted=json, debug=debug)
    except KeyboardInterrupt:
        raise typer.Exit from None


@app.command()
def show(
    proposal: Annotated[str, typer.Argument(help="The proposal's id.")],
    *,
    config: Config,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Tell the story of one proposal from the log."""

    async def question(api: Admin) -> tuple[list[Any], Names]:
        page = await api.get("log", proposal=proposal, openings="true")
        if not page["entries"]:
            raise NotFound("The log has nothing about such a proposal.")
        return page["entries"], await Names.of(api)

    entries, names = ask(config, question, json_wanted=json, debug=debug)
    if json:
        as_json([{**entry, "body": orjson.loads(entry["body"])} for entry in entries])
        return
    for step in story_of(entries, names.name):
        out.print(
            f"[bold]{plain(step.what)}[/]  [dim]{local(step.at)}, "
            f"{plain(step.who)}, entry {step.index}[/]"
        )
        for label, text in step.facts:
            out.print(f"    [dim]{plain(label)}:[/] {plain(text)}")


def _print_line(entry: Mapping[str, Any], names: Names, *, json_wanted: bool) -> None:
    if json_wanted:
        print(entry["body"], flush=True)
        return
    body = orjson.loads(entry["body"])
    about = plain(body.get("proposal", ""))
    out.print(
        f"[dim]{body['i']:>7}[/]  {local(body['at'])}  {plain(what_of(body))}"
        f"  [dim]{plain(who_of(body['actor'], names.name))}  {about}[/]"
    )


def _known(checkpoints: Sequence[Path], vkeys: Sequence[str], policy: Path | None) -> Known:
    """Return what the caller has from elsewhere.

    Raises:
        NotReadable: a file cannot be read, or a key is none.
    """
    try:
        keys = [NoteKey.parse(vkey) for vkey in vkeys]
    except NoteInvalid as error:
        raise NotReadable(
            f"--vkey: {error.message}.", remedy="Give the key that `audit checkpoint` printed."
        ) from error
    found = [read_known(path) for path in checkpoints]
    if policy is None:
        return Known(checkpoints=found, keys=keys)
    try:
        trusted = parse_policy(policy.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, NoteInvalid) as error:
        told = getattr(error, "message", error)
        raise NotReadable(f"{policy}: {told}.", remedy="Correct the policy file.") from error
    return Known(
        checkpoints=found,
        keys=[*keys, *trusted.logs],
        witnesses=trusted.witnesses,
        quorum=trusted.quorum,
    )
