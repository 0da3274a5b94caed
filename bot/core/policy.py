"""The policy's word on one question: allow, hold for people, or deny.

All rules that match combine to the strictest, and nothing that matches is a denial. A rule
whose condition cannot be evaluated permits nothing and restricts as if it matched:

- a rule that denies, denies;
- a rule that holds, holds what another rule lets through, but lets nothing through itself;
- a rule that allows, does not.

Holds combine to one that satisfies each of them: see `combined`. What is released is what each
matching rule that does not deny releases.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, assert_never

from bot.core.approval import AGENT_OWNER, PRINCIPAL, Approval, ApprovalMode
from bot.core.canonical import Digest, Json
from bot.core.ids import AgentId, PersonId
from bot.core.policy_match import Condition, Globs, Index, value_at
from bot.core.policy_operators import Absent, Truth
from bot.core.verbs import Kind

NO_RULE: Final = "no rule allows this"
NOT_EVALUATED: Final = "the policy could not be evaluated"

#: Of how many pairs of an agent and a verb a policy remembers the rules.
_PAIRS_REMEMBERED: Final = 4096

#: People whom four eyes always leave out.
STAKEHOLDERS: Final = frozenset({PRINCIPAL, AGENT_OWNER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked; ``agent`` is the agent's name, which is what rules speak of."""

    agent: str
    agent_id: AgentId
    principal: PersonId
    verb: str
    resource: str
    kind: Kind
    params: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """It may be done at once. ``rules`` are the ids of all matching rules, in the file's order.

    ``release`` are the audiences to which it may be released; nothing named means to none.
    """

    release: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """People decide. ``rules`` and ``release`` are those of an `Allow`."""

    approval: Approval
    release: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """It is refused. ``reason`` is told to the agent, so it never names people."""

    reason: str
    rules: tuple[str, ...] = ()


