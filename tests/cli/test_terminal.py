"""What the commands look like: their help, their tables, their colours, what shells complete."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from bot.cli.app import COMMANDS, app
from bot.cli.examples import EXAMPLES
from tests.cli.deployments import KEYTURN, Deployment
from tests.cli.terminals import on_terminal, without_escapes

COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
#: They print for people alone: one runs until it is stopped, one tells a story.
NOT_FOR_SCRIPTS = {"serve", "demo"}
#: It prints nothing but JSON.
JSON_ANYWAY = {"slack manifest"}


def leaves(group: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name in group.list_commands(None) if hasattr(group, "list_commands") else ():
        part = group.get_command(None, name)
        if hasattr(part, "list_commands"):
            yield from leaves(part, (*way, name))
        else:
            yield " ".join((*way, name)), part


ALL = dict(leaves(typer.main.get_command(app)))


@pytest.mark.parametrize("name", ALL)
def test_every_command_that_prints_for_scripts_prints_json(name: str):
    options = {option for one in ALL[name].params for option in one.opts}
    assert ("--json" in options) != (name in NOT_FOR_SCRIPTS | JSON_ANYWAY)


def test_every_command_has_one_example_and_no_other_has():
    assert set(EXAMPLES) == set(ALL)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_what_its_command_understands(name: str):
    program, *words = shlex.split(EXAMPLES[name])
    count = len(name.split())
    assert (program, " ".join(words[:count])) == ("keyturn", name)
    assert ALL[name].make_context(name, words[count:]).params
    assert EXAMPLES[name] in ALL[name].epilog


def test_the_help_is_there_before_anything_is_loaded():
    program = (
        "import sys\nfrom bot.cli import app\n"
        "app(['--help'], prog_name='keyturn', standalone_mode=False)\n"
        "print([name for name in ('aiohttp', 'pydantic', 'sqlite3') if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
    )
    assert ran.stdout.splitlines()[-1] == "[]"
    assert all(f"\n  {name}  " in ran.stdout for name in COMMANDS)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    from tests.cli.deployments import make_deployment  # noqa: PLC0415 - the fixture has its name

    made = make_deployment(tmp_path_factory.mktemp("terminal") / "keyturn-data")
    made.done("person", "create", "dana-of-the-operations-team", "--name", "Dana Okafor")
    made.done(
        *("agent", "create", "forum-analyst", "--owner", "dana-of-the-operations-team"),
        *("--purpose", "Answers what people ask", "--for", "dana-of-the-operations-team"),
        *("--verb", "forum.comment", "--verb", "forum.recall"),
    )
    made.done("halt", "--agent", "forum-analyst", "--reason", "It answered too much " * 5)
    return made


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("proposals", "list", "--help"),
        ("person", "list"),
        ("agent", "list"),
        ("agent", "show", "forum-analyst"),
        ("halts",),
        ("doctor",),
    ],
    ids=" ".join,
)
def test_what_is_printed_fits_the_terminal(
    office: Deployment, words: tuple[str, ...], columns: int
):
    told = without_escapes(on_terminal(office, *words, columns=columns))

    wide = [line for line in told.splitlines() if len(line.rstrip()) > columns]
    # A line that is meant to be copied is never broken.
    assert [line for line in wide if "keyturn-data" not in line] == []


def test_a_table_that_does_not_fit_is_told_row_by_row(office: Deployment):
    narrow = without_escapes(on_terminal(office, "agent", "list", columns=60))
    wide = without_escapes(on_terminal(office, "agent", "list", columns=200))

    assert re.search(r"(?m)^name +forum-analyst *$", narrow)
    assert re.search(r"(?m)^id +agt_\w{26} *$", narrow)
    assert re.search(r"(?m)^forum-analyst +dana-of-the-operations-team .*agt_\w{26}$", wide)


def test_colours_are_for_terminals_that_want_them(office: Deployment):
    words = ("agent", "show", "nobody")
    assert COLOUR.search(on_terminal(office, *words, columns=80))
    assert not COLOUR.search(on_terminal(office, *words, columns=80, NO_COLOR="1"))
    assert "\x1b" not in office.run(*words).stderr


@pytest.mark.parametrize(
    ("shell", "environment"),
    [
        ("bash", {"COMP_WORDS": "keyturn p", "COMP_CWORD": "1"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "keyturn p"}),
        (
            "fish",
            {"_TYPER_COMPLETE_ARGS": "keyturn p", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
        ),
    ],
)
def test_the_shell_completes_commands(office: Deployment, shell: str, environment: dict[str, str]):
    # Which shell it is for is seen from the one that asks: there has to be one.
    asked = ["bash", "-c", '"$0" --show-completion; exit $?', KEYTURN]
    script = subprocess.run(
        asked, env=office.environ(), capture_output=True, check=True, text=True, timeout=60
    )
    assert "_KEYTURN_COMPLETE" in script.stdout

    told = office.run(_KEYTURN_COMPLETE=f"complete_{shell}", **environment).stdout

    assert all(name in told for name in ("person", "policy", "proposals"))
    assert "serve" not in told


@pytest.mark.parametrize("words", [("person", "list"), ("halts",), ("keys", "list"), ("version",)])
def test_json_is_whole_and_alone_on_the_standard_output(office: Deployment, words: tuple[str, ...]):
    assert json.loads(office.run(*words, "--json").stdout)
