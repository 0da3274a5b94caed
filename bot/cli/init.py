import typer

from bot.cli.first_files import first_files, write
from bot.cli.options import Config, Json
from bot.cli.output import FAILED, as_json, err, out, plain

app = typer.Typer(add_completion=False)


@app.command()
def init(*, config: Config, json: Json = False) -> None:
    """Write commented settings, a policy, groups and a key for a new deployment.

    Nothing is ever overwritten: where any of the files exists, nothing is written.
    """
    wanted = first_files(config, with_forum=False)
    existing = [str(one.path) for one in wanted if one.path.exists()]
    if existing:
        if json:
            as_json({"error": "exists", "existing": existing})
        else:
            err.print("[bold red]error:[/] Nothing was written, because these exist:")
            for path in existing:
                err.print(f"  [red]-[/] {plain(path)}")
            err.print("Name another place with --config, or move them away.")
        raise typer.Exit(FAILED)
    write(wanted)
    if json:
        as_json({"written": [str(one.path) for one in wanted]})
        return
    for one in wanted:
        out.print(f"[green]written[/]  {plain(one.path)}")
    out.print(
        "\nNext: read keyturn.yaml and policy.yaml, then\n"
        "  keyturn doctor             says what is missing\n"
        "  keyturn serve              starts the bot\n"
        "  keyturn person create ...  registers you; then keyturn signin HANDLE"
    )
