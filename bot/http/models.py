"""What agents send and get: the definition from which requests are checked and OpenAPI made."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.core.states import State
from bot.core.verbs import Kind, Reach
from bot.http.bodies import Body, OpenBody
from bot.service.grant_keys import MAX_GRANT_CHARS
from bot.service.submit import MAX_EXPIRES_S, MIN_EXPIRES_S

MAX_RATIONALE_CHARS = 10_000
MAX_SOURCES = 100
#: Room for every field of a small body, however its characters are spelt.
_SMALL_BYTES = 65_536

_ID = "[0-9a-hj-km-np-tv-z]{26}"
PROPOSAL_ID = f"^prp_{_ID}$"
PERSON_ID = f"^per_{_ID}$"
SHA256 = "^(sha256:)?[0-9a-f]{64}$"


class Answer(BaseModel):
    """Base of every answer: nothing leaves that is not written here."""

    # Built at its first use, which for most answers is the OpenAPI document.
    model_config = ConfigDict(extra="forbid", defer_build=True)


class ActionBody(Body):
    """What would be written."""

    verb: Annotated[str, Field(min_length=1, max_length=200, examples=["forum.post"])]
    resource: Annotated[
        str, Field(min_length=1, max_length=2048, examples=["forum:eng-help/threads/4711"])
    ]
    params: Annotated[
        dict[str, Any], Field(description="What the verb's JSON Schema asks for: GET /v1/verbs.")
    ]


class SourceBody(Body):
    """Something the agent says it read."""

    ref: Annotated[str, Field(min_length=1, max_length=2048)]
    sha256: Annotated[str | None, Field(pattern=SHA256)] = None


class RationaleBody(Body):
    """What the agent claims: shown to people as unverified."""

    read: Annotated[list[SourceBody], Field(default_factory=list, max_length=MAX_SOURCES)]
    why: Annotated[str, Field(max_length=MAX_RATIONALE_CHARS)] = ""
    expects: Annotated[str, Field(max_length=MAX_RATIONALE_CHARS)] = ""


class PreconditionsBody(Body):
    """What has to be so still when the action is carried out."""

    etag: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=1024,
            pattern=r"^[\x21-\x7e]+$",
            description="The target's entity tag that the agent has seen; sent as If-Match.",
        ),
    ] = None


class ProposalBody(Body):
    """An action that an agent asks to have done. The agent itself is the bearer token."""

    action: ActionBody
    on_behalf_of: Annotated[
        str | None,
        Field(
            pattern=PERSON_ID,
            description="The person the agent acts for. "
            "May be left out when the agent is bound to exactly one.",
        ),
    ] = None
    mode: Annotated[
        Literal["execute", "release"],
        Field(
            description="`release`: the agent carries it out itself, with a grant; "
            "only where a rule says so."
        ),
    ] = "execute"
    audience: Annotated[
        str | None,
        Field(
            pattern=r"^[\x21-\x7e]{1,200}$",
            examples=["https://pay.example"],
            description="The resource server that a release is for. Required with `release`, "
            "and allowed only there.",
        ),
    ] = None
    rationale: Annotated[RationaleBody, Field(default_factory=RationaleBody)]
    preconditions: PreconditionsBody = PreconditionsBody()
    expires_in_s: Annotated[
        int | None,
        Field(
            ge=MIN_EXPIRES_S,
            le=MAX_EXPIRES_S,
            description="How long people may take; never longer than the rule says.",
        ),
    ] = None
    supersedes: Annotated[
        str | None,
        Field(pattern=PROPOSAL_ID, description="A pending proposal of the same agent to replace."),
    ] = None
    correlation: Annotated[
        str | None, Field(min_length=1, max_length=200, examples=["run-42/step-7"])
    ] = None


class WithdrawBody(Body):
    """Why the agent takes its proposal back."""

    most_bytes: ClassVar[int | None] = _SMALL_BYTES
    reason: Annotated[str, Field(max_length=1000)] = ""


class OutcomeBody(Body):
    """What came of a redeemed grant, in the words of whoever was there: a claim."""

    most_bytes: ClassVar[int | None] = _SMALL_BYTES
    result: Annotated[
        Literal["succeeded", "failed"],
        Field(description="Only a resource server may say `failed`: nothing happened."),
    ]
    detail: Annotated[str, Field(max_length=1000)] = ""
    reference: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=500,
            pattern=r"^[^\x00-\x1f\x7f]+$",
            description="The target's own id or link for what was done.",
        ),
    ] = None


class RedeemBody(OpenBody):
    """A grant, and the digest of the action that the resource server is about to carry out."""

    most_bytes: ClassVar[int | None] = _SMALL_BYTES
    grant: Annotated[str, Field(min_length=1, max_length=MAX_GRANT_CHARS)]
    action_digest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]


class OutcomeAnswer(Answer):
    """What became of the effect."""

    result: Literal["succeeded", "failed", "in_doubt"]
    reason: Annotated[str, Field(description="A stable code.")]
    detail: Annotated[str, Field(description="One plain sentence.")]
    reference: Annotated[
        str | None, Field(description="The target's own id or link for what was written.")
    ]
    claimed_by: Annotated[
        Literal["agent", "resource"] | None,
        Field(description="Who says so, where Keyturn has not seen it itself."),
    ]
    at: datetime


class ProposalAnswer(Answer):
    """A proposal as its agent sees it. Who decides, or decided, is never in it."""

    id: Annotated[str, Field(pattern=PROPOSAL_ID)]
    state: State
    mode: Literal["execute", "release"]
    audience: Annotated[str | None, Field(description="To whom it is released.")]
    digest: Annotated[str, Field(description="What an approval binds.")]
    action_digest: Annotated[
        str, Field(description="SHA-256 of the RFC 8785 bytes of verb, resource and params.")
    ]
    executed: Annotated[
        bool | None,
        Field(description="Whether the effect happened; null while nobody can tell."),
    ]
    may_retry: Annotated[
        bool, Field(description="Whether a new proposal for the same action is welcome.")
    ]
    expires_at: Annotated[datetime | None, Field(description="Until when people may decide.")]
    use_by: Annotated[
        datetime | None, Field(description="Until when an approved action may be carried out.")
    ]
    delivery: Annotated[
        Literal["queued", "delivered", "undeliverable", "not_needed"],
        Field(description="Whether the people who decide have been shown it."),
    ]
    message: Annotated[str, Field(description="What to tell a model.")]
    reason: Annotated[
        str | None, Field(description="Why it was denied, rejected, revoked or failed.")
    ]
    outcome: OutcomeAnswer | None
    supersedes: str | None
    superseded_by: str | None
    successor: Annotated[
        str | None,
        Field(
            description="The new proposal that Keyturn opened, "
            "when the target had changed since people saw it."
        ),
    ]
    successor_of: str | None
    correlation: str | None
    acknowledged_at: Annotated[
        datetime | None, Field(description="When the agent said that it knows how this ended.")
    ]
    created_at: datetime
    changed_at: datetime


class EventAnswer(Answer):
    """A proposal entered a state. A stream sends the same, with the cursor as the event's id."""

    cursor: Annotated[str, Field(description="The index of the entry of the log that says so.")]
    proposal: str
    state: State
    final: bool
    at: datetime


