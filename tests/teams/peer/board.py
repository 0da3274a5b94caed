"""A forum on this machine, and how Keyturn writes to it."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Json = dict[str, Any]

_PARAMS: Json = {
    "type": "object",
    "additionalProperties": False,
    "required": ["text"],
    "properties": {"text": {"type": "string"}},
}


class Board:
    """``posts`` is what stands there; ``written`` is everything that ever was."""

    def __init__(self) -> None:
        self.posts: dict[str, str] = {}
        self.written: list[str] = []
        self.url = ""
        self._numbers = itertools.count(1)

    async def _post(self, request: web.Request) -> web.Response:
        text = (await request.json())["text"]
        number = str(next(self._numbers))
        self.posts[number] = text
        self.written.append(text)
        return web.json_response({"id": number}, status=201)

    async def _delete(self, request: web.Request) -> web.Response:
        found = self.posts.pop(request.match_info["post"], None)
        return web.json_response({}, status=200 if found is not None else 404)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Board"]:
        app = web.Application()
        app.add_routes(
            [
                web.post("/threads/{thread}", self._post),
                web.delete("/posts/{post}", self._delete),
            ]
        )
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


def connector(url: str) -> Json:
    """Return the section of the settings for the board at *url*."""
    everybody = {"reach": "public", "who": "Everybody who can open the forum"}
    return {
        "type": "http",
        "base_url": url,
        "allow_private": True,
        "verbs": {
            "forum.comment": {
                "summary": "Publish a comment on the forum",
                "kind": "write",
                "resource": "forum:{thread}",
                "params": _PARAMS,
                "request": {
                    "method": "POST",
                    "path": "/threads/{resource.thread}",
                    "body": {"text": "{params.text}"},
                },
                "audience": everybody,
                "say": {"effect": "Publish a comment", "target": "The page {resource.thread}"},
                "reference": {"pointer": "/id"},
                "undo": {
                    "verb": "forum.recall",
                    "window_s": 900,
                    "resource": "forum:comments/{reference}",
                    "params": {"text": "{params.text}"},
                },
            },
            "forum.recall": {
                "summary": "Take a comment back from the forum",
                "kind": "destructive",
                "resource": "forum:comments/{comment}",
                "params": _PARAMS,
                "request": {
                    "method": "DELETE",
                    "path": "/posts/{resource.comment}",
                    "body": {"text": "{params.text}"},
                },
                "audience": everybody,
                "say": {"effect": "Take a comment back", "target": "Comment {resource.comment}"},
            },
        },
    }
