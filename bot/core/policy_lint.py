"""What is probably not meant in a policy that loads: found before a proposal meets it.

Only what can be proven from the rules, the declared verbs and the known groups is reported.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from itertools import combinations
from typing import cast

from bot.core.approval import GROUP_PREFIX, PERSON_PREFIX, Approval, ApprovalMode
from bot.core.canonical import Json
from bot.core.ids import PersonId
from bot.core.policy import Allow, Deny, Hold, Policy, Rule, combined
from bot.core.policy_cover import globs_overlap, makes_useless
from bot.core.policy_match import Condition
from bot.core.policy_operators import Absent, Operator, Truth
from bot.core.verbs import Kind, Verb

Groups = Mapping[str, frozenset[PersonId]]

_GRAVE: frozenset[Kind] = frozenset({Kind.DESTRUCTIVE, Kind.PERMISSION})


@unique
class Severity(StrEnum):
    ERROR = "error"  #: the rule cannot do what it says
    WARNING = "warning"  #: it can, and is perhaps not meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding. ``rule`` and ``line`` are None when it is about the whole file."""

    severity: Severity
    rule: str | None
    line: int | None
    message: str
    remedy: str


def check_policy(
    policy: Policy, *, verbs: Mapping[str, Verb], groups: Groups | None
) -> list[Problem]:
    """Return what is probably not meant, in the order of the file.

    *groups* are the people of each group that is known, or None when no directory was asked:
    then nothing is said about groups.
    """
    found: list[Problem] = []
    if not policy.rules:
        found.append(
            Problem(
                severity=Severity.WARNING,
                rule=None,
                line=None,
                message="there are no rules, so everything is denied",
                remedy="Add a rule for each thing that agents may propose.",
            )
        )
    for rule in policy.rules:
        declared = [verb for verb in verbs.values() if rule.verbs.match(verb.name)]
        found += _verbs(rule, verbs)
        found += _resources(rule, declared)
        found += _fields(rule, declared)
        found += _contradictions(rule)
        found += _breadth(rule, declared)
        found += _releases(rule, declared)
        if isinstance(rule.effect, Hold):
            found += _people(rule, rule.effect.approval, groups)
    found += _useless(policy.rules)
    found += _at_odds(policy.rules, verbs)
    return sorted(found, key=lambda problem: problem.line or 0)


def _error(rule: Rule, message: str, remedy: str) -> Problem:
    return Problem(
        severity=Severity.ERROR, rule=rule.id, line=rule.line, message=message, remedy=remedy
    )


def _warning(rule: Rule, message: str, remedy: str) -> Problem:
    return Problem(
        severity=Severity.WARNING, rule=rule.id, line=rule.line, message=message, remedy=remedy
    )


def _verbs(rule: Rule, verbs: Collection[str]) -> Iterator[Problem]:
    for glob in rule.verbs.globs:
        if glob != "*" and not globs_overlap([glob], verbs):
            is_name = glob in rule.verbs.exact
            yield (_error if is_name else _warning)(
                rule,
                f"no connector declares {'the verb' if is_name else 'a verb like'} {glob}",
                "Correct the name (keyturn doctor lists the verbs), or configure its connector.",
            )


def _resources(rule: Rule, declared: Sequence[Verb]) -> Iterator[Problem]:
    if declared and not any(globs_overlap(rule.resources.globs, v.resources) for v in declared):
        known = ", ".join(sorted({glob for verb in declared for glob in verb.resources}))
        yield _error(
            rule,
            f"the rule never matches: its verbs have no resource like "
            f"{', '.join(rule.resources.globs)}",
            f"Name a resource that these verbs have: {known}.",
        )


