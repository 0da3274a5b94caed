"""OpenAPI 3.1 from the table of routes that is served and the models that check."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, cast

import orjson
from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bot.core.errors import InvalidInput, KeyturnError, NotAuthenticated, NotPermitted, TooLarge
from bot.http.answers import JSON, answer_bytes
from bot.http.models import Problem
from bot.http.problems import MEDIA_TYPE as PROBLEM_TYPE
from bot.http.problems import TooSlow, UnsupportedMediaType
from bot.http.routes import Auth, Parameter, Place, Route, TextAnswer


class Document:
    """Made when it is first asked for: few ask, and it is a tenth of the work of a start."""

    def __init__(self, make: Callable[[], Mapping[str, Any]]) -> None:
        self._make = make

    @cached_property
    def text(self) -> bytes:
        return orjson.dumps(self._make(), option=orjson.OPT_INDENT_2)


DOCUMENT = web.AppKey("openapi_document", Document)

_REF = "#/components/schemas/{model}"
_PROBLEM = {PROBLEM_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}}
_BODY_PROBLEMS = (TooSlow, TooLarge, UnsupportedMediaType, InvalidInput)


async def openapi_document(request: web.Request, _: object) -> web.Response:
    document = request.app[DOCUMENT]
    return answer_bytes(await asyncio.to_thread(lambda: document.text))


def openapi(
    routes: Sequence[Route[Any]], *, title: str, about: str, version: str
) -> dict[str, Any]:
    """Return the document that describes *routes*."""
    refs, schemas = _schemas(routes)
    paths: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for route in routes:
        paths[route.path][route.method.lower()] = _operation(route, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "description": about,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": dict(paths),
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _schemas(
    routes: Iterable[Route[Any]],
) -> tuple[Mapping[tuple[type[BaseModel], str], dict[str, Any]], dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], str], None] = {(Problem, "serialization"): None}
    for route in routes:
        if route.body is not None:
            wanted[route.body, "validation"] = None
        for answered in route.answers.values():
            for model in _models(answered):
                wanted[model, "serialization"] = None
    refs, definitions = models_json_schema(cast("Any", list(wanted)), ref_template=_REF)
    return cast("Any", refs), dict(sorted(definitions["$defs"].items()))


def _models(answered: object) -> tuple[type[BaseModel], ...]:
    if isinstance(answered, tuple):
        return answered
    return (answered,) if isinstance(answered, type) else ()


def problems_of(route: Route[Any]) -> list[type[KeyturnError]]:
    """Return every error that *route* answers with, those that follow from its shape included."""
    found = list(route.problems)
    if route.auth is not Auth.NOBODY:
        found.append(NotAuthenticated)
    if route.auth in (Auth.ADMIN, Auth.AUDITOR):
        found.append(NotPermitted)
    if route.body is not None:
        found += _BODY_PROBLEMS
    if any(parameter.place is Place.QUERY for parameter in route.parameters):
        found.append(InvalidInput)
    return sorted(set(found), key=lambda error: (error.status, error.code))


def _operation(
    route: Route[Any], refs: Mapping[tuple[type[BaseModel], str], dict[str, Any]]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "responses": _responses(route, refs),
    }
    if route.auth is Auth.NOBODY:
        operation["security"] = []
    if route.parameters:
        operation["parameters"] = [_parameter(parameter) for parameter in route.parameters]
    if route.body is not None:
        operation["requestBody"] = {
            "required": route.body_required,
            "content": {JSON: {"schema": refs[route.body, "validation"]}},
        }
    return operation


def _responses(
    route: Route[Any], refs: Mapping[tuple[type[BaseModel], str], dict[str, Any]]
) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, answered in route.answers.items():
        response: dict[str, Any] = {"description": _meaning(status)}
        if isinstance(answered, TextAnswer):
            response["content"] = {answered.media_type: {}}
        elif models := _models(answered):
            schemas = [refs[model, "serialization"] for model in models]
            schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
            response["content"] = {JSON: {"schema": schema}}
        responses[str(status)] = response
    by_status: defaultdict[int, list[type[KeyturnError]]] = defaultdict(list)
    for error in problems_of(route):
        by_status[error.status].append(error)
    for status, errors in by_status.items():
        responses[str(status)] = {
            "description": "; ".join(f"`{error.code}`: {error.title}" for error in errors),
            "content": _PROBLEM,
        }
    responses["default"] = {"description": "Any other problem", "content": _PROBLEM}
    return responses


def _meaning(status: int) -> str:
    return {
        201: "Made",
        202: "Not final yet",
        204: "Done",
        304: "Nothing has changed",
    }.get(status, "What was asked for")


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place.value,
        "description": parameter.about,
        "required": parameter.required,
        "schema": dict(parameter.schema),
    }
