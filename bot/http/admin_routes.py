"""The admin API: every route that the admin listener serves."""

from typing import Any

from pydantic import BaseModel

from bot.core.errors import (
    Conflict,
    Halted,
    IllegalTransition,
    InvalidInput,
    KeyturnError,
    NotFound,
    NotPermitted,
    StoreUnavailable,
    UnknownVerb,
    UpstreamFailed,
)
from bot.http import admin_models as m
from bot.http import queries
from bot.http.admin_agents import (
    create_agent,
    limit_agent,
    list_agents,
    read_agent,
    remove_webhook,
    revoke_agent,
    rotate_agent,
    rotate_webhook,
    set_webhook,
)
from bot.http.admin_backup import PROGRESS, make_backup
from bot.http.admin_erasure import erase_person, read_erasure_scope
from bot.http.admin_halts import create_halt, list_halts, resume_halt
from bot.http.admin_keys import list_keys, rotate_key
from bot.http.admin_log import (
    ENTRIES,
    OF_PROPOSAL,
    OPENINGS,
    START,
    read_checkpoint,
    read_log,
)
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
from bot.http.admin_proposals import ask_to_undo, list_all_proposals, read_any_proposal
from bot.http.admin_resource_servers import (
    create_resource_server,
    list_resource_servers,
    read_resource_server,
    revoke_resource_server,
    rotate_resource_server,
)
from bot.http.admin_status import admin_whoami, metrics
from bot.http.agent_routes import HEALTH_ROUTES
from bot.http.auth import AdminCaller
from bot.http.bodies import Body
from bot.http.log_models import CheckpointAnswer, LogAnswer
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
_RESOURCE_SERVER = _path("resource_server", "The resource server's id or name.")
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
        "/v1/admin/resource-servers",
        create_resource_server,
        "Register a resource server; its token is shown this once",
        m.ResourceServerTokenAnswer,
        body=m.ResourceServerBody,
        status=201,
        problems=(Conflict,),
    ),
    _read(
        "/v1/admin/resource-servers",
        list_resource_servers,
        "List every resource server",
        m.ResourceServersAnswer,
    ),
    _read(
        "/v1/admin/resource-servers/{resource_server}",
        read_resource_server,
        "Read a resource server",
        m.ResourceServerAnswer,
        _RESOURCE_SERVER,
        problems=(NotFound,),
    ),
    _change(
        "POST",
        "/v1/admin/resource-servers/{resource_server}/rotate",
        rotate_resource_server,
        "Give a resource server a new token, shown this once; the old ones end after the overlap",
        m.ResourceServerTokenAnswer,
        _RESOURCE_SERVER,
        body=m.RotateBody,
        body_required=False,
        problems=(NotFound,),
    ),
    _change(
        "POST",
        "/v1/admin/resource-servers/{resource_server}/revoke",
        revoke_resource_server,
        "End a resource server for good: it redeems nothing any more",
        m.ResourceServerAnswer,
        _RESOURCE_SERVER,
        body=m.ReasonBody,
        problems=(NotFound,),
    ),
    _change(
        "PUT",
        "/v1/admin/agents/{agent}/webhook",
        set_webhook,
        "Tell an agent there what happens; the signing secret is shown this once",
        m.WebhookSecretAnswer,
        _AGENT,
        body=m.WebhookBody,
        problems=(NotFound,),
    ),
    _change(
        "POST",
        "/v1/admin/agents/{agent}/webhook/rotate",
        rotate_webhook,
        "Sign with a new secret, shown this once; the old ones sign too until the overlap ends",
        m.WebhookSecretAnswer,
        _AGENT,
        body=m.RotateBody,
        body_required=False,
        problems=(NotFound,),
    ),
    _change(
        "DELETE",
        "/v1/admin/agents/{agent}/webhook",
        remove_webhook,
        "Tell an agent nothing any more; it can still ask",
        m.AgentAnswer,
        _AGENT,
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
    _read(
        "/v1/admin/people/{person}/erasure",
        read_erasure_scope,
        "See how much an erasure of a person would remove now",
        m.ErasureScopeAnswer,
        _PERSON,
        problems=(NotFound,),
    ),
    _change(
        "POST",
        "/v1/admin/people/{person}/erasure",
        erase_person,
        "Remove everything that is kept about a person, for good; the log still verifies",
        m.ErasureAnswer,
        _PERSON,
        body=m.ReasonBody,
        problems=(NotFound, Conflict),
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
    _change(
        "POST",
        "/v1/admin/proposals/{id}/undo",
        ask_to_undo,
        "Ask a person to undo what was done; nothing is done before they decide",
        m.ProposalLineAnswer,
        _path("id", "The proposal that was carried out."),
        body=m.UndoBody,
        body_required=False,
        problems=(NotFound, IllegalTransition, Halted, UpstreamFailed),
    ),
    _read(
        "/v1/admin/checkpoint",
        read_checkpoint,
        "Read the signed head of the log",
        CheckpointAnswer,
    ),
    _read(
        "/v1/admin/log",
        read_log,
        "Read entries of the log, oldest first",
        LogAnswer,
        START,
        ENTRIES,
        OPENINGS,
        OF_PROPOSAL,
    ),
    _read("/v1/admin/keys", list_keys, "List the deployment's own keys", m.KeysAnswer),
    _change(
        "POST",
        "/v1/admin/keys/{kind}/rotate",
        rotate_key,
        "Make a new key and use it; what older ones signed or encrypted stays good",
        m.RotatedKeyAnswer,
        _path("kind", "`grant`, `log` or `shelf`."),
        status=201,
        problems=(NotFound,),
    ),
    Route(
        method="POST",
        path="/v1/admin/backup",
        handler=make_backup,
        auth=Auth.ADMIN,
        summary="Make a backup on the bot's machine, for the operator on the socket alone; the "
        "answer is a line of JSON for each step, the last of which is the result",
        answers={200: TextAnswer(PROGRESS)},
        body=m.BackupBody,
        problems=(Conflict, NotPermitted),
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
