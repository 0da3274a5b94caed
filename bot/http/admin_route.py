"""How a route of the admin API is declared: who may ask it, and what it answers."""

from typing import Any

from pydantic import BaseModel

from bot.core.errors import KeyturnError, StoreUnavailable
from bot.http.auth import AdminCaller
from bot.http.bodies import Body
from bot.http.routes import Auth, Handler, Parameter, Place, Route, TextAnswer


def path_parameter(name: str, about: str) -> Parameter:
    return Parameter(
        name=name, place=Place.PATH, about=about, schema={"type": "string"}, required=True
    )


def query_parameter(name: str, about: str, type_: str = "string") -> Parameter:
    return Parameter(name=name, place=Place.QUERY, about=about, schema={"type": type_})


def reads(
    path: str,
    handler: Handler[AdminCaller],
    summary: str,
    answered: type[BaseModel] | TextAnswer,
    *parameters: Parameter,
    problems: tuple[type[KeyturnError], ...] = (),
) -> Route[Any]:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        auth=Auth.AUDITOR,
        summary=summary,
        answers={200: answered},
        parameters=parameters,
        problems=(*problems, StoreUnavailable),
    )


def changes(
    method: str,
    path: str,
    handler: Handler[AdminCaller],
    summary: str,
    answered: type[BaseModel],
    *parameters: Parameter,
    body: type[Body] | None = None,
    body_required: bool = True,
    status: int = 200,
    auth: Auth = Auth.ADMIN,
    problems: tuple[type[KeyturnError], ...] = (),
) -> Route[Any]:
    return Route(
        method=method,
        path=path,
        handler=handler,
        auth=auth,
        summary=summary,
        answers={status: answered},
        body=body,
        body_required=body_required,
        parameters=parameters,
        problems=(*problems, StoreUnavailable),
    )
