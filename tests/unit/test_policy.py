from dataclasses import replace
from itertools import combinations, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.approval import Approval, ApprovalMode, Stakes, eligible
from bot.core.canonical import sha256_digest
from bot.core.ids import AgentId, PersonId
from bot.core.policy import (
    NO_RULE,
    NOT_EVALUATED,
    Allow,
    Deny,
    Hold,
    Policy,
    Question,
    Rule,
    Verdict,
    combined,
    evaluate,
    explain,
)
from bot.core.policy_match import Condition, Globs
from bot.core.policy_operators import Operator, Truth
from bot.core.verbs import Kind

SECURITY = Approval(mode=ApprovalMode.FOUR_EYES, approvers=("group:security",), count=2)


def policy(*rules: Rule) -> Policy:
    return Policy(digest=sha256_digest(b""), text="", rules=rules)


def rule(
    id: str,
    effect: Verdict,
    *where: Condition,
    verbs: tuple[str, ...] = ("forum.*",),
    line: int = 1,
) -> Rule:
    return Rule(
        id=id,
        agents=Globs(("*",)),
        verbs=Globs(verbs),
        resources=Globs(("*",)),
        where=where,
        effect=effect,
        line=line,
    )


def question(**params: Any) -> Question:
    return Question(
        agent="forum-analyst",
        agent_id=AgentId("agt_1"),
        principal=PersonId("per_dana"),
        verb="forum.post",
        resource="forum:general",
        kind=Kind.WRITE,
        params=params,
    )


PUBLIC = Condition("params.visibility", Operator.EQ, "public")

ALLOW, HOLD, DENY = Allow(), Hold(approval=Approval()), Deny(reason="no posts")


@pytest.mark.parametrize(
    ("rules", "params", "verdict"),
    [
        pytest.param([], {}, Deny(reason=NO_RULE), id="an-empty-policy-denies"),
        pytest.param([("a", ALLOW, ())], {}, Allow(rules=("a",)), id="allow"),
        pytest.param([("a", HOLD, ())], {}, replace(HOLD, rules=("a",)), id="hold-alone-holds"),
        pytest.param(
            [("a", ALLOW, ()), ("b", HOLD, ())],
            {},
            replace(HOLD, rules=("a", "b")),
            id="hold-over-allow",
        ),
        pytest.param(
            [("a", ALLOW, ()), ("b", DENY, ()), ("c", HOLD, ())],
            {},
            replace(DENY, rules=("a", "b", "c")),
            id="deny-over-all",
        ),
        pytest.param(
            [("a", ALLOW, (PUBLIC,))], {}, Deny(reason=NO_RULE), id="unknown-allow-allows-nothing"
        ),
        pytest.param(
            [("a", HOLD, (PUBLIC,))], {}, Deny(reason=NO_RULE), id="unknown-hold-lets-nothing-in"
        ),
        pytest.param(
            [("a", ALLOW, ()), ("b", HOLD, (PUBLIC,))],
            {"visibility": 5},
            replace(HOLD, rules=("a", "b")),
            id="unknown-hold-holds-what-is-allowed",
        ),
        pytest.param(
            [("a", ALLOW, ()), ("b", DENY, (PUBLIC,))],
            {"visibility": ["public"]},
            replace(DENY, rules=("a", "b")),
            id="unknown-deny-denies",
        ),
        pytest.param(
            [("a", ALLOW, ()), ("b", DENY, (PUBLIC,))],
            {"visibility": "private"},
            Allow(rules=("a",)),
            id="a-condition-that-is-not-met-denies-nothing",
        ),
    ],
)
def test_verdicts(
    rules: list[tuple[str, Verdict, tuple[Condition, ...]]],
    params: dict[str, Any],
    verdict: Verdict,
) -> None:
    made = policy(*(rule(name, effect, *where) for name, effect, where in rules))
    assert evaluate(made, question(**params)) == verdict


def test_one_condition_that_is_not_met_outweighs_one_that_cannot_be_evaluated() -> None:
    other = Condition("params.board", Operator.EQ, "ops")
    made = rule("a", DENY, PUBLIC, other)
    assert made.match(question(board="general")) is Truth.NO
    assert made.match(question(board="ops")) is Truth.UNKNOWN


def test_four_eyes_win_and_the_shorter_clocks_count() -> None:
    one = Approval(approvers=("principal", "group:security"), expires_s=60, exclude=("person:a",))
    other = replace(SECURITY, use_within_s=30, exclude=("person:b",))
    both = combined(Hold(approval=one, rules=("x",)), Hold(approval=other, rules=("y",)))
    assert both == Hold(
        approval=Approval(
            mode=ApprovalMode.FOUR_EYES,
            approvers=("group:security",),
            count=2,
            exclude=("person:a", "person:b"),
            expires_s=60,
            use_within_s=30,
        ),
        rules=("x", "y"),
    )


