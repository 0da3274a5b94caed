"""What is served is what is documented."""

from typing import Any

import pytest
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from bot.http.admin_routes import ADMIN_ROUTES
from bot.http.agent_routes import AGENT_ROUTES
from bot.http.app import admin_document, agents_document
from bot.http.openapi import problems_of
from bot.http.routes import Auth, Place, Route, nobody, register
from tests.http.served import Served

BOTH = pytest.mark.parametrize(
    ("document", "routes"),
    [(agents_document(), AGENT_ROUTES), (admin_document(), ADMIN_ROUTES)],
    ids=["agents", "admin"],
)

#: DESIGN, section 7: everything else is authenticated. The admin document tells no secret.
OPEN = {
    "/healthz",
    "/readyz",
    "/v1/openapi.json",
    "/v1/admin/openapi.json",
    "/.well-known/jwks.json",
}


@BOTH
def test_the_document_is_valid_openapi_3_1(
    document: dict[str, Any], routes: tuple[Route[Any], ...]
):
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


@pytest.mark.parametrize("listener", ["agents", "admin", "operator"])
async def test_every_route_that_is_served_is_documented_and_the_other_way_round(
    served: Served, listener: str
):
    app = next(one.app for one in served.listeners._listeners if one.name == listener)
    document = agents_document() if listener == "agents" else admin_document()
    in_service = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None
    }
    documented = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert in_service == documented
    assert len(in_service) == len(app.router.routes())


@BOTH
def test_the_path_of_a_route_and_its_parameters_agree(
    document: dict[str, Any], routes: tuple[Route[Any], ...]
):
    for route in routes:
        named = {p.name for p in route.parameters if p.place is Place.PATH}
        assert {part[1:-1] for part in route.path.split("/") if part.startswith("{")} == named


@BOTH
def test_every_operation_has_its_own_name(document: dict[str, Any], routes: tuple[Route[Any], ...]):
    names = [route.operation_id for route in routes]
    assert len(set(names)) == len(names)


@BOTH
def test_only_what_tells_nothing_about_anybody_is_open(
    document: dict[str, Any], routes: tuple[Route[Any], ...]
):
    for route in routes:
        assert (route.auth is Auth.NOBODY) == (route.path in OPEN)
        operation = document["paths"][route.path][route.method.lower()]
        assert ("security" in operation) == (route.path in OPEN)


@BOTH
def test_nothing_that_changes_is_open_to_auditors(
    document: dict[str, Any], routes: tuple[Route[Any], ...]
):
    harmless = {"/v1/admin/policy/check", "/v1/admin/policy/explain"}
    for route in routes:
        if route.auth is Auth.AUDITOR:
            assert route.method == "GET" or route.path in harmless


@BOTH
async def test_every_route_refuses_who_does_not_say_who_they_are(
    served: Served, document: dict[str, Any], routes: tuple[Route[Any], ...]
):
    base = served.agents if routes is AGENT_ROUTES else served.admin
    for route in routes:
        path = "/".join("x" if part.startswith("{") else part for part in route.path.split("/"))
        reply = await served.ask(route.method, path, base=base, token=None)
        assert (reply.status == 401) == (route.auth is not Auth.NOBODY), route.path


@pytest.mark.parametrize(
    ("listener", "path"), [("agents", "/v1/openapi.json"), ("admin", "/v1/admin/openapi.json")]
)
async def test_the_document_is_served_to_anybody(served: Served, listener: str, path: str):
    base = served.listeners.addresses[listener]
    reply = await served.ask("GET", path, base=base, token=None)
    assert reply.body == (agents_document() if listener == "agents" else admin_document())


def test_the_problems_of_a_route_follow_from_its_shape():
    [submit] = [r for r in AGENT_ROUTES if r.operation_id == "submit_proposal"]
    statuses = {error.status for error in problems_of(submit)}
    assert statuses == {401, 403, 404, 408, 409, 413, 415, 422, 429, 502, 503}


def test_a_route_without_a_caller_is_not_registered():
    async def lonely(_: web.Request, __: None) -> web.Response:
        return web.Response()

    route = Route(
        method="GET", path="/", handler=lonely, auth=Auth.ADMIN, summary="", answers={200: None}
    )
    with pytest.raises(KeyError):
        register(web.Application(), [route], {Auth.NOBODY: nobody})
