"""What the inbox's forms may send, parsed strictly: no field more, none twice."""

from typing import Annotated, Final, TypeVar

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

from bot.core.card import Button, Card
from bot.core.errors import InvalidInput, SecretSent
from bot.core.halts import HaltScope
from bot.core.secret_scan import find_secrets, without_secrets

MAX_NOTE_CHARS: Final = 2_000
DIGEST_PREFIX_CHARS: Final = 32
PROPOSAL: Final = "prp_[0-9a-z]{26}"
HALT: Final = "hlt_[0-9a-z]{26}"

#: What people write themselves; it is kept.
_WRITTEN: Final = frozenset({"note", "reason"})
_FORM_TYPE: Final = "application/x-www-form-urlencoded"


def _plain_lines(text: str) -> str:
    """Return *text* with the line breaks people typed; forms send CR LF."""
    return text.replace("\r\n", "\n").strip()


Note = Annotated[str, StringConstraints(max_length=MAX_NOTE_CHARS), AfterValidator(_plain_lines)]
Reason = Annotated[Note, StringConstraints(pattern=r"\S")]
ChatId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Secret = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SignedForm(Form):
    """``form`` proves that a page served to this session sent it."""

    form: Secret


class SignIn(Form):
    code: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
    then: Annotated[str, StringConstraints(max_length=200)] = "/"


class SignOut(SignedForm):
    pass


class Press(SignedForm):
    button: Button
    digest: Annotated[str, StringConstraints(pattern=f"^[0-9a-f]{{{DIGEST_PREFIX_CHARS}}}$")]
    note: Note = ""


class Viewed(SignedForm):
    """``served`` proves that this session was served the last page of this very action."""

    served: Secret


class Stop(SignedForm):
    scope: HaltScope
    reason: Reason


class StopThis(Stop):
    digest: Annotated[str, StringConstraints(pattern=f"^[0-9a-f]{{{DIGEST_PREFIX_CHARS}}}$")]


class NewCode(SignedForm):
    chat: Annotated[str, StringConstraints(pattern="^[a-z0-9._-]{1,64}$")]


class Unlink(NewCode):
    tenant: ChatId
    user: ChatId


class Resume(SignedForm):
    reason: Reason


F = TypeVar("F", bound=Form)


async def parse(request: web.Request, kind: type[F]) -> F:
    """Return the form that *request* carries.

    Raises:
        InvalidInput: it is not a form of this kind.
        SecretSent: what a person wrote in it holds a secret.
    """
    if request.content_type != _FORM_TYPE or (request.charset or "utf-8").lower() != "utf-8":
        raise InvalidInput("This is not a form of the inbox")
    try:
        sent = await request.post()
    except UnicodeDecodeError:
        raise InvalidInput("This is not a form of the inbox") from None
    if len(sent) != len(set(sent)):
        raise InvalidInput("A field of the form is there twice")
    try:
        form = kind.model_validate(dict(sent))
    except ValidationError as error:
        raise InvalidInput(without_secrets(_complaint(error))) from None
    for name in _WRITTEN & set(sent):
        if found := find_secrets(str(sent[name])):
            kinds = ", ".join(secret.kind for secret in found)
            raise SecretSent(
                f"What you wrote holds what looks like a secret ({kinds}). Nothing was recorded. "
                "Write it again without the secret"
            )
    return form


def digest_prefix(card: Card) -> str:
    """Return the part of the digest that the buttons of *card* carry."""
    return card.digest.removeprefix("sha256:")[:DIGEST_PREFIX_CHARS]


def _complaint(error: ValidationError) -> str:
    fields = {str(problem["loc"][0]) if problem["loc"] else "" for problem in error.errors()}
    if fields & {"note", "reason"}:
        return f"A reason is needed, of at most {MAX_NOTE_CHARS:,} characters"
    return f"The form was not understood: {', '.join(sorted(fields))}"
