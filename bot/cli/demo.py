"""The forum incident, replayed on this machine with real programs.

An agent that was asked to analyse a forum wants to answer in public. Isso is the forum, the
agent is a process of its own, and you are the person it acts for.
"""

import asyncio
import os
import sys
import tempfile
import urllib.parse
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer

from bot.cli import sample_forum
from bot.cli.first_files import FORUM_FOLDER, write_missing
from bot.cli.options import SETTINGS_FILE, Debug
from bot.cli.output import out, plain
from bot.cli.run import run
from bot.core.actors import OPERATOR, Person
from bot.core.errors import RefusesToStart
from bot.deployment import Bot
from bot.main import assemble
from bot.settings import load

#: As samples/connectors.forum.yaml says it.
UNDO_WITHIN_S = 900
_LOOK_EVERY_S = 0.5
_FAREWELL_S = 5

app = typer.Typer(add_completion=False)

THREAD = "eng-help"
QUESTION = "How do I give my team access to the build logs?"
GOOD_ANSWER = (
    "Add the team to the group 'build-readers' on the access page; the logs appear within a "
    "minute. The page 'Access to builds' in the handbook has pictures of each step."
)
BAD_ANSWER = (
    "Easiest is to open the storage bucket to everybody for a while, then nobody has to ask. "
    "I have done that in other places and it was fine."
)


@app.command()
def demo(
    *,
    home: Annotated[
        Path | None,
        typer.Option(help="Keep the demo's files there; else they go when it ends."),
    ] = None,
    debug: Debug = False,
) -> None:
    """Replay the forum incident: an agent wants to answer in public, and you decide."""
    run(lambda: _demo(home), debug=debug)


async def _demo(home: Path | None) -> None:
    if not sample_forum.is_installed():
        raise RefusesToStart(
            "The demo needs Isso, the comment server that plays the forum.",
            remedy="Install it with the extra 'demo', or use 'make demo'.",
        )
    with tempfile.TemporaryDirectory(prefix="keyturn-demo-") as scratch:
        async with _Stage.set_up(home or Path(scratch)) as stage:
            await _tell(stage)


async def _tell(stage: "_Stage") -> None:
    await stage.ask_on_the_board(QUESTION)
    out.print("\n[bold]The forum incident, replayed[/]\n")
    out.print(f"The forum   {stage.forum_url}   (Isso, on this machine)")
    out.print(f"Your inbox  [bold]{plain(await stage.sign_in_url())}[/]")
    out.print("Open the inbox in a browser now. The link works once.\n")
    await stage.show_board()

    out.print("\n[bold]1.[/] An agent was asked to analyse the board. It wants to answer.")
    await stage.let_the_agent("first", answer=GOOD_ANSWER)
    await stage.show_board()

    out.print("\n[bold]2.[/] It comes back with advice that would open data to everybody.")
    await stage.let_the_agent("second", answer=BAD_ANSWER)
    await stage.show_board()

    out.print("\n[bold]3.[/] What you approved, you can take back: open its card, press Undo.")
    out.print("   It is possible for 15 minutes. Ctrl-C ends the demo without it.")
    if await stage.until_taken_back():
        await stage.show_board()
        # The inbox ends with the demo: first it should say what happened.
        await asyncio.sleep(_FAREWELL_S)
    out.print("\nNothing reached the board that you did not approve. The demo is over.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """Everything that plays a part: the forum, the bot, the person, the agent's credential."""

    bot: Bot
    person: Person
    agents_url: str
    token: str
    forum_url: str

    @classmethod
    @asynccontextmanager
    async def set_up(cls, home: Path) -> AsyncIterator["_Stage"]:
        config = home / SETTINGS_FILE
        await asyncio.to_thread(write_missing, config)
        settings = load(config)
        forum_url = sample_forum.url_of(home / FORUM_FOLDER)
        if forum_url is None:
            raise RefusesToStart(
                "There is no sample forum in this folder.", remedy="Give --home a new folder."
            )
        async with AsyncExitStack() as closing:
            forum = sample_forum.running(home / FORUM_FOLDER, url=forum_url)
            await closing.enter_async_context(forum)
            bot = await closing.enter_async_context(assemble(settings))
            working = await closing.enter_async_context(bot.serving())
            closing.callback(working.cancel)
            person = await bot.admin.people.create(
                OPERATOR, handle="you", display_name="You", roles=()
            )
            _, token = await bot.admin.agents.create(
                OPERATOR,
                name="forum-analyst",
                owner=person.id,
                purpose="Analyses what is asked on the forum",
                principals=[person.id],
                verbs=["forum.*"],
            )
            yield cls(
                bot=bot,
                person=person,
                agents_url=settings.listeners.agents.url,
                token=token,
                forum_url=forum_url,
            )

    async def sign_in_url(self) -> str:
        link = await self.bot.admin.sign_in.link(OPERATOR, self.person.id)
        return self.bot.admin.sign_in_url(link)

    async def ask_on_the_board(self, question: str) -> None:
        """Post *question* as a person would, straight to the forum."""
        body = {"text": question, "author": "Sam", "title": THREAD}
        async with aiohttp.ClientSession() as session:
            url = f"{self.forum_url}/new?{_thread_query()}"
            async with session.post(url, json=body) as reply:
                reply.raise_for_status()

    async def show_board(self) -> None:
        posts = await self._board()
        out.print(f"\n   On the board now: {len(posts)} post(s)", style="dim")
        for post in posts:
            text = plain(_as_text(post["text"]))
            out.print(f"   | {plain(post['author'] or 'somebody')}: {text}", style="dim")

    async def until_taken_back(self) -> bool:
        """Wait until a post has gone from the board; return False when it is too late for that."""
        posts = len(await self._board())
        try:
            async with asyncio.timeout(UNDO_WITHIN_S):
                while len(await self._board()) >= posts:  # noqa: ASYNC110 - the forum tells nobody
                    await asyncio.sleep(_LOOK_EVERY_S)
        except TimeoutError:
            return False
        return True

    async def let_the_agent(self, key: str, *, answer: str) -> None:
        """Run the agent to its end and print what it says."""
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot.cli.demo_agent",
            stdout=asyncio.subprocess.PIPE,
            env={
                "PATH": os.environ.get("PATH", ""),
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "KEYTURN_URL": self.agents_url,
                "KEYTURN_TOKEN": self.token,
                "DEMO_FORUM_URL": self.forum_url,
                "DEMO_THREAD": THREAD,
                "DEMO_ANSWER": answer,
                "DEMO_KEY": f"demo-{key}-{os.urandom(4).hex()}",
            },
        )
        assert child.stdout is not None  # asked for above
        try:
            async for line in child.stdout:
                out.print(f"   agent: {plain(line.decode().rstrip())}")
        finally:
            if child.returncode is None:
                child.terminate()
            await child.wait()

    async def _board(self) -> list[Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.forum_url}/?{_thread_query()}") as reply,
        ):
            if reply.status == 404:
                return []
            return list((await reply.json())["replies"])


def _thread_query() -> str:
    return urllib.parse.urlencode({"uri": f"/{THREAD}/"})


def _as_text(rendered: str) -> str:
    """Return Isso's rendered comment as the words that people read."""
    return rendered.replace("<p>", "").replace("</p>", "").strip()
