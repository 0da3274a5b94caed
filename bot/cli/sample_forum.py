"""A comment server on this machine, so that the first approved action is a real one.

It is Isso, somebody else's program, as a child process with its own folder. It ends when the
process that started it ends, however that happens.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from bot.core.errors import RefusesToStart

START_WITHIN_S = 15.0
STOP_WITHIN_S = 5.0

CONFIG_FILE = "isso.cfg"
MODERATOR_KEY = "moderator.key"
_LOG_FILE = "isso.log"

_CONFIG = """\
; Written by Keyturn for the sample forum. It listens on this machine only.
[general]
dbpath = {database}
host = {url}
notify = stdout
[server]
listen = {url}
[moderation]
enabled = false
[guard]
enabled = false
[markup]
renderer = mistune
"""


def is_installed() -> bool:
    """Return whether the extra `demo`, which brings Isso, is installed."""
    return find_spec("isso") is not None


def config_text(folder: Path, *, port: int) -> str:
    """Return what Isso has to be told to serve *folder* on *port*."""
    url = f"http://127.0.0.1:{port}"
    return _CONFIG.format(database=folder.absolute() / "comments.sqlite3", url=url)


def url_of(folder: Path) -> str | None:
    """Return where the forum of *folder* answers when it runs; None when there is none."""
    config = ConfigParser()
    try:
        config.read_string((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        return config["general"]["host"]
    except (OSError, UnicodeDecodeError, ConfigParserError, KeyError):
        return None


@asynccontextmanager
async def running(folder: Path, *, url: str) -> AsyncIterator[None]:
    """Run the forum of *folder* at *url*.

    Raises:
        RefusesToStart: it does not answer; its log says why.
    """
    log = folder / _LOG_FILE
    with log.open("wb") as output:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot.cli.forum_server",
            str(folder / CONFIG_FILE),
            str(folder / MODERATOR_KEY),
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        )
    try:
        if not await _answers(child, url):
            raise RefusesToStart(
                "The sample forum does not start.", remedy=f"Its log says why: {log}"
            )
        yield
    finally:
        with suppress(ProcessLookupError):
            child.terminate()
        try:
            await asyncio.wait_for(child.wait(), STOP_WITHIN_S)
        except TimeoutError:
            child.kill()
            await child.wait()


async def _answers(child: asyncio.subprocess.Process, url: str) -> bool:
    port = urlsplit(url).port
    with suppress(TimeoutError):
        async with asyncio.timeout(START_WITHIN_S):
            while child.returncode is None:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    return True
                await asyncio.sleep(0.05)
    return False
