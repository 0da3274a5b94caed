"""The sample forum: its moderator's key opens what Isso gives to a comment's author, no more."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bot.cli import sample_forum

pytestmark = pytest.mark.skipif(
    find_spec("isso") is None, reason="the extra demo, which brings Isso, is missing"
)

KEY = "a-key-that-only-this-test-has"
TEXT = "Restart the cluster."


@pytest.fixture
async def forum(tmp_path: Path) -> AsyncIterator[str]:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    (tmp_path / sample_forum.CONFIG_FILE).write_text(sample_forum.config_text(tmp_path, port=port))
    (tmp_path / sample_forum.MODERATOR_KEY).write_text(f"{KEY}\n")
    url = f"http://127.0.0.1:{port}"
    async with sample_forum.running(tmp_path, url=url):
        yield url


@pytest.fixture
async def browser() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def published(browser: ClientSession, forum: str) -> int:
    body = {"text": TEXT, "author": "somebody", "title": "demo"}
    async with browser.post(f"{forum}/new?uri=/demo/", json=body) as answer:
        number: int = (await answer.json())["id"]
    browser.cookie_jar.clear()
    return number


async def board(browser: ClientSession, forum: str) -> int:
    async with browser.get(f"{forum}/?uri=/demo/") as answer:
        return len((await answer.json())["replies"]) if answer.status == 200 else 0


async def delete(
    browser: ClientSession, comment: str, *, key: str | None = KEY, text: str = TEXT
) -> int:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    async with browser.delete(comment, json={"text": text}, headers=headers) as answer:
        return answer.status


async def test_the_moderator_reads_and_deletes_a_comment(
    forum: str, browser: ClientSession
) -> None:
    comment = f"{forum}/id/{await published(browser, forum)}"
    headers = {"Authorization": f"Bearer {KEY}"}
    async with browser.get(f"{comment}?plain=1", headers=headers) as answer:
        assert json.loads(await answer.text())["text"] == TEXT

    assert await delete(browser, comment) == 200
    assert await board(browser, forum) == 0


@pytest.mark.parametrize("key", [None, "", "another key", f"{KEY}x"])
async def test_nobody_else_deletes_a_comment(
    forum: str, browser: ClientSession, key: str | None
) -> None:
    comment = f"{forum}/id/{await published(browser, forum)}"

    assert await delete(browser, comment, key=key) == 403
    assert await board(browser, forum) == 1


async def test_a_comment_that_says_something_else_stays(forum: str, browser: ClientSession) -> None:
    comment = f"{forum}/id/{await published(browser, forum)}"

    assert await delete(browser, comment, text="Something else.") == 403
    assert await board(browser, forum) == 1


async def test_many_at_once_are_served(forum: str, browser: ClientSession) -> None:
    numbers = [await published(browser, forum) for _ in range(5)]

    deleted = await asyncio.gather(*(delete(browser, f"{forum}/id/{n}") for n in numbers))

    assert deleted == [200] * 5
    assert await board(browser, forum) == 0
