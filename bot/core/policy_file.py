"""The policy file, read strictly, with everything wrong with it at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.core.canonical import Json, sha256_digest
from bot.core.errors import InvalidInput, PolicyInvalid
from bot.core.policy import Policy
from bot.core.policy_match import Condition
from bot.core.policy_model import AllowTerms, HoldTerms, PolicyFile, RuleModel
from bot.core.policy_operators import Operator
from bot.core.policy_yaml import Place, Problem, Read, read_yaml

_OPERATORS: Final = tuple(operator.value for operator in Operator)


def parse_policy(text: str) -> Policy:
    """Return the policy that *text* spells.

    Raises:
        PolicyInvalid: with every problem, each with its line.
    """
    read = read_yaml(text)
    problems = list(read.problems)
    wheres: dict[int, tuple[Condition, ...]] = {}
    file: PolicyFile | None = None
    if read.value is not None or not problems:
        try:
            file = PolicyFile.model_validate(read.value)
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
            return PolicyFile.model_fields
        case ("rules", _, _):
            return RuleModel.model_fields
        case (*_, "allow", "allow", _):
            return AllowTerms.model_fields
        case (*_, "hold", "hold", _):
            return HoldTerms.model_fields
        case (*_, kind, _):
            return (str(kind),)
        case _:
            return ()


def _known(names: Iterable[str]) -> str:
    return f"known are {', '.join(names)}"


def _ordered(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(set(problems), key=lambda problem: (problem.line, problem.message))
