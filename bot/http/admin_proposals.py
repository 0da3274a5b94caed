"""Proposals, for admins and auditors: everything that is kept, people included."""

from aiohttp import web

from bot.core.approval import Approval, Decision
from bot.core.errors import NotFound
from bot.core.ids import ProposalId
from bot.core.proposal import Outcome, Proposal, rationale_value
from bot.core.verbs import Audience
from bot.http import queries
from bot.http.admin_api import API
from bot.http.admin_bodies import UndoBody
from bot.http.answers import answer
from bot.http.auth import AdminCaller
from bot.http.bodies import read_model
from bot.ports.queries import Leaves, ProposalById, Proposals
from bot.service.reading import as_they_are, delivery_of
from bot.service.undo import Undo


async def list_all_proposals(request: web.Request, _: AdminCaller) -> web.Response:
    api = request.app[API]
    limit = queries.limit(request)
    agent, principal = request.query.get("agent"), request.query.get("principal")
    query = Proposals(
        agent=None if agent is None else (await api.agents.get(agent)).id,
        principal=None if principal is None else (await api.people.get(principal)).id,
        states=queries.states(request),
        before=queries.before(request),
        limit=limit + 1,
    )
    found = await as_they_are(api.gate, await api.gate.store.read(query))
    page = found[:limit]
    return answer(
        {
            "proposals": [_line(proposal) for proposal in page],
            "next_cursor": page[-1].id if len(found) > limit else None,
        }
    )


async def read_any_proposal(request: web.Request, _: AdminCaller) -> web.Response:
    gate = request.app[API].gate
    wanted = ProposalId(request.match_info["id"])
    found = await gate.store.read(ProposalById(wanted))
    if found is None:
        raise NotFound("There is no such proposal.")
    proposal = (await as_they_are(gate, [found]))[0]
    leaves = await gate.store.read(Leaves(proposal=wanted))
    return answer(
        {
            **_full(proposal),
            "leaves": [{"index": leaf.index, "type": leaf.type, "at": leaf.at} for leaf in leaves],
        }
    )


async def ask_to_undo(request: web.Request, caller: AdminCaller) -> web.Response:
    """Ask a person: whoever configures never decides, about an undo as little as anything else."""
    api = request.app[API]
    body = await read_model(request, UndoBody)
    person = None if body.person is None else (await api.people.get(body.person)).id
    wanted = ProposalId(request.match_info["id"])
    asked = await Undo(api.gate).ask(caller.actor, wanted, person=person)
    return answer(_line(asked))


def _line(proposal: Proposal) -> dict[str, object]:
    action = proposal.action
    return {
        "id": proposal.id,
        "state": proposal.state.value,
        "agent": proposal.agent,
        "principal": proposal.principal,
        "verb": action.verb,
        "resource": action.resource,
        "effect": proposal.preview.effect,
        "delivery": delivery_of(proposal).value,
        "created_at": proposal.created_at,
        "expires_at": proposal.expires_at,
        "changed_at": proposal.changed_at,
    }


def _full(proposal: Proposal) -> dict[str, object]:
    action, preview = proposal.action, proposal.preview
    return {
        "id": proposal.id,
        "state": proposal.state.value,
        "agent": proposal.agent,
        "proposer": str(proposal.proposer),
        "principal": proposal.principal,
        "mode": proposal.mode.value,
        "release_to": proposal.audience,
        "action": {"verb": action.verb, "resource": action.resource, "params": action.params},
        "action_digest": proposal.action_digest,
        "digest": proposal.digest,
        "connector": proposal.connector,
        "kind": proposal.kind.value,
        "verb_config": proposal.verb_digest,
        "audience": _audience(proposal.facts.audience),
        "before": proposal.facts.before,
        "effect": preview.effect,
        "target": preview.target,
        "reversible": preview.reversible,
        "rationale": rationale_value(proposal.rationale),
        "etag": proposal.etag,
        "correlation": proposal.correlation,
        "policy": proposal.policy_digest,
        "rules": list(proposal.rules),
        "approval": approval_value(proposal.approval),
        "decisions": [_decision(decision) for decision in proposal.decisions],
        "viewed_by": [view.person for view in proposal.views],
        "delivery": delivery_of(proposal).value,
        "reason": proposal.reason,
        "reason_by": None if proposal.reason_by is None else str(proposal.reason_by),
        "attempt": proposal.attempt,
        "outcome": _outcome(proposal.outcome),
        "supersedes": proposal.supersedes,
        "superseded_by": proposal.superseded_by,
        "successor_of": proposal.successor_of,
        "undoes": proposal.undoes,
        "undone_by": proposal.undone_by,
        "undo_until": proposal.undo_until,
        "created_at": proposal.created_at,
        "expires_at": proposal.expires_at,
        "use_by": proposal.use_by,
        "changed_at": proposal.changed_at,
    }


def approval_value(approval: Approval | None) -> dict[str, object] | None:
    if approval is None:
        return None
    return {
        "mode": approval.mode.value,
        "approvers": list(approval.approvers),
        "count": approval.count,
        "exclude": list(approval.exclude),
        "expires_s": approval.expires_s,
        "use_within_s": approval.use_within_s,
    }


def _audience(audience: Audience) -> dict[str, object]:
    return {"reach": audience.reach.value, "who": audience.who, "readers": audience.readers}


def _decision(decision: Decision) -> dict[str, object]:
    return {
        "person": decision.person,
        "choice": decision.choice.value,
        "digest": decision.digest,
        "card_digest": decision.card_digest,
        "reason": decision.reason,
        "chat": decision.chat,
        "at": decision.at,
    }


def _outcome(outcome: Outcome | None) -> dict[str, object] | None:
    if outcome is None:
        return None
    return {
        "result": outcome.result.value,
        "reason": outcome.reason,
        "detail": outcome.detail,
        "reference": outcome.reference,
        "settled_by": outcome.settled_by,
        "claimed_by": None if outcome.claimed_by is None else str(outcome.claimed_by),
        "at": outcome.at,
    }
