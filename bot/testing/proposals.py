"""Proposals as they look at every point of their life, made without a store."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot.core.actors import Agent, Person, agent_actor
from bot.core.approval import Approval
from bot.core.canonical import Digest, Json
from bot.core.ids import AgentId, PersonId, agent_id, person_id, proposal_id
from bot.core.proposal import (
    Action,
    Mode,
    Proposal,
    Rationale,
    action_digest,
    binding_digest,
)
from bot.core.states import State
from bot.core.verbs import Audience, Facts, Kind, Preview, Reach

NOW: Final = datetime(2030, 1, 1, 12, tzinfo=UTC)
_NO_DIGEST: Final = Digest("sha256:" + "0" * 64)
_PUBLIC: Final = Audience(
    reach=Reach.PUBLIC, who="Everyone on the internet will see this", readers=4000
)


def a_person(name: str, *, at: datetime = NOW) -> Person:
    """Return the person of that name, always with the same id."""
    return Person(
        id=person_id(_sixteen(name)), handle=name.lower(), display_name=name, created_at=at
    )


def an_agent(name: str, *, owner: PersonId, purpose: str = "", at: datetime = NOW) -> Agent:
    """Return the agent of that name, always with the same id."""
    return Agent(
        id=agent_id(_sixteen(name)),
        name=name,
        owner=owner,
        purpose=purpose,
        principals=(owner,),
        verbs=("*",),
        created_at=at,
    )


def a_proposal(
    number: int,
    *,
    agent: AgentId,
    principal: PersonId,
    params: Mapping[str, Json],
    at: datetime = NOW,
    verb: str = "forum.post",
    resource: str = "forum:eng-help/threads/4711",
    audience: Audience = _PUBLIC,
    effect: str = "Publish an answer in the forum eng-help",
    target: str = "Thread 4711 in eng-help",
    reversible: str = "Yes. It can be recalled, but whoever read it has read it.",
    before: Json = None,
    rationale: Rationale | None = None,
    kind: Kind = Kind.WRITE,
    approval: Approval | None = None,
    **changes: Any,
) -> Proposal:
    """Return the pending proposal *number*; *changes* are fields of the proposal itself."""
    action = Action(verb=verb, resource=resource, params=params)
    canonical = action.canonical()
    proposal = Proposal(
        id=proposal_id(at + timedelta(seconds=number), number.to_bytes(16, "little")),
        agent=agent,
        proposer=agent_actor(agent),
        principal=principal,
        mode=Mode.EXECUTE,
        action_json=canonical.decode(),
        action_digest=action_digest(canonical),
        digest=_NO_DIGEST,
        salt="00" * 16,
        connector="forum",
        kind=kind,
        verb_digest=_NO_DIGEST,
        facts=Facts(audience=audience, before=before),
        preview=Preview(effect=effect, target=target, reversible=reversible, before=before),
        rationale=rationale or Rationale(),
        idempotency_key=f"key-{number}",
        request_digest=_NO_DIGEST,
        policy_digest=_NO_DIGEST,
        approval=approval or Approval(),
        created_at=at,
        expires_at=at + timedelta(hours=1),
        state=State.PENDING,
        changed_at=at,
    )
    proposal = replace(proposal, **changes)
    return replace(proposal, digest=binding_digest(proposal, deployment="testing"))


def _sixteen(name: str) -> bytes:
    return name.encode().ljust(16, b".")[:16]
