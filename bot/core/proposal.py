"""What an agent asks to have done, and everything that came of it.

A :class:`Proposal` is one immutable value; transitions make the next one. ``action_json`` is
the canonical text that is shown, bound by the digest and executed: nothing is parsed anew
from what the agent sent.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import cast

import orjson

from bot.core.actors import Actor
from bot.core.approval import Approval, Decision
from bot.core.canonical import Digest, Json, canonical, digest_of, sha256_digest
from bot.core.frozen import frozen
from bot.core.grants import Grant
from bot.core.ids import AgentId, PersonId, ProposalId
from bot.core.states import State
from bot.core.verbs import Facts, Kind, Preview


@unique
class Mode(StrEnum):
    EXECUTE = "execute"  #: Keyturn carries it out
    RELEASE = "release"  #: Keyturn hands out a grant; only where a rule says so


@frozen
class Action:
    """What would be written."""

    verb: str
    resource: str
    params: Mapping[str, Json]

    def canonical(self) -> bytes:
        """Return the RFC 8785 bytes of verb, resource and params.

        Raises:
            InvalidInput: a value has no canonical form.
        """
        return canonical({"params": self.params, "resource": self.resource, "verb": self.verb})


def action_of(text: str) -> Action:
    """Return the action whose canonical text is *text*."""
    value = cast("dict[str, Json]", orjson.loads(text))
    return Action(
        verb=cast("str", value["verb"]),
        resource=cast("str", value["resource"]),
        params=cast("Mapping[str, Json]", value["params"]),
    )


@frozen
class Source:
    """Something the agent says it read."""

    ref: str
    sha256: str | None = None


@frozen
class Rationale:
    """What the agent claims: never verified, and labelled so wherever it is shown."""

    read: tuple[Source, ...] = ()
    why: str = ""
    expects: str = ""


@frozen
class Viewed:
    """A person was served the last page of the full view of ``digest``."""

    person: PersonId
    digest: Digest
    chat: str
    at: datetime


@frozen
class Delivery:
    """A card was posted: to whom, in which chat, and where the chat keeps it.

    ``lost_at`` is since when its person cannot reach it any more.
    """

    person: PersonId
    chat: str
    where: str
    at: datetime
    lost_at: datetime | None = None


@unique
class Result(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"


@frozen
class Outcome:
    """What became of the effect; ``reason`` is a stable code, ``detail`` one plain sentence.

    ``reference`` is the target's own id or link for what was written. ``settled_by`` is the
    person who settled a doubt, when a person did. ``claimed_by`` is who reported it, when
    Keyturn itself has not seen it: an agent or a resource server.
    """

    result: Result
    reason: str
    detail: str
    reference: str | None = None
    settled_by: PersonId | None = None
    claimed_by: Actor | None = None
    at: datetime


@frozen
class Proposal:
    """One proposal and its life so far. Times are UTC, ``salt`` is hexadecimal.

    ``attempt`` is that of the lease it was claimed under last; ``intents`` counts the attempts
    that may have reached the target. ``audience`` is the resource server's, in release mode.
    ``undoes`` names what a person takes back with this; ``agent`` is then whose act that was.
    ``undone_by`` is the last proposal to undo this one, whatever came of it. ``erased`` says that
    nothing is left of its content.
    """

    id: ProposalId
    agent: AgentId
    proposer: Actor
    principal: PersonId
    mode: Mode
    audience: str | None = None
    action_json: str
    action_digest: Digest
    digest: Digest
    salt: str
    connector: str
    kind: Kind
    verb_digest: Digest
    facts: Facts
    preview: Preview
    rationale: Rationale
    etag: str | None = None
    correlation: str | None = None
    idempotency_key: str
    request_digest: Digest
    policy_digest: Digest
    rules: tuple[str, ...] = ()
    approval: Approval | None = None
    created_at: datetime
    expires_at: datetime | None = None
    use_by: datetime | None = None
    state: State
    reason: str | None = None
    reason_by: Actor | None = None
    decisions: tuple[Decision, ...] = ()
    views: tuple[Viewed, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    undeliverable: str | None = None
    supersedes: ProposalId | None = None
    superseded_by: ProposalId | None = None
    successor_of: ProposalId | None = None
    undoes: ProposalId | None = None
    undone_by: ProposalId | None = None
    undo_window_s: int | None = None
    attempt: int = 0
    intents: int = 0
    claimed_at: datetime | None = None
    grant: Grant | None = None
    outcome: Outcome | None = None
    acknowledged_at: datetime | None = None
    changed_at: datetime
    erased: bool = False

    @property
    def action(self) -> Action:
        return action_of(self.action_json)

    @property
    def due_at(self) -> datetime | None:
        """When the clock that now runs for this proposal ends, if one does."""
        match self.state:
            case State.PENDING:
                return self.expires_at
            case State.APPROVED:
                return self.use_by
            case State.RELEASED:
                return self.use_by if self.grant is None else self.grant.expires_at
            case State.REDEEMED:
                return None if self.grant is None else self.grant.report_by
            case _:
                return None

    @property
    def undo_until(self) -> datetime | None:
        """Until when a person may take it back; None where it was not done, or stays done."""
        if self.state is not State.SUCCEEDED or self.outcome is None or self.undo_window_s is None:
            return None
        return self.outcome.at + timedelta(seconds=self.undo_window_s)

    def is_of(self, agent: AgentId) -> bool:
        """Return whether *agent* proposed it: what undoes its act is a person's."""
        return self.agent == agent and self.undoes is None

    @property
    def reached(self) -> frozenset[PersonId]:
        """Who has a card of it that they can reach."""
        return frozenset(d.person for d in self.deliveries if d.lost_at is None)

    def has_viewed(self, person: PersonId) -> bool:
        return any(v.person == person and v.digest == self.digest for v in self.views)


def binding_digest(proposal: Proposal, *, deployment: str) -> Digest:
    """Return the digest that an approval of *proposal* binds; its own ``digest`` is not read."""
    return digest_of(
        {
            "deployment": deployment,
            "proposal": proposal.id,
            "salt": proposal.salt,
            "proposer": str(proposal.proposer),
            "agent": proposal.agent,
            "principal": proposal.principal,
            "mandate": None,
            "action_digest": proposal.action_digest,
            "mode": proposal.mode.value,
            "audience": proposal.audience,
            "verb_config": proposal.verb_digest,
            "approval": _approval_value(proposal.approval),
            "preconditions": {"etag": proposal.etag},
            "facts": facts_value(proposal.facts),
            **({} if proposal.undoes is None else {"undoes": proposal.undoes}),
        }
    )


def facts_value(facts: Facts) -> Json:
    """Return *facts* as the plain value that digests and cards cover."""
    audience = facts.audience
    return {
        "audience": {
            "reach": audience.reach.value,
            "who": audience.who,
            "readers": audience.readers,
        },
        "before": facts.before,
        "etag": facts.etag,
    }


def rationale_value(rationale: Rationale) -> Json:
    return {
        "read": [{"ref": s.ref, "sha256": s.sha256} for s in rationale.read],
        "why": rationale.why,
        "expects": rationale.expects,
    }


def action_digest(action_bytes: bytes) -> Digest:
    """Return what a resource server can recompute from the action alone."""
    return sha256_digest(action_bytes)


def _approval_value(approval: Approval | None) -> Json:
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
