"""The agents' API: every route that the agents' listener serves."""

from typing import Any

from bot.core.errors import (
    ActionChanged,
    Conflict,
    GrantElsewhere,
    GrantExpired,
    GrantNotGenuine,
    GrantRevoked,
    GrantUsed,
    Halted,
    IllegalTransition,
    InvalidInput,
    KeyReused,
    NotFound,
    NotPermitted,
    SecretInProposal,
    StoreUnavailable,
    TooMany,
    Unavailable,
    UnknownVerb,
    UpstreamFailed,
)
from bot.http import queries
from bot.http.events import (
    EVENT_STREAM,
    LAST_EVENT_ID,
    acknowledge_proposal,
    follow_proposal,
    read_events,
)
from bot.http.grants import jwks, redeem_grant, report_outcome, take_grant
from bot.http.health import healthz, readyz
from bot.http.inventory import list_verbs, whoami
from bot.http.log_models import ReceiptAnswer
from bot.http.models import (
    PROPOSAL_ID,
    DryRunAnswer,
    EventsAnswer,
    GrantAnswer,
    HealthAnswer,
    JwksAnswer,
    OutcomeBody,
    ProposalAnswer,
    ProposalBody,
    ProposalsAnswer,
    RedeemBody,
    RedeemedAnswer,
    VerbsAnswer,
    WhoAmIAnswer,
    WithdrawBody,
)
from bot.http.openapi import openapi_document
from bot.http.prefer import MAX_WAIT_S
from bot.http.problems import NotReady
from bot.http.proposals import (
    list_proposals,
    read_proposal,
    read_receipt,
    submit_proposal,
    withdraw_proposal,
)
from bot.http.routes import Auth, Parameter, Place, Route, TextAnswer