def _fields(rule: Rule, declared: Sequence[Verb]) -> Iterator[Problem]:
    for path in dict.fromkeys(condition.path for condition in rule.where):
        answers = {_has(verb.params_schema, path) for verb in declared}
        spelled = next(c.spelled for c in rule.where if c.path == path)
        if answers == {Truth.NO}:
            yield _error(
                rule,
                f"no verb of this rule takes {spelled}",
                "Correct the path: it follows the params of the verb, as GET /v1/verbs shows them.",
            )
        elif answers and Truth.YES not in answers:
            yield _warning(
                rule,
                f"no verb of this rule declares {spelled}, though one may take it",
                "Check the spelling, or declare the field in the verb's params schema.",
            )


def _has(schema: Json, path: Sequence[str]) -> Truth:
    """Return whether params of *schema* can have *path*, or that the schema does not tell."""
    for step in path:
        if not isinstance(schema, Mapping):
            return Truth.NO if schema is False else Truth.UNKNOWN
        if {"$ref", "allOf", "anyOf", "oneOf", "if", "patternProperties"} & schema.keys():
            return Truth.UNKNOWN
        properties = schema.get("properties", {})
        if isinstance(properties, Mapping) and step in properties:
            schema = properties[step]
        elif step.isdecimal() and "items" in schema:
            schema = schema["items"]
        else:
            return Truth.NO if schema.get("additionalProperties") is False else Truth.UNKNOWN
    return Truth.NO if schema is False else Truth.YES


def _contradictions(rule: Rule) -> Iterator[Problem]:
    by_path: dict[tuple[str, ...], list[Condition]] = {}
    for condition in rule.where:
        by_path.setdefault(condition.path, []).append(condition)
    for conditions in by_path.values():
        if _cannot_all_hold(conditions):
            yield _error(
                rule,
                f"no value of {conditions[0].spelled} meets all conditions on it",
                "Take away one of the conditions on it.",
            )


def _cannot_all_hold(conditions: Sequence[Condition]) -> bool:
    named = _named_values(conditions)
    if named is not None:
        return not any(_meets_all(value, conditions) for value in named)
    absent = any(c.operator is Operator.EXISTS and c.operand is False for c in conditions)
    if absent:
        return not _meets_all(Absent.ABSENT, conditions)
    return _no_number_between(conditions)


def _named_values(conditions: Sequence[Condition]) -> Sequence[object] | None:
    """Return the only values that can meet *conditions*, where they are named."""
    for condition in conditions:
        if condition.operator is Operator.EQ:
            return [condition.operand]
        if condition.operator is Operator.IN:
            return cast("Sequence[object]", condition.operand)
    return None


def _meets_all(value: object, conditions: Sequence[Condition]) -> bool:
    return all(condition.test(value) is Truth.YES for condition in conditions)


def _no_number_between(conditions: Sequence[Condition]) -> bool:
    least: tuple[float, bool] = (float("-inf"), False)
    most: tuple[float, bool] = (float("inf"), False)
    for condition in conditions:
        match condition.operator:
            case Operator.GT | Operator.GE:
                bound = (cast("float", condition.operand), condition.operator is Operator.GT)
                least = max(least, bound)
            case Operator.LT | Operator.LE:
                bound = (cast("float", condition.operand), condition.operator is not Operator.LT)
                most = min(most, bound)
            case _:
                pass
    return least[0] > most[0] or (least[0] == most[0] and (least[1] or not most[1]))


def _breadth(rule: Rule, declared: Sequence[Verb]) -> Iterator[Problem]:
    if not isinstance(rule.effect, Allow):
        return
    if rule.verbs.everything:
        yield _warning(
            rule,
            "the rule allows every verb, also those that are added later",
            "Name the verbs, or hold instead of allow.",
        )
        return
    grave = sorted(verb.name for verb in declared if verb.kind in _GRAVE)
    if grave:
        yield _warning(
            rule,
            f"the rule lets agents destroy data or change permissions without asking anybody: "
            f"{', '.join(grave)}",
            "Hold these verbs instead, or name the others one by one.",
        )


