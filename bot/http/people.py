"""The application of the people's listener: the chats' own routes, and what all share."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from types import MappingProxyType

from aiohttp import hdrs, web

from bot.http.answers import SERVER
from bot.http.proxies import TrustedProxies
from bot.ports.chat import Chat
from bot.ports.desk import Desk

log = logging.getLogger(__name__)

#: What every answer says unless its chat has said something else.
_HEADERS = MappingProxyType(
    {
        hdrs.CACHE_CONTROL: "no-store",
        hdrs.CONTENT_SECURITY_POLICY: "default-src 'none'; frame-ancestors 'none'",
        hdrs.REFERRER_POLICY: "no-referrer",
        hdrs.X_CONTENT_TYPE_OPTIONS: "nosniff",
        hdrs.X_FRAME_OPTIONS: "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
)
_ONE_YEAR = "max-age=31536000"
_KEPT_HEADERS = (hdrs.LOCATION, hdrs.ALLOW)
_WORDS = MappingProxyType(
    {
        404: "There is nothing at this address. The inbox is at / on this host.",
        405: "This address does not take such a request. The inbox is at / on this host.",
        413: "This is more than may be sent. Send less; nothing was recorded.",
    }
)


def people_app(
    chats: Iterable[Chat],
    desk: Desk,
    *,
    max_body_bytes: int,
    proxies: TrustedProxies | None = None,
) -> web.Application:
    """Return what the people's listener serves: the routes of *chats*, which authenticate."""
    trusted = proxies or TrustedProxies()
    app = web.Application(
        middlewares=[trusted.middleware, _plain_errors], client_max_size=max_body_bytes
    )
    for chat in chats:
        app.add_routes(chat.routes(desk))

    async def say_the_same_everywhere(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers[hdrs.SERVER] = SERVER
        if trusted.scheme(request) == "https":
            response.headers.setdefault(hdrs.STRICT_TRANSPORT_SECURITY, _ONE_YEAR)

    app.on_response_prepare.append(say_the_same_everywhere)
    return app


@web.middleware
async def _plain_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except ConnectionError:
        raise
    except web.HTTPException as error:
        # Made an answer here: what is raised in front of every middleware was no request at all.
        kept = {name: error.headers[name] for name in _KEPT_HEADERS if name in error.headers}
        words = _WORDS.get(error.status, error.reason)
        return web.Response(status=error.status, text=f"{words}\n", headers=kept)
    except Exception:
        resource = request.match_info.route.resource
        log.exception(
            "unexpected error", extra={"route": resource.canonical if resource else "unknown"}
        )
        return web.Response(
            status=500,
            text="Something unexpected happened. Nothing was recorded unless you are shown it. "
            "Load the page again, and tell the operator if it stays so.",
        )