Verdict: TypeAlias = Allow | Hold | Deny


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; ``effect`` is the verdict that it gives alone, ``line`` is where it begins."""

    id: str
    agents: Globs
    verbs: Globs
    resources: Globs
    where: tuple[Condition, ...] = ()
    effect: Verdict
    line: int

    def match(self, question: Question) -> Truth:
        """Return whether the rule matches, or that a condition cannot be evaluated."""
        if not self.is_about(agent=question.agent, verb=question.verb):
            return Truth.NO
        return self.match_target(question)

    def is_about(self, *, agent: str, verb: str) -> bool:
        return self.agents.match(agent) and self.verbs.match(verb)

    def match_target(self, question: Question) -> Truth:
        """Return what `match` does for a question whose agent and verb the rule is about."""
        if not self.resources.match(question.resource):
            return Truth.NO
        truth = Truth.YES
        for condition in self.where:
            answer = condition.check(question.params)
            if answer is Truth.NO:
                return Truth.NO
            if answer is Truth.UNKNOWN:
                truth = Truth.UNKNOWN
        return truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Rules, in the order of the file; ``digest`` is over ``text``, the file's exact content."""

    digest: Digest
    text: str
    rules: tuple[Rule, ...]
    _agents: Index = field(init=False, repr=False, compare=False)
    _verbs: Index = field(init=False, repr=False, compare=False)
    _about: dict[tuple[str, str], Sequence[Rule]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_agents", Index([rule.agents for rule in self.rules]))
        object.__setattr__(self, "_verbs", Index([rule.verbs for rule in self.rules]))

    def about(self, *, agent: str, verb: str) -> Sequence[Rule]:
        """Return every rule about *agent* and *verb*, in the file's order."""
        known = self._about.get((agent, verb))
        if known is not None:
            return known
        places = self._verbs.places(verb) & self._agents.places(agent)
        rules = [self.rules[place] for place in sorted(places)]
        found = tuple(rule for rule in rules if rule.is_about(agent=agent, verb=verb))
        if len(self._about) >= _PAIRS_REMEMBERED:
            self._about.clear()
        self._about[agent, verb] = found
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleExplanation:
    """What became of one rule; ``why_not`` names the first thing that did not match.

    ``counted`` tells whether the rule had a part in the verdict.
    """

    rule: Rule
    match: Truth
    counted: bool
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Each rule in the file's order, and the verdict."""

    rules: tuple[RuleExplanation, ...]
    verdict: Verdict


def evaluate(policy: Policy, question: Question) -> Verdict:
    """Return the policy's word on *question*; an error while evaluating is a denial."""
    try:
        return _combine(
            [
                (rule, truth)
                for rule in policy.about(agent=question.agent, verb=question.verb)
                if (truth := rule.match_target(question)) is not Truth.NO
            ]
        )
    except Exception:  # noqa: BLE001  whatever failed, the answer is no
        return Deny(reason=NOT_EVALUATED)


def explain(policy: Policy, question: Question) -> Explanation:
    """Return `evaluate`'s verdict and how each rule came to it."""
    verdict = evaluate(policy, question)
    return Explanation(
        verdict=verdict,
        rules=tuple(
            RuleExplanation(
                rule=rule,
                match=_match(rule, question),
                counted=rule.id in verdict.rules,
                why_not=_why_not(rule, question),
            )
            for rule in policy.rules
        ),
    )


def combined(first: Hold, second: Hold) -> Hold | Deny:
    """Return the hold that satisfies both, or a denial where none does.

    Four eyes outrank asking the principal alone. Otherwise whoever satisfies it satisfies each
    of the two: the approvers are the terms that both name. The count is the larger, everyone
    either leaves out is left out, the clocks are the shorter, and it is released only where
    both release it.
    """
    one, other = first.approval, second.approval
    mode = ApprovalMode.CONFIRM
    if ApprovalMode.FOUR_EYES in (one.mode, other.mode):
        mode = ApprovalMode.FOUR_EYES
    exclude = tuple(dict.fromkeys(one.exclude + other.exclude))
    left_out = frozenset(exclude)
    if mode is ApprovalMode.FOUR_EYES:
        left_out |= STAKEHOLDERS
    approvers = tuple(term for term in _common(one, other) if term not in left_out)
    rules = first.rules + second.rules
    if not approvers:
        return Deny(reason=_at_odds(rules), rules=rules)
    approval = Approval(
        mode=mode,
        approvers=approvers,
        count=max(one.count, other.count),
        exclude=exclude,
        expires_s=min(one.expires_s, other.expires_s),
        use_within_s=min(one.use_within_s, other.use_within_s),
    )
    return Hold(approval=approval, release=_shared((first.release, second.release)), rules=rules)


def _shared(releases: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the audiences that each of *releases* names."""
    first, *others = releases
    return tuple(audience for audience in first if all(audience in other for other in others))


def _common(one: Approval, other: Approval) -> tuple[str, ...]:
    """Return the approver terms that satisfy both, before anybody is left out."""
    if _outranks(one, other):
        return one.approvers
    if _outranks(other, one):
        return other.approvers
    return tuple(term for term in one.approvers if term in other.approvers)


def _outranks(one: Approval, other: Approval) -> bool:
    return (
        one.mode is ApprovalMode.FOUR_EYES
        and other.mode is ApprovalMode.CONFIRM
        and other.approvers == (PRINCIPAL,)
    )


def _combine(matching: Sequence[tuple[Rule, Truth]]) -> Verdict:
    denial: Deny | None = None
    holds: list[Hold] = []
    releases: list[tuple[str, ...]] = []
    permitted = False
    counted: list[str] = []
    for rule, truth in matching:
        match rule.effect:
            case Allow(release=release):
                if truth is Truth.UNKNOWN:
                    continue
                permitted = True
                releases.append(release)
            case Hold(approval=approval, release=release):
                permitted = permitted or truth is Truth.YES
                holds.append(Hold(approval=approval, rules=(rule.id,)))
                releases.append(release)
            case Deny() as deny:
                denial = denial or deny
            case _:
                assert_never(rule.effect)
        counted.append(rule.id)
    rules = tuple(counted)
    if denial is not None:
        return Deny(reason=denial.reason, rules=rules)
    if not permitted:
        return Deny(reason=NO_RULE)
    release = _shared(releases)
    if not holds:
        return Allow(release=release, rules=rules)
    held = _all_of(holds)
    match held:
        case Hold(approval=approval):
            return Hold(approval=approval, release=release, rules=rules)
        case Deny(reason=reason):
            return Deny(reason=reason, rules=rules)
        case _:
            assert_never(held)


def _all_of(holds: Sequence[Hold]) -> Hold | Deny:
    # Four eyes first: what they outrank must not be held against what they agree with.
    strictest, *others = sorted(
        holds, key=lambda hold: hold.approval.mode is not ApprovalMode.FOUR_EYES
    )
    for hold in others:
        both = combined(strictest, hold)
        if isinstance(both, Deny):
            return both
        strictest = both
    return strictest


def _at_odds(rules: Sequence[str]) -> str:
    names = f"{', '.join(rules[:-1])} and {rules[-1]}"
    return f"the rules {names} hold this for different people and cannot be combined"


def _match(rule: Rule, question: Question) -> Truth:
    try:
        return rule.match(question)
    except Exception:  # noqa: BLE001  as in `evaluate`: the question itself is malformed
        return Truth.UNKNOWN


def _why_not(rule: Rule, question: Question) -> str:
    try:
        return _first_mismatch(rule, question)
    except Exception:  # noqa: BLE001  as in `evaluate`: the question itself is malformed
        return NOT_EVALUATED


def _first_mismatch(rule: Rule, question: Question) -> str:
    for word, globs, value in (
        ("agent", rule.agents, question.agent),
        ("verb", rule.verbs, question.verb),
        ("resource", rule.resources, question.resource),
    ):
        if not globs.match(value):
            return f"the {word} {value} is not in {', '.join(globs.globs)}"
    answers = [(condition, condition.check(question.params)) for condition in rule.where]
    for condition, answer in answers:
        if answer is Truth.NO:
            return f"{condition.spelled} is not {_asked(condition)}"
    for condition, answer in answers:
        if answer is Truth.UNKNOWN:
            absent = value_at(question.params, condition.path) is Absent.ABSENT
            why = "is missing" if absent else f"cannot be compared with {_asked(condition)}"
            return f"{condition.spelled} {why}"
    return ""


def _asked(condition: Condition) -> str:
    return f"{condition.operator.value} {condition.operand!r}"
