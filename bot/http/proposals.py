"""The agents' proposals: submit, read, wait, list, withdraw."""

import hashlib
import re
import time
from typing import assert_never, cast

from aiohttp import hdrs, web

from bot.core.actors import Agent
from bot.core.canonical import Json, digest_of
from bot.core.errors import InvalidInput, TooMany
from bot.core.ids import PersonId, ProposalId
from bot.core.policy import Allow, Deny, Hold, Verdict
from bot.core.proposal import Action, Mode, Proposal, Rationale, Source
from bot.http import prefer, queries
from bot.http.agent_api import API, AgentApi
from bot.http.answers import answer, answer_bytes, json_bytes
from bot.http.bodies import fit, read_json, read_model
from bot.http.models import ProposalBody, WithdrawBody
from bot.http.proposal_answer import status_of, told
from bot.http.rate import RATE, READS, cost_of
from bot.http.waits import WAITS
from bot.service.reading import is_answered
from bot.service.submit import DryRun, SubmitRequest

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_DRY_RUN_KEY = "dry-run"


async def submit_proposal(request: web.Request, agent: Agent) -> web.Response:
    api = request.app[API]
    dry = queries.flag(request, "dry_run") if request.query_string else False
    key = _idempotency_key(request, required=not dry)
    await request.app[RATE].admit(agent.id, cost=cost_of(request))
    started = time.perf_counter()
    value = await read_json(request)
    wanted = _submit_request(value, key=key)
    if dry:
        return answer(_dry_run_answer(await api.submit.dry_run(agent, wanted)))
    submitted = await api.submit.submit(agent, wanted)
    api.metrics.submits.observe(time.perf_counter() - started)
    proposal, headers = submitted.proposal, {"Location": f"/v1/proposals/{submitted.proposal.id}"}
    if submitted.replayed:
        headers["Idempotency-Replayed"] = "true"
    seconds = prefer.wait_s(request)
    if seconds and not is_answered(proposal):
        waited = await _wait_after_submit(api, request, agent, proposal, seconds)
        if waited is not None:
            proposal = waited
            headers |= prefer.applied(seconds)
    status = 200 if submitted.replayed else status_of(proposal)
    return answer(await told(api.checkpoints, proposal), status=status, headers=headers)


async def read_proposal(request: web.Request, agent: Agent) -> web.Response:
    api = request.app[API]
    wanted = ProposalId(request.match_info["id"])
    seconds = prefer.wait_s(request)
    headers: dict[str, str] = {hdrs.CACHE_CONTROL: "private, no-cache"}
    proposal = None
    if seconds:
        waiting = api.reading.wait(agent, wanted, timeout_s=seconds)
        proposal = await request.app[WAITS].park(waiting, request.transport)
        headers |= prefer.applied(seconds) if proposal is not None else {}
    if proposal is None:
        proposal = await api.reading.proposal(agent, wanted)
    body = json_bytes(await told(api.checkpoints, proposal))
    headers[hdrs.ETAG] = etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if not seconds and _is_known(request, etag):
        return answer_bytes(b"", status=304, headers=headers)
    return answer_bytes(body, status=status_of(proposal), headers=headers)


async def read_receipt(request: web.Request, agent: Agent) -> web.Response:
    await request.app[READS].admit(agent.id)
    receipts = request.app[API].receipts
    return answer(await receipts.for_agent(agent, ProposalId(request.match_info["id"])))


async def list_proposals(request: web.Request, agent: Agent) -> web.Response:
    await request.app[READS].admit(agent.id)
    api = request.app[API]
    limit = queries.limit(request)
    found = await api.reading.proposals(
        agent, states=queries.states(request), before=queries.before(request), limit=limit + 1
    )
    page = found[:limit]
    return answer(
        {
            "proposals": [await told(api.checkpoints, proposal) for proposal in page],
            "next_cursor": page[-1].id if len(found) > limit else None,
        }
    )


async def withdraw_proposal(request: web.Request, agent: Agent) -> web.Response:
    api = request.app[API]
    body = await read_model(request, WithdrawBody)
    wanted = ProposalId(request.match_info["id"])
    proposal = await api.withdraw.withdraw(agent, wanted, reason=body.reason)
    return answer(await told(api.checkpoints, proposal))


async def _wait_after_submit(
    api: AgentApi, request: web.Request, agent: Agent, proposal: Proposal, seconds: int
) -> Proposal | None:
    """Return what became of *proposal*, or None where it cannot be waited for now."""
    waiting = api.reading.wait(agent, proposal.id, timeout_s=seconds)
    try:
        return await request.app[WAITS].park(waiting, request.transport)
    except TooMany:
        # It was submitted all the same: the answer says so, without the preference applied.
        return None


def _idempotency_key(request: web.Request, *, required: bool) -> str:
    key = idempotency_key(request)
    if key is not None:
        return key
    if required:
        raise InvalidInput(
            "The header Idempotency-Key is missing.",
            remedy="Send a key of your own making, the same one when you try again.",
        )
    return _DRY_RUN_KEY


def idempotency_key(request: web.Request) -> str | None:
    """Return the Idempotency-Key of *request*, or None.

    Raises:
        InvalidInput: it is malformed, or there are several.
    """
    keys = request.headers.getall("Idempotency-Key", ())
    if not keys:
        return None
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise InvalidInput(
            "The header Idempotency-Key must be one key of 1 to 255 visible ASCII characters."
        )
    return keys[0]


def _submit_request(value: Json, *, key: str) -> SubmitRequest:
    body = fit(value, ProposalBody)
    return SubmitRequest(
        action=Action(
            verb=body.action.verb, resource=body.action.resource, params=body.action.params
        ),
        on_behalf_of=cast("PersonId | None", body.on_behalf_of),
        mode=Mode(body.mode),
        audience=body.audience,
        rationale=Rationale(
            read=tuple(Source(ref=s.ref, sha256=s.sha256) for s in body.rationale.read),
            why=body.rationale.why,
            expects=body.rationale.expects,
        ),
        etag=body.preconditions.etag,
        expires_in_s=body.expires_in_s,
        supersedes=cast("ProposalId | None", body.supersedes),
        correlation=body.correlation,
        idempotency_key=key,
        request_digest=digest_of(value),
    )


def _dry_run_answer(dry: DryRun) -> dict[str, object]:
    """Return the verdict without the observed state: a dry run must not read for the agent."""
    audience = dry.facts.audience
    return {
        "dry_run": True,
        **_verdict(dry.verdict),
        "audience": {
            "reach": audience.reach.value,
            "who": audience.who,
            "readers": audience.readers,
        },
        "effect": dry.preview.effect,
        "target": dry.preview.target,
        "reversible": dry.preview.reversible,
        "action_digest": dry.action_digest,
    }


def _verdict(verdict: Verdict) -> dict[str, object]:
    match verdict:
        case Allow():
            return {"verdict": "allow", "reason": None, "approval": None}
        case Hold(approval=asked):
            approval = {
                "mode": asked.mode.value,
                "count": asked.count,
                "expires_in_s": asked.expires_s,
            }
            return {"verdict": "hold", "reason": None, "approval": approval}
        case Deny(reason=reason):
            return {"verdict": "deny", "reason": reason, "approval": None}
        case _:
            assert_never(verdict)


def _is_known(request: web.Request, etag: str) -> bool:
    """Return whether If-None-Match names *etag*; weak comparison (RFC 9110, 13.1.2)."""
    return any(
        tag.strip() == "*" or tag.strip().removeprefix("W/") == etag
        for header in request.headers.getall(hdrs.IF_NONE_MATCH, ())
        for tag in header.split(",")
    )