def test_four_eyes_outrank_asking_the_principal_alone() -> None:
    made = policy(rule("everything", HOLD), rule("deletions", Hold(approval=SECURITY)))
    assert evaluate(made, question()) == Hold(approval=SECURITY, rules=("everything", "deletions"))


def test_holds_for_different_people_deny_and_name_both_rules() -> None:
    editors = replace(SECURITY, approvers=("group:editors",))
    verdict = evaluate(
        policy(rule("mine", Hold(approval=editors)), rule("theirs", Hold(approval=SECURITY))),
        question(),
    )
    assert verdict == Deny(
        reason="the rules mine and theirs hold this for different people and cannot be combined",
        rules=("mine", "theirs"),
    )


def test_four_eyes_that_only_a_stakeholder_is_left_to_open_deny() -> None:
    one = Hold(approval=Approval(approvers=("principal", "group:security")), rules=("x",))
    stake = replace(SECURITY, approvers=("principal", "agent_owner"))
    assert isinstance(combined(one, Hold(approval=stake, rules=("y",))), Deny)


PEOPLE = tuple(PersonId(f"per_{name}") for name in "pqrst")
TERMS = ("principal", "agent_owner", "group:g", "group:h", "person:per_s", "person:per_t")
STAKES = Stakes(principal=PEOPLE[0], owner=PEOPLE[1])

approvals = st.builds(
    Approval,
    mode=st.sampled_from(ApprovalMode),
    approvers=st.lists(st.sampled_from(TERMS), min_size=1, unique=True).map(tuple),
    count=st.integers(1, 3),
    exclude=st.lists(st.sampled_from(TERMS), max_size=2, unique=True).map(tuple),
    expires_s=st.integers(10, 100),
    use_within_s=st.integers(10, 100),
)
holds = st.builds(Hold, approval=approvals, rules=st.just(("r",)))
memberships = st.fixed_dictionaries(
    {"g": st.frozensets(st.sampled_from(PEOPLE)), "h": st.frozensets(st.sampled_from(PEOPLE))}
)


@given(holds, holds, memberships)
def test_whoever_satisfies_a_combination_satisfies_each_rule(
    one: Hold, other: Hold, membership: dict[str, frozenset[PersonId]]
) -> None:
    both = combined(one, other)
    if isinstance(both, Deny):
        return
    may = eligible(both.approval, STAKES, membership)
    for single in (one.approval, other.approval):
        assert both.approval.count >= single.count
        if single.approvers == ("principal",) and single.mode is ApprovalMode.CONFIRM:
            assert both.approval.mode is ApprovalMode.FOUR_EYES or may <= {STAKES.principal}
        else:
            assert may <= eligible(single, STAKES, membership)
        assert both.approval.expires_s <= single.expires_s
        assert both.approval.use_within_s <= single.use_within_s


effects = st.one_of(
    st.just(ALLOW),
    st.just(DENY),
    st.builds(
        Hold,
        approval=st.sampled_from(
            [Approval(), SECURITY, Approval(approvers=("principal", "group:security"))]
        ),
    ),
)
conditions = st.builds(
    Condition,
    st.sampled_from(["params.a", "params.b"]),
    st.sampled_from([Operator.EQ, Operator.NE]),
    st.sampled_from(["x", "y"]),
)
rules = st.lists(
    st.builds(
        lambda effect, where: rule("r", effect, *where), effects, st.lists(conditions, max_size=2)
    ),
    max_size=5,
)
values = st.sampled_from(["x", "y"])


def at_least_as_strict(one: Verdict, other: Verdict) -> bool:
    """Whether *one* lets through nothing that *other* does not."""
    match one, other:
        case (Deny(), _) | (_, Allow()):
            return True
        case Hold(approval=a), Hold(approval=b):
            outranks = a.mode is ApprovalMode.FOUR_EYES and b == Approval()
            return outranks or (a.count >= b.count and set(a.approvers) <= set(b.approvers))
        case _:
            return False


@given(rules, values, values, st.sampled_from(["a", "b"]), st.sampled_from([None, 5, [], "gone"]))
def test_a_param_that_cannot_be_evaluated_never_weakens_the_verdict(
    made: list[Rule], a: str, b: str, broken: str, into: Any
) -> None:
    asked = {"a": a, "b": b}
    unclear = {**asked, broken: into}
    if into == "gone":
        del unclear[broken]
    plain = evaluate(policy(*made), question(**asked))
    assert at_least_as_strict(evaluate(policy(*made), question(**unclear)), plain)