def _releases(rule: Rule, declared: Sequence[Verb]) -> Iterator[Problem]:
    if isinstance(rule.effect, Deny):
        return
    released = {verb.name: verb.release.audience for verb in declared if verb.release is not None}
    for audience in sorted(set(rule.effect.release) - set(released.values())):
        yield _warning(
            rule,
            f"no verb of this rule is released to {audience}",
            "Correct the audience: a connector of the type release names it.",
        )
    for verb, audience in sorted(released.items()):
        if verb in rule.verbs.exact and audience not in rule.effect.release:
            yield _warning(
                rule,
                f"{verb} can only be released, and this rule does not: it is denied",
                f"Add release: [{audience}] to the effect, or deny it with a reason.",
            )


def _people(rule: Rule, approval: Approval, groups: Groups | None) -> Iterator[Problem]:
    if groups is not None:
        for name in sorted(approval.groups() - groups.keys()):
            yield _error(
                rule,
                f"the group {name} is not known, so nobody in it can decide",
                "Correct the name, or add the group to the directory.",
            )
    terms = (*approval.approvers, *approval.exclude)
    if groups is None and any(term.startswith(GROUP_PREFIX) for term in terms):
        return
    people = _named(approval.approvers, groups or {}) - _named(approval.exclude, groups or {})
    if approval.mode is ApprovalMode.FOUR_EYES:
        if len(people) < approval.count:
            yield _error(
                rule,
                f"the quorum cannot be reached: it takes {approval.count} people, "
                f"and {len(people)} may decide",
                "Lower count, or add people to the approvers.",
            )
        elif len(people) == approval.count:
            yield _warning(
                rule,
                "nobody is to spare: when the principal or the agent's owner is one of the "
                "approvers, the quorum cannot be reached",
                "Add people to the approvers, or lower count.",
            )
    elif not people and all(
        term.startswith((GROUP_PREFIX, PERSON_PREFIX))
        for term in set(approval.approvers) - set(approval.exclude)
    ):
        yield _error(rule, "nobody may decide", "Add people to the approvers.")


def _named(terms: Sequence[str], groups: Groups) -> frozenset[PersonId]:
    people: set[PersonId] = set()
    for term in terms:
        if term.startswith(GROUP_PREFIX):
            people |= groups.get(term.removeprefix(GROUP_PREFIX), frozenset())
        elif term.startswith(PERSON_PREFIX):
            people.add(PersonId(term.removeprefix(PERSON_PREFIX)))
    return frozenset(people)


def _useless(rules: Sequence[Rule]) -> Iterator[Problem]:
    for place, rule in enumerate(rules):
        for other_place, other in enumerate(rules):
            if other_place == place or not makes_useless(other, rule):
                continue
            # Of two that say the same, the first stays.
            if other_place > place and makes_useless(rule, other):
                continue
            yield _warning(
                rule,
                f"the rule changes nothing: {other.id} (line {other.line}) matches whenever it "
                "does and is as strict",
                "Take one of the two away, or narrow the other one.",
            )
            break


def _at_odds(rules: Sequence[Rule], verbs: Collection[str]) -> Iterator[Problem]:
    holding = [(rule, rule.effect) for rule in rules if isinstance(rule.effect, Hold)]
    for (one, hold), (other, other_hold) in combinations(holding, 2):
        if not isinstance(combined(hold, other_hold), Deny) or not _may_meet(one, other):
            continue
        shared = [verb for verb in verbs if one.verbs.match(verb) and other.verbs.match(verb)]
        if shared:
            yield _warning(
                other,
                f"{one.id} (line {one.line}) may hold the same proposal for different people; "
                f"where both match ({', '.join(sorted(shared))}), it is denied",
                "Name a common approver in both, or let only one of them match.",
            )


def _may_meet(one: Rule, other: Rule) -> bool:
    return (
        globs_overlap(one.agents.globs, other.agents.globs)
        and globs_overlap(one.resources.globs, other.resources.globs)
        and not _cannot_all_meet(one, other)
    )


def _cannot_all_meet(one: Rule, other: Rule) -> bool:
    paths = {c.path for c in one.where} & {c.path for c in other.where}
    return any(
        _cannot_all_hold([c for c in (*one.where, *other.where) if c.path == path])
        for path in paths
    )