class EventsAnswer(Answer):
    """What happened to the agent's own proposals, in order."""

    events: list[EventAnswer]
    next_cursor: Annotated[
        str | None, Field(description="Send it as `cursor`, now or whenever you are back.")
    ]
    more: Annotated[
        bool, Field(description="Whether to ask again at once; a page may be empty before.")
    ]


class GrantAnswer(Answer):
    """A grant for exactly one action, once. The same one until it expires."""

    proposal: str
    grant: Annotated[str, Field(description="A JWT: present it to the resource server.")]
    audience: str
    action_digest: str
    expires_at: datetime


class RedeemedAnswer(Answer):
    """The grant is used up: carry the action out now, once, and report what came of it."""

    proposal: str
    state: State
    verb: str
    resource: str
    action_digest: str
    digest: Annotated[str, Field(description="What was approved.")]
    agent: str
    redeemed_at: datetime
    report_by: Annotated[
        datetime, Field(description="Without a report until then the outcome is in doubt.")
    ]


class JwksAnswer(Answer):
    """A JWK set (RFC 7517): the public keys of grants."""

    keys: list[dict[str, str]]


class ProposalsAnswer(Answer):
    """A page of the agent's own proposals, newest first."""

    proposals: list[ProposalAnswer]
    next_cursor: Annotated[
        str | None, Field(description="Send it as `cursor` for the next page; null on the last.")
    ]


class AudienceAnswer(Answer):
    """Who would see the effect."""

    reach: Reach
    who: str
    readers: int | None


class ApprovalAnswer(Answer):
    """What would have to be said by how many people; never by whom."""

    mode: Literal["confirm", "four_eyes"]
    count: int
    expires_in_s: int


class DryRunAnswer(Answer):
    """What would come of the proposal; nobody was asked and nothing was kept."""

    dry_run: Literal[True]
    verdict: Literal["allow", "hold", "deny"]
    reason: Annotated[str | None, Field(description="Why it would be denied.")]
    approval: ApprovalAnswer | None
    audience: AudienceAnswer
    effect: Annotated[str, Field(description="What the card would say will happen.")]
    target: str
    reversible: str
    action_digest: str


class VerbAnswer(Answer):
    """One thing that may be proposed."""

    name: str
    kind: Kind
    summary: str
    resources: Annotated[list[str], Field(description="Globs of the resources it takes.")]
    params_schema: Annotated[dict[str, Any], Field(description="JSON Schema of its params.")]
    release_to: Annotated[
        str | None,
        Field(
            description="The audience, where the agent carries it out itself with a grant; "
            "null where Keyturn does."
        ),
    ]


class VerbsAnswer(Answer):
    """What this credential may propose; a rule may still refuse some of it."""

    verbs: list[VerbAnswer]


class WhoAmIAnswer(Answer):
    """Whom the token names, and its limits."""

    agent: str
    name: str
    purpose: str
    principals: Annotated[list[str], Field(description="Whom the agent may act for.")]
    verbs: Annotated[list[str], Field(description="Globs of what it may propose.")]
    deployment: str


class HealthAnswer(Answer):
    status: Literal["ok"]


class FaultAnswer(BaseModel):
    """One thing that is wrong in a body."""

    field: Annotated[str, Field(description="JSON pointer.")]
    detail: str


class Problem(BaseModel):
    """RFC 9457: what went wrong, and what to do next."""

    type: Annotated[str, Field(examples=["urn:keyturn:problem:invalid_input"])]
    title: str
    status: int
    detail: str
    code: Annotated[str, Field(description="Stable: see docs/reference/errors.md.")]
    remedy: Annotated[str, Field(description="What to do next.")]
    field: Annotated[str | None, Field(description="JSON pointer to what is wrong.")] = None
    errors: list[FaultAnswer] | None = None
    retry_after_s: int | None = None
    cap: Annotated[str | None, Field(description="Which cap is used up.")] = None
    missing: list[str] | None = None
    problems: list[str] | None = None
    correlation: Annotated[
        str | None, Field(description="Leads the operator to the log entry.")
    ] = None
