"""Real programs, started and ended by a test; what they print is read line by line."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

STOP_WITHIN_S = 10
_STYLE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(slots=True)
class Program:
    """``said`` is everything it has printed so far, a line each, without colours."""

    process: asyncio.subprocess.Process
    said: list[str] = field(default_factory=list)

    async def until(self, pattern: str, *, within_s: float = 30) -> re.Match[str]:
        """Return the first match of *pattern* in a line that it prints from now on."""
        async with asyncio.timeout(within_s):
            while True:
                line = await self._line()
                if line is None:
                    whole = "\n".join(self.said)
                    raise AssertionError(f"it ended without printing {pattern!r}:\n{whole}")
                if found := re.search(pattern, line):
                    return found

    async def end(self, *, within_s: float = 30) -> int:
        """Return its exit code once it has ended by itself."""
        async with asyncio.timeout(within_s):
            while await self._line() is not None:
                pass
            return await self.process.wait()

    async def _line(self) -> str | None:
        assert self.process.stdout is not None
        raw = await self.process.stdout.readline()
        if not raw:
            return None
        line = _STYLE.sub("", raw.decode()).rstrip()
        self.said.append(line)
        return line


@asynccontextmanager
async def program(*args: str | Path, cwd: Path, **env: str) -> AsyncIterator[Program]:
    """Run the command until the block ends; errors go where the output goes."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *map(str, args),
        cwd=cwd,
        env={**kept, "COLUMNS": "200", "PYTHONUNBUFFERED": "1", **env},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=1 << 20,
    )
    started = Program(process)
    try:
        yield started
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_WITHIN_S):
                    await process.communicate()
            except TimeoutError:
                process.kill()
                await process.communicate()


def keyturn(repo: Path, *args: str) -> tuple[str | Path, ...]:
    """Return the words that run the command `keyturn` of this working tree."""
    start = f"import sys; sys.path.insert(0, {str(repo)!r}); from bot.cli import main; main()"
    return (sys.executable, "-c", start, *args)
