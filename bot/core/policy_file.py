"""The policy file: what it may say, read strictly, with everything wrong with it at once."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from bot.core.approval import (
    AGENT_OWNER,
    GROUP_PREFIX,
    PERSON_PREFIX,
    PRINCIPAL,
    Approval,
    ApprovalMode,
)
from bot.core.canonical import Json, sha256_digest
from bot.core.errors import InvalidInput, PolicyInvalid
from bot.core.policy import STAKEHOLDERS, Allow, Deny, Hold, Policy, Rule, Verdict
from bot.core.policy_match import MAX_GLOB_CHARS, Condition, Globs
from bot.core.policy_operators import Operator
from bot.core.policy_yaml import Place, Problem, Read, read_yaml

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
_OPERATORS: Final = tuple(operator.value for operator in Operator)
_AUDIENCE: Final = re.compile(r"[\x21-\x7e]{1,200}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def parse_policy(text: str) -> Policy:
    """Return the policy that *text* spells.

    Raises:
        PolicyInvalid: with every problem, each with its line.
    """
    read = read_yaml(text)
    problems = list(read.problems)
    wheres: dict[int, tuple[Condition, ...]] = {}
    file: _File | None = None
    if read.value is not None or not problems:
        try:
            file = _File.model_validate(read.value)
        except ValidationError as error:
            problems += _said_plainly(error, read)
        problems += _repeated_ids(read)
        for place, where in _wheres(read.value):
            wheres[place], wrong = _conditions(where, place, read)
            problems += wrong
    if problems or file is None:
        raise PolicyInvalid(
            "The policy file cannot be used.",
            problems=[f"line {problem.line}: {problem.message}" for problem in _ordered(problems)],
            remedy="Correct each line that is named, then run: keyturn policy check",
        )
    return Policy(
        digest=sha256_digest(text.encode()),
        text=text,
        rules=tuple(
            rule.rule(where=wheres.get(place, ()), line=read.line_of(("rules", place)))
            for place, rule in enumerate(file.rules)
        ),
    )


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


class _HoldTerms(_Strict):
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


class _AllowTerms(_Strict):
    release: _Audiences


class _AllowEffect(_Strict):
    allow: _AllowTerms


class _HoldEffect(_Strict):
    hold: _HoldTerms


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


# What a condition says is read by `_conditions`: its operator decides which operand is right.
_Where = Annotated[dict[str, object], AfterValidator(_conditions_given)]


class _RuleModel(_Strict):
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


class _File(_Strict):
    version: Annotated[int, AfterValidator(_known_version)]
    rules: Annotated[list[_RuleModel], Field(max_length=MAX_RULES)]


def _rules(value: Json) -> Sequence[Json]:
    rules = value.get("rules") if isinstance(value, Mapping) else None
    return rules if isinstance(rules, list) else []


def _repeated_ids(read: Read) -> list[Problem]:
    found: list[Problem] = []
    first_lines: dict[str, int] = {}
    for place, rule in enumerate(_rules(read.value)):
        id_ = rule.get("id") if isinstance(rule, Mapping) else None
        if not isinstance(id_, str):
            continue
        line = read.line_of(("rules", place, "id"))
        if id_ in first_lines:
            message = f"the rule id {id_} is used twice, first on line {first_lines[id_]}"
            found.append(Problem(line, message))
        first_lines.setdefault(id_, line)
    return found


def _wheres(value: Json) -> Iterator[tuple[int, Mapping[str, Json]]]:
    for place, rule in enumerate(_rules(value)):
        where = rule.get("where") if isinstance(rule, Mapping) else None
        if isinstance(where, Mapping):
            yield place, where


def _conditions(
    where: Mapping[str, Json], rule: int, read: Read
) -> tuple[tuple[Condition, ...], list[Problem]]:
    conditions: list[Condition] = []
    problems: list[Problem] = []
    for path, operators in where.items():
        place: Place = ("rules", rule, "where", path)
        if not isinstance(operators, Mapping) or not operators:
            message = f"{path}: this takes an operator and a value, such as {{eq: text}}"
            problems.append(Problem(read.line_of(place), message))
            continue
        for name, operand in operators.items():
            line = read.line_of((*place, name))
            if name not in _OPERATORS:
                message = f"{path}: unknown operator {name}; {_known(_OPERATORS)}"
                problems.append(Problem(line, message))
                continue
            try:
                conditions.append(Condition(path, Operator(name), operand))
            except InvalidInput as error:
                problems.append(Problem(line, f"{path}: {name}: {error.message}"))
    return tuple(conditions), problems


def _said_plainly(error: ValidationError, read: Read) -> list[Problem]:
    return [
        Problem(read.line_of(details["loc"]), _plain_words(details, read))
        for details in error.errors(include_url=False)
    ]


def _plain_words(details: ErrorDetails, read: Read) -> str:
    loc = details["loc"]
    context = details.get("ctx", {})
    # The steps that the file has; the others are the model's own.
    name = next((step for step in reversed(loc) if isinstance(step, str)), "")
    if loc and isinstance(loc[-1], int):
        name = f"each of {name}"
    match details["type"]:
        case "missing":
            return f"the key {name} is missing"
        case "extra_forbidden":
            return f"unknown key {name}; {_known(_keys_beside(loc))}"
        case "model_type" | "dict_type" if not loc:
            return (
                "the file is empty: write version: 1 and rules:"
                if read.value is None
                else ("the file takes keys: write version: 1 and rules:")
            )
        case "model_type" | "dict_type":
            return f"{name} takes keys and values"
        case "string_type":
            return f"{name} takes text: put it in quotation marks"
        case "list_type":
            return f"{name} takes a list, such as [a, b]"
        case "too_short":
            return f"{name}: the list is empty: name at least one, or leave the key out"
        case "too_long":
            return f"{name}: the list is longer than {context.get('max_length')}"
        case "int_type":
            return f"{name} takes a whole number"
        case "greater_than_equal":
            return f"{name} takes {context.get('ge')} or more"
        case "less_than_equal":
            return f"{name} takes {context.get('le')} or less"
        case "literal_error":
            return f"{name} takes {context.get('expected')}"
        case _:
            return f"{name}: {details['msg']}" if name else details["msg"]


def _keys_beside(loc: Sequence[str | int]) -> Iterable[str]:
    match loc:
        case (_,):
            return _File.model_fields
        case ("rules", _, _):
            return _RuleModel.model_fields
        case (*_, "allow", "allow", _):
            return _AllowTerms.model_fields
        case (*_, "hold", "hold", _):
            return _HoldTerms.model_fields
        case (*_, kind, _):
            return (str(kind),)
        case _:
            return ()


def _known(names: Iterable[str]) -> str:
    return f"known are {', '.join(names)}"


def _ordered(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(set(problems), key=lambda problem: (problem.line, problem.message))
