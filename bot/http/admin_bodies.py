"""What admins send. An agent or person may be named by id or by name."""

from typing import Annotated, Any, Literal

from pydantic import Field

from bot.core.webhook import MAX_URL_CHARS
from bot.http.admin_account_models import Address
from bot.http.bodies import Body, OpenBody
from bot.service.programs import MAX_OVERLAP_S

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


class ResourceServerBody(Body):
    """A program that redeems grants for one audience."""

    name: Name
    audience: Annotated[
        str,
        Field(
            pattern=r"^[\x21-\x7e]{1,200}$",
            examples=["https://pay.example"],
            description="What grants for it carry as `aud`, and rules name in `release`.",
        ),
    ]


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
    email: Address | None = None


class RolesBody(Body):
    """The person's new roles, in place of the old ones."""

    roles: Annotated[list[RoleName], Field(max_length=2)]


class SignInLinkBody(Body):
    """How long the link works."""

    ttl_s: Annotated[int, Field(ge=10, le=MAX_LINK_TTL_S)] = 600


class UndoBody(Body):
    """Who is asked to undo it; left out: its principal."""

    person: Ref | None = None


class HaltBody(Body):
    """What to stop; fields that the scope does not need are left out."""

    scope: Literal["agent_for_principal", "agent", "connector", "all"]
    agent: Ref | None = None
    principal: Ref | None = None
    connector: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    reason: Reason


class BackupBody(Body):
    """Where to make a backup: an absolute path on the machine of the bot."""

    into: Annotated[str, Field(min_length=1, max_length=4000, pattern="^/")]
    with_keys: bool = False


class PolicyTextBody(OpenBody):
    """The text of a policy file."""

    text: Annotated[str, Field(max_length=1_000_000)]


class QuestionBody(Body):
    """What to ask the policy in force."""

    agent: Ref
    verb: Annotated[str, Field(min_length=1, max_length=200)]
    resource: Annotated[str, Field(min_length=1, max_length=2048)]
    params: Annotated[dict[str, Any], Field(default_factory=dict)]
    on_behalf_of: Ref | None = None


class WebhookBody(Body):
    """Where an agent is told from now on."""

    url: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_URL_CHARS,
            examples=["https://agent.your-company.net/keyturn"],
        ),
    ]
