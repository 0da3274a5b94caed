"""The core decides from its arguments alone: no clock, no chance, no world."""

import ast
from pathlib import Path

import pytest

WORLDLY_MODULES = frozenset(
    {
        "aiohttp",
        "asyncio",
        "http.client",
        "http.server",
        "importlib",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "random",
        "secrets",
        "shutil",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib.request",
        "uuid",
    }
)
WORLDLY_CALLS = frozenset({"__import__", "breakpoint", "eval", "exec", "input", "open", "print"})
CLOCK_READS = frozenset({"now", "today", "utcnow"})
CLOCKS = frozenset({"date", "datetime"})

WAITING = (ast.AsyncFor, ast.AsyncFunctionDef, ast.AsyncWith, ast.Await)


def impurities(source: str) -> list[str]:
    """Return what keeps this module from being pure, each with its line."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [f"{node.lineno}: import {n.name}" for n in names if _worldly(n.name)]
            case ast.ImportFrom(module=str(module), names=names):
                whole = [module, *(f"{module}.{n.name}" for n in names)]
                found += [f"{node.lineno}: from {name}" for name in whole if _worldly(name)][:1]
            case ast.Call(func=ast.Name(id=name)) if name in WORLDLY_CALLS:
                found.append(f"{node.lineno}: {name}()")
            case ast.Attribute(attr=attr, value=value) if attr in CLOCK_READS and _clock(value):
                found.append(f"{node.lineno}: .{attr} reads the clock")
            case ast.Global():
                found.append(f"{node.lineno}: global {', '.join(node.names)}")
            case _ if isinstance(node, WAITING):
                found.append(f"{node.lineno}: {type(node).__name__}")
    return found


def _worldly(module: str) -> bool:
    return module in WORLDLY_MODULES or module.partition(".")[0] in WORLDLY_MODULES


def _clock(value: ast.expr) -> bool:
    match value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in CLOCKS
        case _:
            return False


def test_the_core_is_pure(repo: Path) -> None:
    modules = sorted((repo / "bot/core").rglob("*.py"))
    assert len(modules) > 1, "the core has no modules"
    found = {
        str(path.relative_to(repo)): impure
        for path in modules
        if (impure := impurities(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "planted",
    [
        "import time",
        "import os.path",
        "import urllib.request",
        "from urllib import request",
        "from random import choice",
        "from logging import getLogger",
        "async def decide(): pass",
        "async def decide():\n    await vote()",
        "from datetime import datetime\nnow = datetime.now()",
        "import datetime as dt\nnow = dt.datetime.utcnow()",
        "from datetime import datetime\nread = datetime.now",
        "from datetime import date\nday = date.today()",
        "text = open('policy.yaml').read()",
        "print('decided')",
        "seen = 0\ndef count():\n    global seen\n    seen += 1",
    ],
)
def test_an_impurity_is_caught(planted: str) -> None:
    assert impurities(planted) != []


@pytest.mark.parametrize(
    "innocent",
    [
        "from datetime import UTC, datetime\n\ndef late(at: datetime, *, now: datetime): ...",
        "from urllib.parse import quote",
        "from http import HTTPStatus",
        "snapshot.now",
        "timetable = {}",
    ],
)
def test_what_is_pure_is_left_alone(innocent: str) -> None:
    assert impurities(innocent) == []
