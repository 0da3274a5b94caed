"""The admin API: every route that the admin listener serves."""

from typing import Any

from pydantic import BaseModel

from bot.core.errors import (
    Conflict,
    InvalidInput,
    KeyturnError,
    NotFound,
    StoreUnavailable,
    UnknownVerb,
)
from bot.http import admin_models as m
from bot.http import queries
from bot.http.admin_agents import (
    create_agent,
    limit_agent,
    list_agents,
    read_agent,
    revoke_agent,
    rotate_agent,
)
from bot.http.admin_halts import create_halt, list_halts, resume_halt
from bot.http.admin_people import (
    create_admin_token,
    create_person,
    create_sign_in_link,
    deactivate_person,
    list_people,
    read_person,
    set_roles,
)
from bot.http.admin_policy import (
    check_policy_text,
    explain_policy,
    list_all_verbs,
    read_policy,
    reload_policy,
)
from bot.http.admin_proposals import list_all_proposals, read_any_proposal
from bot.http.admin_status import admin_whoami, metrics
from bot.http.agent_routes import HEALTH_ROUTES
from bot.http.auth import AdminCaller
from bot.http.bodies import Body
from bot.http.metrics import MEDIA_TYPE
from bot.http.openapi import openapi_document
from bot.http.problems import PolicyNotLoaded
from bot.http.routes import Auth, Handler, Parameter, Place, Route, TextAnswer


def _path(name: str, about: str) -> Parameter:
    return Parameter(
        name=name, place=Place.PATH, about=about, schema={"type": "string"}, required=True
    )


def _query(name: str, about: str, type_: str = "string") -> Parameter:
    return Parameter(name=name, place=Place.QUERY, about=about, schema={"type": type_})


_AGENT = _path("agent", "The agent's id or name.")
_PERSON = _path("person", "The person's id or handle.")


def _read(
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


def _change(
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


ADMIN_ROUTES: tuple[Route[Any], ...] = (
    _read("/v1/admin/whoami", admin_whoami, "Who calls", m.AdminWhoAmIAnswer),
    _change(
        "POST",
        "/v1/admin/agents",
        create_agent,
        "Register an agent; its token is shown this once",
        m.AgentTokenAnswer,
        body=m.AgentBody,
        status=201,
        problems=(NotFound, Conflict),
    ),
    _read("/v1/admin/agents", list_agents, "List every agent", m.AgentsAnswer),
    _read(
        "/v1/admin/agents/{agent}",
        read_agent,
        "Read an agent",
        m.AgentAnswer,
        _AGENT,
        problems=(NotFound,),
    ),
    _change(
        "POST",
        "/v1/admin/agents/{agent}/rotate",
        rotate_agent,
        "Give an agent a new token, shown this once; the old ones end after the overlap",
        m.AgentTokenAnswer,
        _AGENT,
        body=m.RotateBody,
        body_required=False,
        problems=(NotFound,),
    ),
    _change(
        "POST",
        "/v1/admin/agents/{agent}/revoke",
        revoke_agent,
        "End an agent for good: its tokens and everything of it that waits",
        m.AgentAnswer,
        _AGENT,
        body=m.ReasonBody,
        problems=(NotFound,),
    ),
    _change(
        "PUT",
        "/v1/admin/agents/{agent}/limits",
        limit_agent,
        "Replace for whom an agent may act and what it may propose",
        m.AgentAnswer,
        _AGENT,
        body=m.LimitsBody,
        problems=(NotFound,),
    ),
    _change(
        "POST",
        "/v1/admin/people",
        create_person,
        "Register a person",
        m.PersonAnswer,
        body=m.PersonBody,
        status=201,
        problems=(Conflict,),
    ),
    _read("/v1/admin/people", list_people, "List every person", m.PeopleAnswer),
    _read(
        "/v1/admin/people/{person}",
        read_person,
        "Read a person",
        m.PersonAnswer,
        _PERSON,
        problems=(NotFound,),
    ),
    _change(
        "PUT",
        "/v1/admin/people/{person}/roles",
        set_roles,
        "Replace a person's roles",
        m.PersonAnswer,
        _PERSON,
        body=m.RolesBody,
        problems=(NotFound,),
    ),
    _change(
        "POST",
        "/v1/admin/people/{person}/deactivate",
        deactivate_person,
        "End all access of a person",
        m.PersonAnswer,
        _PERSON,
        problems=(NotFound,),
    ),
    _change(
        "POST",
        "/v1/admin/people/{person}/sign-in-link",
        create_sign_in_link,
        "Make a link that signs this person in, once; shown this once",
        m.SignInLinkAnswer,
        _PERSON,
        body=m.SignInLinkBody,
        body_required=False,
        status=201,
        problems=(NotFound,),
    ),
    _change(
        "POST",
        "/v1/admin/people/{person}/admin-token",
        create_admin_token,
        "Give a person a new admin token, shown this once; the old one ends",
        m.PersonTokenAnswer,
        _PERSON,
        status=201,
        problems=(NotFound, InvalidInput),
    ),
    _change(
        "POST",
        "/v1/admin/halts",
        create_halt,
        "Stop",
        m.HaltAnswer,
        body=m.HaltBody,
        status=201,
        problems=(NotFound,),
    ),
    _read(
        "/v1/admin/halts",
        list_halts,
        "List halts, newest first",
        m.HaltsAnswer,
        _query("active", "`true`: only those in force.", "boolean"),
    ),
    _change(
        "POST",
        "/v1/admin/halts/{id}/resume",
        resume_halt,
        "Let new work begin again; what was stopped stays stopped",
        m.HaltAnswer,
        _path("id", "The halt."),
        body=m.ReasonBody,
        problems=(NotFound,),
    ),
    _read(
        "/v1/admin/proposals",
        list_all_proposals,
        "List proposals, newest first",
        m.ProposalLinesAnswer,
        queries.STATE,
        _query("agent", "Only those of this agent: id or name."),
        _query("principal", "Only those on behalf of this person: id or handle."),
        queries.CURSOR,
        queries.LIMIT,
        problems=(NotFound,),
    ),
    _read(
        "/v1/admin/proposals/{id}",
        read_any_proposal,
        "Read everything that is kept about a proposal",
        m.FullProposalAnswer,
        _path("id", "The proposal."),
        problems=(NotFound,),
    ),
    _read("/v1/admin/policy", read_policy, "Read the policy in force", m.PolicyAnswer),
    _change(
        "POST",
        "/v1/admin/policy/check",
        check_policy_text,
        "Check the text of a policy; nothing changes",
        m.PolicyCheckAnswer,
        body=m.PolicyTextBody,
        auth=Auth.AUDITOR,
    ),
    _change(
        "POST",
        "/v1/admin/policy/explain",
        explain_policy,
        "Ask the policy in force about an action; nothing changes",
        m.ExplanationAnswer,
        body=m.QuestionBody,
        auth=Auth.AUDITOR,
        problems=(NotFound, UnknownVerb),
    ),
    _change(
        "POST",
        "/v1/admin/policy/reload",
        reload_policy,
        "Read the policy file anew now",
        m.PolicyAnswer,
        problems=(PolicyNotLoaded,),
    ),
    _read("/v1/admin/verbs", list_all_verbs, "List every verb", m.AdminVerbsAnswer),
    _read("/metrics", metrics, "Counters for Prometheus", TextAnswer(MEDIA_TYPE)),
    Route(
        method="GET",
        path="/v1/admin/openapi.json",
        handler=openapi_document,
        auth=Auth.NOBODY,
        summary="This document",
        answers={200: TextAnswer("application/json")},
    ),
    *HEALTH_ROUTES,
)
