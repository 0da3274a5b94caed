"""What admins and auditors get."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from bot.core.halts import HaltScope
from bot.core.states import State
from bot.core.verbs import Kind
from bot.http.admin_bodies import RoleName
from bot.http.models import Answer, AudienceAnswer
from bot.service.key_rotation import KeyKind


class WebhookAnswer(Answer):
    """Where an agent is told, and by how many secrets it can tell that Keyturn said it."""

    url: str
    secrets: Annotated[int, Field(description="How many sign now: two while one is renewed.")]
    stopped: Annotated[
        str | None, Field(description="Why nothing is sent any more; null while it is.")
    ]


class AgentAnswer(Answer):
    id: str
    name: str
    owner: str
    purpose: str
    principals: list[str]
    verbs: list[str]
    active: bool
    webhook: WebhookAnswer | None
    created_at: datetime


class AgentTokenAnswer(AgentAnswer):
    token: Annotated[str, Field(description="Shown this once.")]


class WebhookSecretAnswer(AgentAnswer):
    """The secret begins with `whsec_`, as libraries for Standard Webhooks expect it."""

    secret: Annotated[str, Field(description="Shown this once.")]


class AgentsAnswer(Answer):
    agents: list[AgentAnswer]


class ResourceServerAnswer(Answer):
    id: str
    name: str
    audience: str
    active: bool
    created_at: datetime


class ResourceServerTokenAnswer(ResourceServerAnswer):
    token: Annotated[str, Field(description="Shown this once.")]


class ResourceServersAnswer(Answer):
    resource_servers: list[ResourceServerAnswer]


class PersonAnswer(Answer):
    id: str
    handle: str
    display_name: str
    roles: list[RoleName]
    active: bool
    email: Annotated[str | None, Field(description="How chats find their account, if at all.")]
    created_at: datetime


class PersonTokenAnswer(PersonAnswer):
    token: Annotated[str, Field(description="Shown this once.")]


class PeopleAnswer(Answer):
    people: list[PersonAnswer]


class ErasureAnswer(Answer):
    """How much goes, or went."""

    person: str
    entries: Annotated[int, Field(description="Entries of the log that lose what opens them.")]
    openings: Annotated[int, Field(description="Values that go from them.")]
    proposals: Annotated[int, Field(description="Proposals that lose content or words.")]
    ended: Annotated[int, Field(description="Proposals of these that are open, and end.")]
    agents: int
    halts: int
    tokens: Annotated[int, Field(description="Admin tokens that end.")]
    identities: Annotated[int, Field(description="Accounts in chats that are unlinked.")]
    obstacles: Annotated[list[str], Field(description="What has to end before, in words.")]


class ErasureScopeAnswer(ErasureAnswer):
    handle: str
    active: bool


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
    claimed_by: Annotated[
        str | None, Field(description="Who says so, where Keyturn has not seen it.")
    ]
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
    release_to: Annotated[str | None, Field(description="The audience, in release mode.")]
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
    undoes: Annotated[str | None, Field(description="What this takes back.")]
    undone_by: Annotated[str | None, Field(description="The last proposal to take this back.")]
    undo_until: Annotated[datetime | None, Field(description="Until when people may undo it.")]
    created_at: datetime
    expires_at: datetime | None
    use_by: datetime | None
    changed_at: datetime
    leaves: Annotated[list[LeafAnswer], Field(description="Its entries in the log, in order.")]


class KeyAnswer(Answer):
    """One key of the deployment; of the key itself nothing is told."""

    kind: KeyKind
    name: Annotated[
        str,
        Field(
            description="What is public of it: the key id of grants, the verifier's key of the "
            "log, or the beginning of a hash."
        ),
    ]
    made_at: datetime
    in_use: Annotated[
        bool, Field(description="Whether it is the one that signs or encrypts what is new.")
    ]


class KeysAnswer(Answer):
    """Every key, of each kind from the oldest to the newest."""

    keys: list[KeyAnswer]


class RotatedKeyAnswer(Answer):
    kind: KeyKind
    name: str


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
    release: Annotated[list[str], Field(description="The audiences it may be released to.")]
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
