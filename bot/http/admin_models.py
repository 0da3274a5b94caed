"""What admins and auditors send and get. An agent or person may be named by id or by name."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from bot.core.halts import HaltScope
from bot.core.states import State
from bot.core.verbs import Kind
from bot.http.bodies import Body
from bot.http.models import Answer, AudienceAnswer
from bot.service.agents import MAX_OVERLAP_S

MAX_LINK_TTL_S = 3600

Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$",
        examples=["forum-reader"],
    ),
]
Ref = Annotated[str, Field(min_length=1, max_length=200, description="An id, or a name.")]
Glob = Annotated[str, Field(min_length=1, max_length=200)]
Reason = Annotated[str, Field(min_length=1, max_length=1000)]
RoleName = Literal["admin", "auditor"]


class AgentBody(Body):
    """A program to register, with its limits: empty lists mean nobody and nothing."""

    name: Name
    owner: Ref
    purpose: Annotated[str, Field(min_length=1, max_length=500)]
    principals: Annotated[list[Ref], Field(default_factory=list, max_length=1000)]
    verbs: Annotated[list[Glob], Field(default_factory=list, max_length=1000)]


class RotateBody(Body):
    """How long the old tokens still work beside the new one."""

    overlap_s: Annotated[int, Field(ge=0, le=MAX_OVERLAP_S)] = 0


class ReasonBody(Body):
    """Why."""

    reason: Reason


class LimitsBody(Body):
    """The agent's new limits, in place of the old ones."""

    principals: Annotated[list[Ref], Field(max_length=1000)]
    verbs: Annotated[list[Glob], Field(max_length=1000)]


class PersonBody(Body):
    """A human to register."""

    handle: Name
    display_name: Annotated[str, Field(min_length=1, max_length=200)]
    roles: Annotated[list[RoleName], Field(default_factory=list, max_length=2)]


class RolesBody(Body):
    """The person's new roles, in place of the old ones."""

    roles: Annotated[list[RoleName], Field(max_length=2)]


class SignInLinkBody(Body):
    """How long the link works."""

    ttl_s: Annotated[int, Field(ge=10, le=MAX_LINK_TTL_S)] = 600


class HaltBody(Body):
    """What to stop; fields that the scope does not need are left out."""

    scope: Literal["agent_for_principal", "agent", "connector", "all"]
    agent: Ref | None = None
    principal: Ref | None = None
    connector: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    reason: Reason


class PolicyTextBody(Body):
    """The text of a policy file."""

    text: Annotated[str, Field(max_length=1_000_000)]


class QuestionBody(Body):
    """What to ask the policy in force."""

    agent: Ref
    verb: Annotated[str, Field(min_length=1, max_length=200)]
    resource: Annotated[str, Field(min_length=1, max_length=2048)]
    params: Annotated[dict[str, Any], Field(default_factory=dict)]
    on_behalf_of: Ref | None = None


class AgentAnswer(Answer):
    id: str
    name: str
    owner: str
    purpose: str
    principals: list[str]
    verbs: list[str]
    active: bool
    created_at: datetime


class AgentTokenAnswer(AgentAnswer):
    token: Annotated[str, Field(description="Shown this once.")]


class AgentsAnswer(Answer):
    agents: list[AgentAnswer]


class PersonAnswer(Answer):
    id: str
    handle: str
    display_name: str
    roles: list[RoleName]
    active: bool
    created_at: datetime


class PersonTokenAnswer(PersonAnswer):
    token: Annotated[str, Field(description="Shown this once.")]


class PeopleAnswer(Answer):
    people: list[PersonAnswer]


class SignInLinkAnswer(Answer):
    person: str
    url: Annotated[str, Field(description="Works once. Shown this once.")]
    expires_at: datetime


class HaltAnswer(Answer):
    id: str
    scope: HaltScope
    agent: str | None
    principal: str | None
    connector: str | None
    reason: str
    set_by: str
    set_at: datetime
    active: bool
    resumed_by: str | None
    resumed_at: datetime | None
    resume_reason: str | None


class HaltsAnswer(Answer):
    halts: list[HaltAnswer]


class ProposalLineAnswer(Answer):
    """One proposal in a list."""

    id: str
    state: State
    agent: str
    principal: str
    verb: str
    resource: str
    effect: str
    delivery: str
    created_at: datetime
    expires_at: datetime | None
    changed_at: datetime


class ProposalLinesAnswer(Answer):
    proposals: list[ProposalLineAnswer]
    next_cursor: str | None


class DecisionAnswer(Answer):
    person: str
    choice: Literal["approve", "reject"]
    digest: str
    card_digest: str
    reason: str
    chat: str
    at: datetime


class FullApprovalAnswer(Answer):
    mode: Literal["confirm", "four_eyes"]
    approvers: list[str]
    count: int
    exclude: list[str]
    expires_s: int
    use_within_s: int


class FullOutcomeAnswer(Answer):
    result: str
    reason: str
    detail: str
    reference: str | None
    settled_by: str | None
    at: datetime


class LeafAnswer(Answer):
    index: int
    type: str
    at: datetime


class FullProposalAnswer(Answer):
    """Everything that is kept about one proposal."""

    id: str
    state: State
    agent: str
    proposer: str
    principal: str
    mode: str
    action: Annotated[dict[str, Any], Field(description="Exactly what is bound and executed.")]
    action_digest: str
    digest: str
    connector: str
    kind: Kind
    verb_config: str
    audience: AudienceAnswer
    before: Annotated[Any, Field(description="What was observed of the target.")]
    effect: str
    target: str
    reversible: str
    rationale: Annotated[dict[str, Any], Field(description="The agent's claims: unverified.")]
    etag: str | None
    correlation: str | None
    policy: str
    rules: list[str]
    approval: FullApprovalAnswer | None
    decisions: list[DecisionAnswer]
    viewed_by: list[str]
    delivery: str
    reason: str | None
    reason_by: str | None
    attempt: int
    outcome: FullOutcomeAnswer | None
    supersedes: str | None
    superseded_by: str | None
    successor_of: str | None
    created_at: datetime
    expires_at: datetime | None
    use_by: datetime | None
    changed_at: datetime
    leaves: Annotated[list[LeafAnswer], Field(description="Its entries in the log, in order.")]


class PolicyAnswer(Answer):
    digest: str
    text: str
    rules: int


class PolicyProblemAnswer(Answer):
    severity: Literal["error", "warning"]
    rule: str | None
    line: int | None
    message: str
    remedy: str


class PolicyCheckAnswer(Answer):
    """What is wrong with a policy, or perhaps not meant; empty when all is well."""

    loads: bool
    problems: list[PolicyProblemAnswer]


class RuleExplanationAnswer(Answer):
    id: str
    line: int
    match: Literal["yes", "no", "unknown"]
    counted: bool
    why_not: str


class ExplanationAnswer(Answer):
    verdict: Literal["allow", "hold", "deny"]
    reason: str | None
    approval: FullApprovalAnswer | None
    rules: list[RuleExplanationAnswer]


class AdminVerbAnswer(Answer):
    name: str
    connector: str
    kind: Kind
    summary: str
    resources: list[str]
    params_schema: dict[str, Any]
    idempotent: bool
    can_look_up: bool
    settles_after_s: int
    config_digest: str


class AdminVerbsAnswer(Answer):
    verbs: list[AdminVerbAnswer]


class AdminWhoAmIAnswer(Answer):
    """Who calls the admin interface."""

    actor: Annotated[str, Field(examples=["person:per_7q", "system:operator"])]
    may_change: bool
    deployment: str
