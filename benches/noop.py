"""The measure of submits: an aiohttp server that reads the same JSON, parses it and answers.

It decides nothing, keeps nothing and does not wait for a disk: nothing on aiohttp can be faster.
"""

import json
import sys

from aiohttp import web

_ANSWER = {
    "id": "prp_01jd8w4q7xk2v9m3t5r6y8z0bc",
    "state": "pending",
    "digest": "sha256:" + "5f" * 32,
    "executed": False,
    "may_retry": False,
    "expires_at": "2026-01-01T12:00:00.000000Z",
    "delivery": "queued",
    "message": "A person has been asked. Nothing was done. Do not attempt this another way.",
}


async def answer(request: web.Request) -> web.Response:
    json.loads(await request.read())
    return web.json_response(_ANSWER, status=202)


async def ready(_: web.Request) -> web.Response:
    return web.Response(text="ready")


def main() -> None:
    # The same event loop as the bot: `keyturn serve` takes uvloop where it is installed.
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        loop = None
    else:
        loop = uvloop.new_event_loop()
    app = web.Application()
    app.add_routes([web.post("/v1/proposals", answer), web.get("/readyz", ready)])
    web.run_app(
        app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, loop=loop, print=None
    )


if __name__ == "__main__":
    main()
