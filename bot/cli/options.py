"""What many commands take."""

import os
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

SETTINGS_FILE = "keyturn.yaml"


def home() -> Path:
    """Return the folder of a deployment that nobody named: $KEYTURN_HOME or ./keyturn-data."""
    return Path(os.environ.get("KEYTURN_HOME") or "keyturn-data")


def default_config() -> Path:
    return home() / SETTINGS_FILE


Config: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        help="The settings file; else keyturn.yaml in $KEYTURN_HOME or in ./keyturn-data.",
        default_factory=default_config,
        show_default=False,
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Debug: TypeAlias = Annotated[
    bool, typer.Option("--debug", help="Show where an error comes from.", hidden=True)
]
Overlap: TypeAlias = Annotated[
    int, typer.Option(help="For how many seconds the old token still works.", min=0)
]
Reason: TypeAlias = Annotated[
    str, typer.Option("--reason", "-r", help="Why; it is recorded and shown.")
]
