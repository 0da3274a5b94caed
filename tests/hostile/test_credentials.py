"""Every kind of credential at every route of every listener: one kind is meant, others get in
nowhere. The routes are those that are served, so that none is forgotten.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest
from aiohttp.web import RouteDef

from adapters.web import WebInbox
from bot.core.tokens import TOKEN_ENTROPY_BYTES, TokenKind, spell_token
from bot.http.admin_routes import ADMIN_ROUTES
from bot.http.agent_routes import AGENT_ROUTES
from bot.http.routes import Auth
from bot.testing.clock import ManualClock
from bot.testing.desk import MemoryDesk
from store.memory.shelf import MemoryShelf
from tests.hostile.cast import Cast
from tests.hostile.scene import Scene
from tests.hostile.wire import Answer, Door

pytestmark = pytest.mark.usefixtures("unmoved")

#: Who is meant, by what a route asks for.
MEANT: Mapping[str, frozenset[str]] = {
    Auth.AGENT.value: frozenset({"agent"}),
    Auth.RESOURCE.value: frozenset({"resource server"}),
    Auth.REPORTER.value: frozenset({"agent", "resource server"}),
    Auth.AUDITOR.value: frozenset({"admin", "auditor"}),
    Auth.ADMIN.value: frozenset({"admin"}),
    "person": frozenset({"person"}),
    # Whoever opened a link to one full view: none of these ever did.
    "viewer": frozenset(),
}
#: Only over the socket, where there is no token.
FOR_THE_OPERATOR_ALONE = "/v1/admin/backup"
NOWHERE = "prp_" + "0" * 26
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


@dataclass(frozen=True, slots=True)
class Served:
    """``auth`` says who is meant; ``open`` is nobody in particular."""

    listener: str
    method: str
    path: str
    auth: str

    def address(self, of: Mapping[str, str]) -> str:
        return re.sub(r"\{(\w+)(:[^{}]*(\{\d+\})?)?\}", lambda name: of[name[1]], self.path)


def served() -> Iterator[Served]:
    for listener, routes in (("agents", AGENT_ROUTES), ("admin", ADMIN_ROUTES)):
        for route in routes:
            yield Served(listener, route.method, route.path, route.auth.value)
    clock = ManualClock()
    inbox = WebInbox(
        shelf=MemoryShelf(clock=clock),
        clock=clock,
        entropy=bytes,
        public_url="http://localhost",
        deployment_name="any",
    )
    for page in inbox.routes(MemoryDesk(clock=clock)):
        yield Served("people", page.method, page.path, who_is_meant(page))


def who_is_meant(page: RouteDef) -> str:
    is_offer = page.method == "GET" and page.path == "/view/{code}"
    if is_offer or page.path == "/signin" or page.path.startswith("/static"):
        return "open"
    return "viewer" if page.path.startswith("/view") else "person"


ROUTES = tuple(served())
Show = Callable[[Door, str, str], Answer]


def credentials(cast: Cast) -> dict[str, list[Show]]:
    """Return, by kind, every way in which that credential can be shown."""

    def ways(token: str) -> list[Show]:
        return [
            lambda door, method, path: door.ask(method, path, token=token, body=BODY),
            lambda door, method, path: door.ask(method, path, cookie=token, body=BODY),
            lambda door, method, path: door.ask(
                method, f"{path}?access_token={token}&token={token}", body=BODY
            ),
        ]

    mandate = spell_token(TokenKind.MANDATE, bytes(TOKEN_ENTROPY_BYTES))
    return {
        "nobody": [lambda door, method, path: door.ask(method, path, body=BODY)],
        "agent": ways(cast.mallory.token),
        "mandate": ways(mandate),
        "resource server": ways(cast.bank.token),
        "person": ways(cast.eve.session),
        "admin": ways(cast.admin),
        "auditor": ways(cast.auditor),
        "an agent's id": ways(cast.quiet.id),
        "a grant": ways(cast.grants["released"]["grant"]),
    }


BODY = {"reason": "because"}


def victims(cast: Cast) -> dict[str, str]:
    """Return names under which a request that got in would do harm."""
    return {
        "id": cast.theirs["pending"],
        "proposal": cast.theirs["pending"],
        "agent": cast.quiet.id,
        "person": cast.dana.id,
        "resource_server": cast.bank.id,
        "kind": "log",
        "halt": "hlt_" + "0" * 26,
        "name": "keyturn.css",
        "code": spell_token(TokenKind.VIEW, bytes(TOKEN_ENTROPY_BYTES)),
    }


def harmless(cast: Cast) -> dict[str, str]:
    return dict.fromkeys(victims(cast), "nobody") | {
        "id": NOWHERE,
        "proposal": NOWHERE,
        "halt": "hlt_" + "0" * 26,
        "name": "keyturn.css",
    }


def test_every_listener_has_routes():
    assert {route.listener for route in ROUTES} == {"agents", "people", "admin"}
    assert len(ROUTES) > 70


@pytest.mark.parametrize("listener", ["agents", "people", "admin"])
def test_only_the_kind_that_is_meant_gets_in(scene: Scene, cast: Cast, listener: str):
    door, victim = scene.doors[listener], victims(cast)
    wrong = []
    for route in ROUTES:
        if route.listener != listener or route.auth == "open":
            continue
        for kind, ways in credentials(cast).items():
            for at, show in enumerate(ways):
                as_meant = at == (1 if listener == "people" else 0)
                if kind in MEANT[route.auth] and as_meant:
                    continue
                answer = show(door, route.method, route.address(victim))
                if not is_refused(answer, listener):
                    wrong.append((route.method, route.path, kind, at, answer.status))
    assert wrong == []


def is_refused(answer: Answer, listener: str) -> bool:
    if answer.status in {401, 403}:
        return True
    # A page that is not for you is the one where people sign in.
    location = answer.headers.get("Location", "")
    return listener == "people" and answer.status == 303 and location.startswith("/signin")


@pytest.mark.parametrize("listener", ["agents", "people", "admin"])
def test_the_kind_that_is_meant_does_get_in(scene: Scene, cast: Cast, listener: str):
    door, nowhere = scene.doors[listener], harmless(cast)
    shown = credentials(cast)
    refused = []
    for route in ROUTES:
        if route.listener != listener or route.path in {FOR_THE_OPERATOR_ALONE, "/events"}:
            continue
        for kind in MEANT.get(route.auth, {"nobody"}):
            way = 1 if listener == "people" and kind != "nobody" else 0
            answer = shown[kind][way](door, route.method, route.address(nowhere))
            # Forms of the inbox are met as JSON here, and refused for that.
            if answer.status in {401, 403} or "signin" in answer.headers.get("Location", ""):
                refused.append((route.method, route.path, kind, answer.status, answer.body[:200]))
    assert refused == []


def test_an_auditor_changes_nothing(scene: Scene, cast: Cast):
    for route in ROUTES:
        if route.auth == Auth.ADMIN.value:
            path = route.address(victims(cast))
            answer = scene.admin.ask(route.method, path, token=cast.auditor, body=BODY)
            assert (answer.status, answer.code) == (403, "not_permitted"), path


def test_a_backup_is_for_the_operator_alone(scene: Scene, cast: Cast):
    answer = scene.admin.ask(
        "POST", FOR_THE_OPERATOR_ALONE, token=cast.admin, body={"into": "/nowhere"}
    )
    assert (answer.status, answer.code) == (403, "not_permitted")


def test_a_token_on_the_operators_socket_is_not_the_operator(scene: Scene, cast: Cast):
    for route in ROUTES:
        if route.listener == "admin" and route.auth != "open":
            path = route.address(victims(cast))
            for kind, (show, *_) in credentials(cast).items():
                if kind not in {"nobody", "admin", "auditor"}:
                    assert show(scene.operator, route.method, path).status == 401, (path, kind)


def test_a_listener_does_not_serve_what_another_does(scene: Scene, cast: Cast):
    found = []
    own = {(route.listener, route.method, route.path) for route in ROUTES}
    for route in ROUTES:
        for listener, door in scene.doors.items():
            if (listener, route.method, route.path) in own:
                continue
            for kind, (show, *_) in credentials(cast).items():
                answer = show(door, route.method, route.address(victims(cast)))
                if answer.status != 404:
                    found.append((listener, route.method, route.path, kind, answer.status))
    assert found == []


def test_no_other_method_reaches_a_route(scene: Scene, cast: Cast):
    known = {(r.listener, r.path): set[str]() for r in ROUTES}
    for route in ROUTES:
        known[route.listener, route.path].add(route.method)
    override = {"X-HTTP-Method-Override": "DELETE", "X-Original-URL": "/v1/admin/agents"}
    for route in ROUTES:
        for method in METHODS:
            if method not in known[route.listener, route.path]:
                answer = scene.doors[route.listener].ask(
                    *(method, route.address(victims(cast))),
                    token=cast.mallory.token,
                    cookie=cast.eve.session,
                    headers=override,
                )
                assert answer.status == 405, (route.listener, method, route.path, answer.status)


@pytest.mark.parametrize(
    "path",
    [
        "//v1/admin/agents",
        "/v1//admin/agents",
        "/v1/proposals/../admin/agents",
        "/v1/proposals/%2e%2e/admin/agents",
        "/v1/proposals/..;/admin/agents",
        "/v1/admin/agents/",
        "/v1/admin/agents;x=1",
        "/V1/ADMIN/AGENTS",
        "/v1/admin%2fagents",
        "/v1/admin/agents%00",
        "/v1/admin/agents%0d%0aX:%20y",
        "/v1/admin/agents\\",
        "/./v1/admin/agents",
    ],
)
def test_no_spelling_of_a_path_leads_past_the_door(scene: Scene, cast: Cast, path: str):
    for door in scene.doors.values():
        for token in (cast.mallory.token, cast.bank.token, None):
            answer = door.ask("GET", path, token=token)
            assert answer.status in {400, 401, 404}, (path, answer.status)