_ID = Parameter(
    name="id",
    place=Place.PATH,
    about="The proposal.",
    schema={"type": "string", "pattern": PROPOSAL_ID},
    required=True,
)
_PREFER = Parameter(
    name="Prefer",
    place=Place.HEADER,
    about=f"`wait=N`: answer when it is final, or after N seconds, at most {MAX_WAIT_S}.",
    schema={"type": "string", "examples": ["wait=30"]},
)
_IDEMPOTENCY_KEY = Parameter(
    name="Idempotency-Key",
    place=Place.HEADER,
    about="A key of your own making: the same key and body again is the same proposal. "
    "Required unless `dry_run` is true.",
    schema={"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
)
_REDEEM_KEY = Parameter(
    name="Idempotency-Key",
    place=Place.HEADER,
    about="A key of your own making: with the same key the same server hears the answer again. "
    "Without one a second request is refused.",
    schema={"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
)
_DRY_RUN = Parameter(
    name="dry_run",
    place=Place.QUERY,
    about="`true`: say what would happen; keep nothing, ask nobody.",
    schema={"type": "boolean", "default": False},
)
_IF_NONE_MATCH = Parameter(
    name="If-None-Match",
    place=Place.HEADER,
    about="The ETag of an earlier answer: 304 when nothing has changed. Not used while waiting.",
    schema={"type": "string"},
)

_LAST_EVENT_ID = Parameter(
    name=LAST_EVENT_ID,
    place=Place.HEADER,
    about="The id of the last event that you have: what came after it is told.",
    schema={"type": "string", "pattern": "^[0-9]{1,15}$"},
)
_EVENTS_CURSOR = Parameter(
    name="cursor",
    place=Place.QUERY,
    about="The `next_cursor` that you were given last, or the cursor of any event. "
    "Left out: from the beginning.",
    schema={"type": "string", "pattern": "^[0-9]{1,15}$"},
)

HEALTH_ROUTES: tuple[Route[Any], ...] = (
    Route(
        method="GET",
        path="/healthz",
        handler=healthz,
        auth=Auth.NOBODY,
        summary="Whether the bot lives",
        answers={200: HealthAnswer},
    ),
    Route(
        method="GET",
        path="/readyz",
        handler=readyz,
        auth=Auth.NOBODY,
        summary="Whether the bot is ready for work, or what is missing",
        answers={200: HealthAnswer},
        problems=(NotReady,),
    ),
)

AGENT_ROUTES: tuple[Route[Any], ...] = (
    Route(
        method="POST",
        path="/v1/proposals",
        handler=submit_proposal,
        auth=Auth.AGENT,
        summary="Propose an action",
        body=ProposalBody,
        parameters=(_IDEMPOTENCY_KEY, _PREFER, _DRY_RUN),
        answers={200: (ProposalAnswer, DryRunAnswer), 202: ProposalAnswer},
        problems=(
            NotPermitted,
            NotFound,
            IllegalTransition,
            Conflict,
            UnknownVerb,
            SecretInProposal,
            KeyReused,
            TooMany,
            Halted,
            StoreUnavailable,
            UpstreamFailed,
        ),
    ),
    Route(
        method="GET",
        path="/v1/proposals",
        handler=list_proposals,
        auth=Auth.AGENT,
        summary="List your own proposals, newest first",
        parameters=(queries.STATE, queries.CURSOR, queries.LIMIT),
        answers={200: ProposalsAnswer},
        problems=(TooMany, StoreUnavailable),
    ),
    Route(
        method="GET",
        path="/v1/proposals/{id}",
        handler=read_proposal,
        auth=Auth.AGENT,
        summary="Read a proposal, or wait for it",
        parameters=(_ID, _PREFER, _IF_NONE_MATCH),
        answers={200: ProposalAnswer, 202: ProposalAnswer, 304: None},
        problems=(NotFound, TooMany, StoreUnavailable),
    ),
    Route(
        method="GET",
        path="/v1/proposals/{id}/receipt",
        handler=read_receipt,
        auth=Auth.AGENT,
        summary="Read a proof of what became of a proposal, to be kept and verified anywhere",
        parameters=(_ID,),
        answers={200: ReceiptAnswer},
        problems=(NotFound, TooMany, StoreUnavailable),
    ),
    Route(
        method="POST",
        path="/v1/proposals/{id}/withdraw",
        handler=withdraw_proposal,
        auth=Auth.AGENT,
        summary="Take a proposal back",
        body=WithdrawBody,
        body_required=False,
        parameters=(_ID,),
        answers={200: ProposalAnswer},
        problems=(NotFound, IllegalTransition, StoreUnavailable),
    ),
    Route(
        method="GET",
        path="/v1/proposals/{id}/events",
        handler=follow_proposal,
        auth=Auth.AGENT,
        summary="Follow a proposal as server-sent events, until its final state",
        parameters=(_ID, _LAST_EVENT_ID),
        answers={200: TextAnswer(EVENT_STREAM), 204: None},
        problems=(InvalidInput, NotFound, TooMany, StoreUnavailable),
    ),
    Route(
        method="POST",
        path="/v1/proposals/{id}/acknowledge",
        handler=acknowledge_proposal,
        auth=Auth.AGENT,
        summary="Say that you know how a proposal ended; people see that you do",
        parameters=(_ID,),
        answers={200: ProposalAnswer},
        problems=(NotFound, IllegalTransition, StoreUnavailable),
    ),
    Route(
        method="GET",
        path="/v1/events",
        handler=read_events,
        auth=Auth.AGENT,
        summary="Read what happened to your own proposals since you were here",
        parameters=(_EVENTS_CURSOR, queries.LIMIT),
        answers={200: EventsAnswer},
        problems=(TooMany, StoreUnavailable),
    ),
    Route(
        method="POST",
        path="/v1/proposals/{id}/grant",
        handler=take_grant,
        auth=Auth.AGENT,
        summary="Take the grant of an approved release; the same one again until it expires",
        parameters=(_ID,),
        answers={200: GrantAnswer},
        problems=(NotFound, IllegalTransition, Unavailable, StoreUnavailable),
    ),
    Route(
        method="POST",
        path="/v1/proposals/{id}/outcome",
        handler=report_outcome,
        auth=Auth.REPORTER,
        summary="Say what came of a redeemed grant: recorded as a claim",
        body=OutcomeBody,
        parameters=(_ID,),
        answers={200: ProposalAnswer, 202: ProposalAnswer},
        problems=(NotPermitted, NotFound, IllegalTransition, TooMany, StoreUnavailable),
    ),
    Route(
        method="POST",
        path="/v1/grants/redeem",
        handler=redeem_grant,
        auth=Auth.RESOURCE,
        summary="Redeem a grant, once, just before its action is carried out",
        body=RedeemBody,
        parameters=(_REDEEM_KEY,),
        answers={200: RedeemedAnswer},
        problems=(
            GrantNotGenuine,
            GrantElsewhere,
            ActionChanged,
            GrantExpired,
            GrantRevoked,
            GrantUsed,
            TooMany,
            StoreUnavailable,
        ),
    ),
    Route(
        method="GET",
        path="/.well-known/jwks.json",
        handler=jwks,
        auth=Auth.NOBODY,
        summary="The public keys of grants",
        answers={200: JwksAnswer},
    ),
    Route(
        method="GET",
        path="/v1/verbs",
        handler=list_verbs,
        auth=Auth.AGENT,
        summary="What this credential may propose, with schemas",
        answers={200: VerbsAnswer},
        problems=(StoreUnavailable,),
    ),
    Route(
        method="GET",
        path="/v1/whoami",
        handler=whoami,
        auth=Auth.AGENT,
        summary="Whom the token names, and its limits",
        answers={200: WhoAmIAnswer},
        problems=(StoreUnavailable,),
    ),
    Route(
        method="GET",
        path="/v1/openapi.json",
        handler=openapi_document,
        auth=Auth.NOBODY,
        summary="This document",
        answers={200: TextAnswer("application/json")},
    ),
    *HEALTH_ROUTES,
)
