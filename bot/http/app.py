"""The applications of the agents' and the admin listener, made of their tables of routes."""

import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from aiohttp import web

from bot.http import admin_api, agent_api
from bot.http.admin_api import AdminApi
from bot.http.admin_routes import ADMIN_ROUTES
from bot.http.agent_api import AgentApi
from bot.http.agent_routes import AGENT_ROUTES
from bot.http.auth import AdminAuth, AgentAuth, Refused, ReporterAuth
from bot.http.bodies import BODY_TIMEOUT_S
from bot.http.events import DEFAULT_HEARTBEAT_S, HEARTBEAT_S
from bot.http.grants import RedeemAuth
from bot.http.health import CHECKS, Check
from bot.http.metrics import Metrics
from bot.http.openapi import DOCUMENT, Document, openapi
from bot.http.pace import Pace, in_turn
from bot.http.problems import answer_problems
from bot.http.proxies import TrustedProxies
from bot.http.rate import RATE, READS, Rate
from bot.http.routes import Auth, nobody, register
from bot.http.waits import WAITS, Waits
from bot.service.gate import Gate

DEFAULT_BODY_TIMEOUT_S = 10.0

_AGENT_ABOUT = (
    "Agents propose write actions here. A person confirms; only then does Keyturn carry the "
    "action out. Nothing that an agent can send makes that decision."
)
_ADMIN_ABOUT = "Admins configure and auditors read here. Neither role decides about a proposal."


def agents_app(
    api: AgentApi,
    *,
    checks: Mapping[str, Check],
    body_timeout_s: float = DEFAULT_BODY_TIMEOUT_S,
    proxies: TrustedProxies | None = None,
    waits: Waits | None = None,
    heartbeat_s: float = DEFAULT_HEARTBEAT_S,
) -> web.Application:
    """Return what the agents' listener serves."""
    app = _app(
        "agents",
        gate=api.gate,
        metrics=api.metrics,
        checks=checks,
        body_timeout_s=body_timeout_s,
        proxies=proxies,
    )
    app[agent_api.API] = api
    caps = api.gate.caps
    app[RATE] = Rate(
        per_minute=caps.submits_per_minute,
        clock=time.monotonic,
        cap="submits_per_minute",
        asked="proposals",
    )
    app[READS] = Rate(
        per_minute=caps.reads_per_minute,
        clock=time.monotonic,
        cap="reads_per_minute",
        asked="requests for lists and receipts",
    )
    app[WAITS] = waits = Waits() if waits is None else waits
    app[HEARTBEAT_S] = heartbeat_s
    app[DOCUMENT] = Document(agents_document)
    refused = _refused(api.gate)
    pace = Pace(per_s=caps.requests_per_second, clock=time.monotonic)
    register(
        app,
        AGENT_ROUTES,
        {
            Auth.NOBODY: nobody,
            Auth.AGENT: in_turn(AgentAuth(api.credentials, refused), pace),
            Auth.RESOURCE: in_turn(RedeemAuth(api.credentials, refused, api.release), pace),
            Auth.REPORTER: in_turn(ReporterAuth(api.credentials, refused), pace),
        },
    )

    async def release(_: web.Application) -> None:
        waits.release()

    app.on_shutdown.append(release)
    return app


def admin_app(
    api: AdminApi,
    *,
    checks: Mapping[str, Check],
    trust_socket: bool,
    body_timeout_s: float = DEFAULT_BODY_TIMEOUT_S,
) -> web.Application:
    """Return what the admin listener serves.

    *trust_socket* makes whoever reaches it without a token the operator: for the socket whose
    file only the operator may open, and for nothing else.
    """
    app = _app(
        "admin",
        gate=api.gate,
        metrics=api.metrics,
        checks=checks,
        body_timeout_s=body_timeout_s,
        proxies=None,
    )
    app[admin_api.API] = api
    app[DOCUMENT] = Document(admin_document)
    auth = AdminAuth(api.credentials, _refused(api.gate), trust_socket=trust_socket)
    register(
        app,
        ADMIN_ROUTES,
        {Auth.NOBODY: nobody, Auth.AUDITOR: auth.reader, Auth.ADMIN: auth.changer},
    )
    return app


def agents_document() -> dict[str, Any]:
    """Return the OpenAPI document of the agents' listener."""
    return openapi(
        AGENT_ROUTES,
        title="Keyturn: the agents' API",
        about=_AGENT_ABOUT,
        version=version("keyturn"),
    )


def admin_document() -> dict[str, Any]:
    """Return the OpenAPI document of the admin listener."""
    return openapi(
        ADMIN_ROUTES,
        title="Keyturn: the admin API",
        about=_ADMIN_ABOUT,
        version=version("keyturn"),
    )


def _app(
    listener: str,
    *,
    gate: Gate,
    metrics: Metrics,
    checks: Mapping[str, Check],
    body_timeout_s: float,
    proxies: TrustedProxies | None,
) -> web.Application:
    middlewares = [answer_problems(metrics.problem(listener))]
    if proxies is not None:
        middlewares.insert(0, proxies.middleware)
    app = web.Application(
        middlewares=middlewares,
        client_max_size=gate.caps.max_body_bytes,
    )
    app[CHECKS] = checks
    app[BODY_TIMEOUT_S] = body_timeout_s
    return app


def _refused(gate: Gate) -> Refused:
    return lambda why: gate.tally.count("tokens_refused", why)
