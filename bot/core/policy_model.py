"""What a policy file may say: its keys, and what each of them takes."""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from bot.core.approval import (
    AGENT_OWNER,
    GROUP_PREFIX,
    PERSON_PREFIX,
    PRINCIPAL,
    Approval,
    ApprovalMode,
)
from bot.core.errors import InvalidInput
from bot.core.policy import STAKEHOLDERS, Allow, Deny, Hold, Rule, Verdict
from bot.core.policy_match import MAX_GLOB_CHARS, Condition, Globs

MAX_RULES: Final = 2000
MAX_APPROVALS: Final = 20

_DEFAULT: Final = Approval()
_DURATION: Final = re.compile(r"([1-9][0-9]{0,6})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
#: A group of a chat has the chat's name before its own, as in group:slack:security.
_NAMED_TERM: Final = re.compile(
    r"(?:group:(?:[a-z][a-z0-9._-]{0,63}:)?|person:)[A-Za-z0-9][A-Za-z0-9._@/-]{0,99}"
)
_RULE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_AUDIENCE: Final = re.compile(r"[\x21-\x7e]{1,200}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def duration_s(written: str) -> int:
    """Return the seconds that ``90s``, ``30m``, ``2h`` or ``7d`` spells.

    Raises:
        InvalidInput: it spells none.
    """
    found = _DURATION.fullmatch(written)
    if found is None:
        raise InvalidInput("this is not a duration: write 90s, 30m, 2h or 7d")
    return int(found[1]) * _SECONDS[found[2]]


def _refused(message: str) -> PydanticCustomError:
    # The message is data: braces in it are not places to fill in.
    return PydanticCustomError("policy", "{message}", {"message": message})


def _duration(*, least_s: int, most_s: int, range_: str) -> BeforeValidator:
    def check(value: object) -> int:
        if not isinstance(value, str):
            raise _refused("this takes a duration: write 90s, 30m, 2h or 7d")
        try:
            seconds = duration_s(value)
        except InvalidInput as error:
            raise _refused(error.message) from None
        if not least_s <= seconds <= most_s:
            raise _refused(f"{value} is out of range: from {range_}")
        return seconds

    return BeforeValidator(check)


def _known_version(value: int) -> int:
    if value != 1:
        raise _refused("this Keyturn reads version 1")
    return value


def _glob(value: str) -> str:
    if not value or len(value) > MAX_GLOB_CHARS or _CONTROL.search(value):
        raise _refused(f"a name or pattern has 1 to {MAX_GLOB_CHARS} characters, none a control")
    return value


def _term(value: str) -> str:
    if value not in STAKEHOLDERS and not _NAMED_TERM.fullmatch(value):
        raise _refused(
            f"{value!r} names nobody: write {PRINCIPAL}, {AGENT_OWNER}, "
            f"{GROUP_PREFIX}NAME or {PERSON_PREFIX}ID"
        )
    return value


def _audience(value: str) -> str:
    if not _AUDIENCE.fullmatch(value):
        raise _refused("an audience has 1 to 200 visible ASCII characters, without blanks")
    return value


def _each_once(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        raise _refused("the list names the same twice")
    return values


def _rule_id(value: str) -> str:
    if not _RULE_ID.fullmatch(value):
        raise _refused("an id has 1 to 100 letters, digits, dots, dashes or underscores")
    return value


def _reason(value: str) -> str:
    if not value.strip() or len(value) > 500 or _CONTROL.search(value):
        raise _refused("a reason has 1 to 500 characters on one line")
    return value


_Names = Annotated[
    list[Annotated[str, AfterValidator(_glob)]], Field(min_length=1), AfterValidator(_each_once)
]
_Terms = Annotated[
    list[Annotated[str, AfterValidator(_term)]], Field(min_length=1), AfterValidator(_each_once)
]


_Audiences = Annotated[
    list[Annotated[str, AfterValidator(_audience)]], Field(min_length=1), AfterValidator(_each_once)
]


class _Strict(BaseModel):
    """A default is what an absent key means; it need not be a value that the key may have."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class HoldTerms(_Strict):
    mode: Literal["confirm", "four_eyes"] = "confirm"
    approvers: _Terms = Field(default_factory=list)
    count: Annotated[int, Field(ge=1, le=MAX_APPROVALS)] = 0
    exclude: _Terms = Field(default_factory=list)
    expires: Annotated[int, _duration(least_s=10, most_s=30 * 86_400, range_="10s to 30d")] = (
        _DEFAULT.expires_s
    )
    use_by: Annotated[int, _duration(least_s=10, most_s=7 * 86_400, range_="10s to 7d")] = (
        _DEFAULT.use_within_s
    )
    release: _Audiences = Field(default_factory=list)

    @model_validator(mode="after")
    def _somebody_can_decide(self) -> Self:
        if self.mode == "confirm" and self.count > 1:
            raise _refused("confirm asks one person: leave count out, or use mode: four_eyes")
        if self.mode == "four_eyes":
            if not self.approvers:
                raise _refused("four_eyes needs approvers, such as [group:security]")
            if STAKEHOLDERS.intersection(self.approvers):
                raise _refused(
                    "four_eyes leaves out the principal and the agent's owner: "
                    "name groups or persons as approvers"
                )
        if not set(self.approvers or (PRINCIPAL,)).difference(self.exclude):
            raise _refused("exclude leaves nobody of the approvers")
        return self

    def approval(self) -> Approval:
        mode = ApprovalMode(self.mode)
        return Approval(
            mode=mode,
            approvers=tuple(self.approvers or (PRINCIPAL,)),
            count=self.count or (2 if mode is ApprovalMode.FOUR_EYES else 1),
            exclude=tuple(self.exclude),
            expires_s=self.expires,
            use_within_s=self.use_by,
        )


class AllowTerms(_Strict):
    release: _Audiences


class _AllowEffect(_Strict):
    allow: AllowTerms


class _HoldEffect(_Strict):
    hold: HoldTerms


class _DenyEffect(_Strict):
    deny: Annotated[str, AfterValidator(_reason)]


def _effect_kind(value: object) -> str | None:
    match value:
        case "allow" | "deny":
            return "word"
        case {"allow": _}:
            return "allow"
        case {"hold": _}:
            return "hold"
        case {"deny": _}:
            return "deny"
        case _:
            return None


_Effect = Annotated[
    Annotated[Literal["allow", "deny"], Tag("word")]
    | Annotated[_AllowEffect, Tag("allow")]
    | Annotated[_HoldEffect, Tag("hold")]
    | Annotated[_DenyEffect, Tag("deny")],
    Discriminator(
        _effect_kind,
        custom_error_type="policy_effect",
        custom_error_message=(
            "an effect is allow, {allow: {release: [...]}}, deny, {deny: reason} or {hold: {...}}"
        ),
    ),
]


def _conditions_given(value: dict[str, object]) -> dict[str, object]:
    if not value:
        raise _refused("where is empty: leave it out, or write {params.body: {len_le: 500}}")
    return value


# What a condition says is read with the file: its operator decides which operand is right.
_Where = Annotated[dict[str, object], AfterValidator(_conditions_given)]


class RuleModel(_Strict):
    id: Annotated[str, AfterValidator(_rule_id)]
    agents: _Names = Field(default_factory=lambda: ["*"])
    verbs: _Names
    resources: _Names = Field(default_factory=lambda: ["*"])
    where: _Where = Field(default_factory=dict)
    effect: _Effect

    def rule(self, *, where: tuple[Condition, ...], line: int) -> Rule:
        return Rule(
            id=self.id,
            agents=Globs(tuple(self.agents)),
            verbs=Globs(tuple(self.verbs)),
            resources=Globs(tuple(self.resources)),
            where=where,
            effect=self._verdict(),
            line=line,
        )

    def _verdict(self) -> Verdict:
        rules = (self.id,)
        match self.effect:
            case "allow":
                return Allow(rules=rules)
            case "deny":
                return Deny(reason=f"the rule {self.id} denies this", rules=rules)
            case _DenyEffect(deny=reason):
                return Deny(reason=reason, rules=rules)
            case _AllowEffect(allow=allowed):
                return Allow(release=tuple(allowed.release), rules=rules)
            case _HoldEffect(hold=terms):
                return Hold(approval=terms.approval(), release=tuple(terms.release), rules=rules)


class PolicyFile(_Strict):
    version: Annotated[int, AfterValidator(_known_version)]
    rules: Annotated[list[RuleModel], Field(max_length=MAX_RULES)]