@given(rules, rules, values, values)
def test_a_denial_more_never_weakens_the_verdict(
    made: list[Rule], more: list[Rule], a: str, b: str
) -> None:
    denials = [replace(one, effect=DENY) for one in more]
    before = evaluate(policy(*made), question(a=a, b=b))
    assert at_least_as_strict(evaluate(policy(*made, *denials), question(a=a, b=b)), before)


@given(rules, rules, values, values)
def test_a_hold_more_never_weakens_what_some_rule_already_decided(
    made: list[Rule], more: list[Rule], a: str, b: str
) -> None:
    extra = [replace(one, effect=HOLD) for one in more]
    before = evaluate(policy(*made), question(a=a, b=b))
    after = evaluate(policy(*made, *extra), question(a=a, b=b))
    if before == Deny(reason=NO_RULE):
        assert not isinstance(after, Allow)
    else:
        assert at_least_as_strict(after, before)


@given(rules, values)
def test_the_order_of_rules_changes_no_approval(made: list[Rule], a: str) -> None:
    asked = question(a=a)
    strength = {
        (type(verdict), _who(verdict))
        for order in permutations(made[:4])
        for verdict in [evaluate(policy(*order), asked)]
    }
    assert len(strength) == 1


def _who(verdict: Verdict) -> object:
    if not isinstance(verdict, Hold):
        return None
    return verdict.approval.mode, frozenset(verdict.approval.approvers), verdict.approval.count


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(rules, st.dictionaries(st.sampled_from(["a", "b", "c"]), json))
def test_no_params_make_it_raise(made: list[Rule], params: dict[str, Any]) -> None:
    assert isinstance(evaluate(policy(*made), question(**params)), (Allow, Hold, Deny))


@pytest.mark.parametrize("broken", [None, 5, [], {"a": []}])
@pytest.mark.parametrize("part", ["agent", "verb", "resource"])
def test_a_malformed_question_is_denied(part: str, broken: Any) -> None:
    asked = replace(question(), **{part: broken})
    made = policy(rule("a", ALLOW, verbs=("forum.post", "forum.*")))
    made = policy(replace(made.rules[0], agents=Globs(("x", "f*")), resources=Globs(("x", "f*"))))
    assert isinstance(evaluate(made, asked), Deny)
    assert isinstance(explain(made, asked).verdict, Deny)


def test_an_error_while_evaluating_denies() -> None:
    made = policy(rule("a", ALLOW, verbs=("*",)))
    assert evaluate(made, replace(question(), verb=None)) == Deny(reason=NOT_EVALUATED)  # type: ignore[arg-type]


def test_an_explanation_says_of_each_rule_what_became_of_it() -> None:
    made = policy(
        rule("matches", ALLOW),
        rule("other-verb", DENY, verbs=("mail.send",)),
        rule("other-value", DENY, PUBLIC),
        rule("missing", HOLD, Condition("/tag", Operator.EQ, "x")),
        rule("sort", HOLD, Condition("/visibility", Operator.LT, 5)),
    )
    explanation = explain(made, question(visibility="private"))
    assert [(one.rule.id, one.match, one.counted, one.why_not) for one in explanation.rules] == [
        ("matches", Truth.YES, True, ""),
        ("other-verb", Truth.NO, False, "the verb forum.post is not in mail.send"),
        ("other-value", Truth.NO, False, "params.visibility is not eq 'public'"),
        ("missing", Truth.UNKNOWN, True, "/tag is missing"),
        ("sort", Truth.UNKNOWN, True, "/visibility cannot be compared with lt 5"),
    ]
    assert explanation.verdict == Hold(approval=Approval(), rules=("matches", "missing", "sort"))


@given(rules, values, values)
def test_an_explanation_has_the_verdict_of_the_evaluation(made: list[Rule], a: str, b: str) -> None:
    asked = question(a=a, b=b)
    assert explain(policy(*made), asked).verdict == evaluate(policy(*made), asked)


def test_every_pair_of_effects_combines_to_the_stricter() -> None:
    rank = {Allow: 0, Hold: 1, Deny: 2}
    for one, other in combinations((ALLOW, HOLD, DENY), 2):
        verdict = evaluate(policy(rule("a", one), rule("b", other)), question())
        assert rank[type(verdict)] == max(rank[type(one)], rank[type(other)])
