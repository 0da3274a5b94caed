"""Rules release only what each of them releases, and nothing by default."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.approval import Approval, ApprovalMode
from bot.core.canonical import sha256_digest
from bot.core.errors import PolicyInvalid
from bot.core.ids import AgentId, PersonId
from bot.core.policy import Allow, Deny, Hold, Policy, Question, Rule, Verdict, combined, evaluate
from bot.core.policy_cover import makes_useless
from bot.core.policy_file import parse_policy
from bot.core.policy_lint import check_policy
from bot.core.policy_match import Condition, Globs
from bot.core.policy_operators import Operator
from bot.core.verbs import Kind, Release, Verb

PAY, SIGN = "https://pay.example", "https://sign.example"
QUESTION = Question(
    agent="teller",
    agent_id=AgentId("agt_1"),
    principal=PersonId("per_1"),
    verb="payment.send",
    resource="account:1",
    kind=Kind.WRITE,
    params={},
)
VERB = Verb(
    name="payment.send",
    connector="payments",
    kind=Kind.WRITE,
    summary="",
    params_schema={"type": "object"},
    config_digest=sha256_digest(b""),
    release=Release(audience=PAY),
)


def rule(effect: Verdict, *where: Condition, line: int = 1) -> Rule:
    return Rule(
        id=f"r{line}",
        agents=Globs(("*",)),
        verbs=Globs(("*",)),
        resources=Globs(("*",)),
        where=where,
        effect=effect,
        line=line,
    )


def verdict(*effects: Verdict) -> Verdict:
    rules = tuple(rule(effect, line=line) for line, effect in enumerate(effects, start=1))
    return evaluate(Policy(digest=sha256_digest(b""), text="", rules=rules), QUESTION)


def released(found: Verdict) -> tuple[str, ...]:
    return () if isinstance(found, Deny) else found.release


audiences = st.lists(st.sampled_from([PAY, SIGN, "third"]), unique=True).map(tuple)
effects = st.one_of(
    audiences.map(lambda release: Allow(release=release)),
    audiences.map(lambda release: Hold(approval=Approval(), release=release)),
)


@given(st.lists(effects, min_size=1, max_size=4))
def test_what_is_released_is_what_every_rule_releases(made: list[Allow | Hold]) -> None:
    found = released(verdict(*made))

    assert set(found) == set.intersection(*(set(effect.release) for effect in made))


@given(st.lists(effects, min_size=1, max_size=3), effects)
def test_a_rule_more_never_releases_more(made: list[Allow | Hold], more: Allow | Hold) -> None:
    assert set(released(verdict(*made, more))) <= set(released(verdict(*made)))


def test_by_default_nothing_is_released() -> None:
    policy = parse_policy(
        "version: 1\nrules:\n"
        "  - {id: a, verbs: ['*'], effect: allow}\n"
        "  - {id: b, verbs: ['*'], effect: {hold: {}}}\n"
    )

    assert [released(one.effect) for one in policy.rules] == [(), ()]


def test_a_rule_that_cannot_be_evaluated_releases_nothing_more() -> None:
    unclear = Condition("params.amount", Operator.GT, 5)
    hold = Hold(approval=Approval(), release=(PAY,))
    rules = (rule(Allow(release=(PAY, SIGN))), rule(hold, unclear, line=2))

    found = evaluate(Policy(digest=sha256_digest(b""), text="", rules=rules), QUESTION)

    assert isinstance(found, Hold)
    assert found.release == (PAY,)


def test_two_holds_release_what_both_release() -> None:
    four_eyes = Approval(mode=ApprovalMode.FOUR_EYES, approvers=("group:x",), count=2)
    one = Hold(approval=Approval(), release=(PAY, SIGN), rules=("a",))
    other = Hold(approval=four_eyes, release=(SIGN,), rules=("b",))

    both = combined(one, other)

    assert isinstance(both, Hold)
    assert both.release == (SIGN,)


@pytest.mark.parametrize(("wide", "narrow"), list(product([(), (PAY,)], repeat=2)))
def test_a_rule_that_narrows_a_release_is_not_useless(
    wide: tuple[str, ...], narrow: tuple[str, ...]
) -> None:
    one, other = rule(Allow(release=wide)), rule(Allow(release=narrow), line=2)

    changes = released(verdict(Allow(release=wide), Allow(release=narrow))) != wide

    assert makes_useless(one, other) is not changes


@pytest.mark.parametrize(
    "effect",
    [
        "{allow: {release: []}}",
        "{allow: {release: https://pay.example}}",
        "{allow: {release: [a b]}}",
        "{allow: {release: [a, a]}}",
        "{allow: {release: ['']}}",
        "{allow: {releases: [a]}}",
        "{hold: {release: [3]}}",
        "{hold: {}, allow: {release: [a]}}",
    ],
)
def test_a_malformed_release_refuses_to_load(effect: str) -> None:
    with pytest.raises(PolicyInvalid):
        parse_policy(f"version: 1\nrules:\n  - {{id: a, verbs: ['*'], effect: {effect}}}\n")


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        ("allow", ["payment.send can only be released, and this rule does not: it is denied"]),
        (f"{{allow: {{release: ['{PAY}']}}}}", []),
        (
            f"{{hold: {{release: ['{PAY}', elsewhere]}}}}",
            ["no verb of this rule is released to elsewhere"],
        ),
        ("deny", []),
    ],
)
def test_the_check_finds_releases_that_are_not_meant(effect: str, said: list[str]) -> None:
    policy = parse_policy(
        f"version: 1\nrules:\n  - {{id: a, verbs: [payment.send], effect: {effect}}}\n"
    )

    found = check_policy(policy, verbs={VERB.name: VERB}, groups=None)

    assert [one.message for one in found] == said
