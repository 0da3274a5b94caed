"""Every error raised on purpose, with its stable code and what to do next.

KeyturnError
├── InvalidInput            the request cannot be understood                 422
│   ├── UnknownVerb         no connector declares the verb                   422
│   ├── SecretSent          what was sent carries a secret                   422
│   │   └── SecretInProposal    it is a proposal                             422
│   ├── KeyReused           same Idempotency-Key, another body               422
│   └── TooLarge            more than may be sent                            413
├── NotAuthenticated        no token, a wrong one, or another kind's         401
├── NotPermitted            this credential or person may not do this        403
├── NotFound                not there, or not yours to see                   404
├── IllegalTransition       the proposal's state does not allow the event    409
├── Conflict                somebody else moved it first                     409
├── GrantRefused            the grant does not permit this                   403
│   ├── GrantNotGenuine     this deployment has not issued it                403
│   ├── GrantElsewhere      it is for another audience                       403
│   ├── ActionChanged       it is for another action                         403
│   ├── GrantExpired        its time is over                                 403
│   ├── GrantRevoked        it was stopped meanwhile                         403
│   └── GrantUsed           it has been redeemed already                     409
├── TooMany                 a fixed cap or a rate is used up                 429
├── Unavailable             nothing may happen now                           503
│   ├── Halted              a person has stopped this                        503
│   └── StoreUnavailable    nothing may happen that cannot be recorded       503
├── UpstreamFailed          the target could not be asked                    502
└── RefusesToStart          wrong settings, policy or database at start
    ├── SettingsInvalid
    ├── PolicyInvalid
    └── StoreRefused
"""

from collections.abc import Sequence
from typing import ClassVar


class KeyturnError(Exception):
    """An error raised on purpose.

    ``code`` is stable and public; ``remedy`` says what to do next.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"
    default_remedy: ClassVar[str] = "Try again. If it happens again, tell the operator."

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy or self.default_remedy


class InvalidInput(KeyturnError):
    """``field`` is a JSON pointer to what is wrong, where one place is."""

    code = "invalid_input"
    status = 422
    title = "The request cannot be understood"
    default_remedy = "Correct the request and send it again."

    def __init__(
        self, message: str, *, field: str | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.field = field


class UnknownVerb(InvalidInput):
    code = "unknown_verb"
    title = "No connector declares this verb"
    default_remedy = "Ask GET /v1/verbs which verbs this credential may propose."


class SecretSent(InvalidInput):
    """Names the place and the kind, never the value."""

    code = "secret_sent"
    title = "What was sent carries a secret"
    default_remedy = "Leave the secret out: what is written here is kept, and people read it."


class SecretInProposal(SecretSent):
    code = "secret_in_proposal"
    title = "The proposal carries a secret"
    default_remedy = (
        "Remove the secret. Keyturn holds the target's credential itself; "
        "ask the operator for a credential reference."
    )


class KeyReused(InvalidInput):
    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used with another body"
    default_remedy = "Use a new Idempotency-Key for a new proposal."


class TooLarge(InvalidInput):
    code = "too_large"
    status = 413
    title = "More than may be sent"
    default_remedy = "Send less, or send a reference to the content."


class NotAuthenticated(KeyturnError):
    code = "not_authenticated"
    status = 401
    title = "The credential is missing or wrong"
    default_remedy = "Send the header 'Authorization: Bearer' with the token of this interface."


class NotPermitted(KeyturnError):
    code = "not_permitted"
    status = 403
    title = "Not permitted"
    default_remedy = "Ask an admin of this deployment for the permission, if it should be yours."


class NotFound(KeyturnError):
    code = "not_found"
    status = 404
    title = "Not found"
    default_remedy = "Check the id. What belongs to others is not shown."


class IllegalTransition(KeyturnError):
    code = "illegal_transition"
    status = 409
    title = "The proposal is past that"
    default_remedy = "Read the proposal again: it says what happened."


class Conflict(KeyturnError):
    code = "conflict"
    status = 409
    title = "Somebody else was first"
    default_remedy = "Read it again, then decide."


class GrantRefused(KeyturnError):
    code = "grant_refused"
    status = 403
    title = "The grant does not permit this"
    default_remedy = "Do not carry the action out."


class GrantNotGenuine(GrantRefused):
    code = "grant_not_genuine"
    title = "This deployment has not issued this grant"
    default_remedy = "Do not carry the action out, and find out where the grant came from."


class GrantElsewhere(GrantRefused):
    code = "grant_for_another_audience"
    title = "The grant is for another audience"


class ActionChanged(GrantRefused):
    code = "grant_for_another_action"
    title = "The grant is for another action"
    default_remedy = (
        "Do not carry the action out. The agent has to propose it as it is now, and a person "
        "has to approve that."
    )


class GrantExpired(GrantRefused):
    code = "grant_expired"
    title = "The grant's time is over"
    default_remedy = "Do not carry the action out. The agent may propose it again."


class GrantRevoked(GrantRefused):
    code = "grant_revoked"
    title = "The grant was stopped"


class GrantUsed(GrantRefused):
    code = "grant_used"
    status = 409
    title = "The grant has been redeemed already"
    default_remedy = (
        "Do not carry the action out a second time. The answer to the first request can be had "
        "again under its Idempotency-Key, if it had one."
    )


class TooMany(KeyturnError):
    """``cap`` names what is used up; ``retry_after_s`` is in whole seconds."""

    code = "too_many"
    status = 429
    title = "Too many"
    default_remedy = "Wait as long as the Retry-After header says, then try again."

    def __init__(self, message: str, *, cap: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.cap = cap
        self.retry_after_s = retry_after_s


class Unavailable(KeyturnError):
    code = "unavailable"
    status = 503
    title = "Not available now"
    default_remedy = "Try again later with the same Idempotency-Key."


class Halted(Unavailable):
    code = "halted"
    title = "A person has stopped this"
    default_remedy = "Do not attempt this another way. A person has to resume it."


class StoreUnavailable(Unavailable):
    code = "store_unavailable"
    title = "The record cannot be written"
    default_remedy = "Try again with the same Idempotency-Key: it is not known whether it was kept."


class UpstreamFailed(KeyturnError):
    code = "upstream_failed"
    status = 502
    title = "The target could not be asked"
    default_remedy = "Try again later. Nothing was done."


class RefusesToStart(KeyturnError):
    """``problems`` are all that was found, each a sentence with what to do."""

    code = "refuses_to_start"
    title = "Keyturn does not start like this"
    default_remedy = "Correct what is named, then start again."

    def __init__(
        self, message: str, *, problems: Sequence[str] = (), remedy: str | None = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.problems = tuple(problems)


class SettingsInvalid(RefusesToStart):
    code = "settings_invalid"


class PolicyInvalid(RefusesToStart):
    code = "policy_invalid"


class StoreRefused(RefusesToStart):
    code = "store_refused"
