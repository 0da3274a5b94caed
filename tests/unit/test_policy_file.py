import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.approval import Approval, ApprovalMode
from bot.core.canonical import sha256_digest
from bot.core.errors import InvalidInput, PolicyInvalid
from bot.core.policy import Allow, Deny, Hold
from bot.core.policy_file import parse_policy
from bot.core.policy_model import AllowTerms, HoldTerms, PolicyFile, RuleModel, duration_s
from bot.core.policy_operators import Operator

RULE = "version: 1\nrules:\n  - id: a\n    verbs: [forum.post]\n"


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyInvalid) as refused:
        parse_policy(text)
    assert refused.value.remedy
    return list(refused.value.problems)


def problems_if_any(text: str) -> tuple[str, ...]:
    try:
        parse_policy(text)
    except PolicyInvalid as refused:
        return refused.problems
    return ()


def test_a_rule_reads_as_it_is_written() -> None:
    text = """\
version: 1
rules:
  - id: public-answers
    agents: [forum-analyst]
    verbs: ["forum.post"]
    resources: ["forum:*"]
    where: {params.visibility: {in: [public, no]}, /body: {len_le: 5000}}
    effect:
      hold:
        {mode: four_eyes, approvers: ["group:sec", "person:per_1"], count: 3,
         exclude: [agent_owner], expires: 30m, use_by: 7d}
"""
    policy = parse_policy(text)
    (rule,) = policy.rules
    assert policy.text == text
    assert policy.digest == sha256_digest(text.encode())
    assert (rule.id, rule.line, rule.verbs.globs) == ("public-answers", 3, ("forum.post",))
    assert [(c.path, c.operator, c.operand) for c in rule.where] == [
        (("visibility",), Operator.IN, ["public", "no"]),
        (("body",), Operator.LEN_LE, 5000),
    ]
    assert rule.effect == Hold(
        approval=Approval(
            mode=ApprovalMode.FOUR_EYES,
            approvers=("group:sec", "person:per_1"),
            count=3,
            exclude=("agent_owner",),
            expires_s=1800,
            use_within_s=7 * 86_400,
        ),
        rules=("public-answers",),
    )


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        ("allow", Allow(rules=("a",))),
        ("deny", Deny(reason="the rule a denies this", rules=("a",))),
        ("{deny: not here}", Deny(reason="not here", rules=("a",))),
        ("{hold: {}}", Hold(approval=Approval(), rules=("a",))),
        (
            "{hold: {mode: four_eyes, approvers: ['group:x']}}",
            Hold(
                approval=Approval(mode=ApprovalMode.FOUR_EYES, approvers=("group:x",), count=2),
                rules=("a",),
            ),
        ),
    ],
)
def test_effects(effect: str, verdict: object) -> None:
    assert parse_policy(f"{RULE}    effect: {effect}\n").rules[0].effect == verdict


def test_a_policy_without_rules_loads() -> None:
    assert parse_policy("version: 1\nrules: []\n").rules == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "line 1: the file is empty: write version: 1 and rules:", id="empty"),
        pytest.param("- a", "line 1: the file takes keys: write version: 1 and rules:", id="list"),
        pytest.param(
            "version: 2\nrules: []", "line 1: version: this Keyturn reads version 1", id="version-2"
        ),
        pytest.param(
            "version: true\nrules: []", "line 1: version takes a whole number", id="version-true"
        ),
        pytest.param(
            "version: 1\nrules: {}",
            "line 2: rules takes a list, such as [a, b]",
            id="rules-mapping",
        ),
        pytest.param("version: 1", "line 1: the key rules is missing", id="no-rules"),
        pytest.param(
            "version: 1\nrules: []\n---\na: 1",
            "line 3: expected a single document in the stream, but found another document",
            id="two-documents",
        ),
        pytest.param(
            "a: &x 1\nb: *x",
            "line 1: anchors (&) and aliases (*) are not used here: write it out",
            id="anchor",
        ),
        pytest.param(
            "a: !!python/object:os.system []",
            "line 1: tags (!) are not used here: write the value alone",
            id="tag",
        ),
        pytest.param("[" * 5000, "line 1: nested deeper than 32 levels", id="deep"),
        pytest.param(
            "#" * 1_000_001, "line 1: the file is longer than 1000000 characters", id="long"
        ),
    ],
)
def test_a_file_that_is_no_policy(text: str, problem: str) -> None:
    assert problem in problems(text)


@pytest.mark.parametrize(
    ("rest", "problem"),
    [
        pytest.param("effect: permit",
                     "line 5: effect: an effect is allow, {allow: {release: [...]}}, deny, "
                     "{deny: reason} or {hold: {...}}",
                     id="unknown-effect"),
        pytest.param("effect: {allow: {}}",
                     "line 5: the key release is missing",
                     id="allow-nothing-more"),
        pytest.param("effect: {deny: a, hold: {}}", "line 5: unknown key deny; known are hold",
                     id="two-effects"),
        pytest.param("effect: {deny: ' '}",
                     "line 5: deny: a reason has 1 to 500 characters on one line",
                     id="blank-reason"),
        pytest.param("effect: {hold:}", "line 5: hold takes keys and values", id="hold-nothing"),
        pytest.param("agents: []\n    effect: allow",
                     "line 5: agents: the list is empty: name at least one, or leave the key out",
                     id="no-agents"),
        pytest.param("agents: x\n    effect: allow",
                     "line 5: agents takes a list, such as [a, b]", id="agents-text"),
        pytest.param("agents: [x, x]\n    effect: allow",
                     "line 5: agents: the list names the same twice", id="agents-twice"),
        pytest.param("agents: [5]\n    effect: allow",
                     "line 5: each of agents takes text: put it in quotation marks",
                     id="agents-number"),
        pytest.param("agent: [x]\n    effect: allow",
                     "line 5: unknown key agent; "
                     "known are id, agents, verbs, resources, where, effect", id="unknown-key"),
        pytest.param("id: b\n    effect: allow",
                     "line 5: the key id appears twice, first on line 3", id="duplicate-key"),
        pytest.param("1: b\n    effect: allow",
                     "line 5: the key 1 is not text: put it in quotation marks", id="number-key"),
        pytest.param("where: {}\n    effect: allow",
                     "line 5: where: where is empty: leave it out, "
                     "or write {params.body: {len_le: 500}}", id="where-empty"),
        pytest.param("where:\n    effect: allow", "line 5: where takes keys and values",
                     id="where-nothing"),
        pytest.param("where: {params.a: {}}\n    effect: allow",
                     "line 5: params.a: this takes an operator and a value, such as {eq: text}",
                     id="condition-empty"),
        pytest.param("where: {params.a: {is: 5}}\n    effect: allow",
                     "line 5: params.a: unknown operator is; known are eq, ne, in, not_in, lt, le, "
                     "gt, ge, matches, starts_with, exists, len_le, domain_in", id="operator"),
        pytest.param("where: {body: {eq: x}}\n    effect: allow",
                     "line 5: body: eq: this is not a path into params: "
                     "write params.body, or /body as a JSON pointer", id="path"),
        pytest.param("where: {params.a: {matches: '('}}\n    effect: allow",
                     "line 5: params.a: matches: this is not a regular expression that can be used "
                     "here: back-references, look-around and very large repetitions are not",
                     id="bad-pattern"),
        pytest.param("where: {params.a: {eq: 9007199254740993}}\n    effect: allow",
                     "line 5: an integer beyond ±(2^53-1): put it in quotation marks if it is text",
                     id="integer"),
        pytest.param("effect: {hold: {approvers: []}}",
                     "line 5: approvers: the list is empty: "
                     "name at least one, or leave the key out", id="no-approvers"),
        pytest.param("effect: {hold: {approvers: [dana]}}",
                     "line 5: each of approvers: 'dana' names nobody: "
                     "write principal, agent_owner, group:NAME or person:ID", id="term"),
        pytest.param("effect: {hold: {exclude: []}}",
                     "line 5: exclude: the list is empty: name at least one, or leave the key out",
                     id="exclude-empty"),
        pytest.param("effect: {hold: {exclude: [principal]}}",
                     "line 5: hold: exclude leaves nobody of the approvers", id="nobody-left"),
        pytest.param("effect: {hold: {mode: five_eyes}}",
                     "line 5: mode takes 'confirm' or 'four_eyes'", id="mode"),
        pytest.param("effect: {hold: {mode: four_eyes}}",
                     "line 5: hold: four_eyes needs approvers, such as [group:security]",
                     id="four-eyes-of-whom"),
        pytest.param("effect: {hold: {mode: four_eyes, approvers: [principal, 'group:a']}}",
                     "line 5: hold: four_eyes leaves out the principal and the agent's owner: "
                     "name groups or persons as approvers", id="four-eyes-of-the-principal"),
        pytest.param("effect: {hold: {count: 2}}",
                     "line 5: hold: confirm asks one person: "
                     "leave count out, or use mode: four_eyes", id="confirm-by-two"),
        pytest.param("effect: {hold: {count: 0}}", "line 5: count takes 1 or more", id="count-0"),
        pytest.param("effect: {hold: {count: true}}", "line 5: count takes a whole number",
                     id="count-true"),
        pytest.param("effect: {hold: {expires: 9s}}",
                     "line 5: expires: 9s is out of range: from 10s to 30d", id="expires-short"),
        pytest.param("effect: {hold: {expires: 31d}}",
                     "line 5: expires: 31d is out of range: from 10s to 30d", id="expires-long"),
        pytest.param("effect: {hold: {use_by: 8d}}",
                     "line 5: use_by: 8d is out of range: from 10s to 7d", id="use-by-long"),
        pytest.param("effect: {hold: {expires: 30}}",
                     "line 5: expires: this takes a duration: write 90s, 30m, 2h or 7d",
                     id="no-unit"),
    ],
)  # fmt: skip
def test_a_rule_that_refuses_to_load(rest: str, problem: str) -> None:
    assert problems(f"{RULE}    {rest}\n") == [problem]


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    found = problems(
        "version: 1\n"
        "rules:\n"
        "  - id: a\n"
        "    verbs: []\n"
        "    where: {params.x: {like: 1, lt: a}}\n"
        "    effect: {hold: {expires: 1y, mod: confirm}}\n"
        "  - id: a\n"
        "    effect: allow\n"
        "    effect: deny\n"
        "more: 1\n"
    )
    assert [int(line.split()[1].rstrip(":")) for line in found] == [4, 5, 5, 6, 6, 7, 7, 9, 10]
    assert "line 7: the rule id a is used twice, first on line 3" in found
    assert "line 7: the key verbs is missing" in found


def test_words_that_old_yaml_takes_for_booleans_numbers_and_dates_are_text() -> None:
    text = RULE + "    where: {params.a: {in: [no, on, 1:30, 0o17, 2026-01-01, .inf]}}\n"
    (condition,) = parse_policy(text + "    effect: deny\n").rules[0].where
    assert condition.operand == ["no", "on", "1:30", "0o17", "2026-01-01", ".inf"]


@given(st.text())
def test_no_text_makes_it_fail_in_another_way(text: str) -> None:
    assert all(re.match(r"line [0-9]+: .", problem) for problem in problems_if_any(text))


yaml_values = st.recursive(
    st.sampled_from(["a", "1", "null", "true", "allow", "{}", "[]", "principal"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(
            st.sampled_from(["id", "verbs", "where", "effect", "hold", "deny", "mode", "/a", "eq"]),
            inner,
            max_size=4,
        ).map(lambda d: "{" + ", ".join(f"{k}: {v}" for k, v in d.items()) + "}")
    ),
    max_leaves=12,
)


@given(st.lists(yaml_values, max_size=3))
def test_no_shape_makes_it_fail_in_another_way(rules: list[str]) -> None:
    text = "version: 1\nrules:\n" + "".join(f"  - {rule}\n" for rule in rules)
    assert all(re.match(r"line [0-9]+: .", problem) for problem in problems_if_any(text))


@pytest.mark.parametrize(
    ("written", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("7d", 604_800)]
)
def test_durations(written: str, seconds: int) -> None:
    assert duration_s(written) == seconds


@pytest.mark.parametrize("written", ["", "0s", "1", "1w", "1h30m", "-1s", " 1s", "1s\n", "1.5h"])
def test_what_is_no_duration(written: str) -> None:
    with pytest.raises(InvalidInput):
        duration_s(written)


def _documented(repo: Path) -> str:
    return (repo / "docs/reference/policy.md").read_text(encoding="utf-8")


def test_every_example_in_the_reference_loads(repo: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", _documented(repo), re.DOTALL)
    assert len(examples) >= 5
    for example in examples:
        assert parse_policy(example).rules


def test_every_key_and_operator_is_in_the_reference(repo: Path) -> None:
    reference = _documented(repo)
    models = (PolicyFile, RuleModel, AllowTerms, HoldTerms)
    names = [name for model in models for name in model.model_fields]
    missing = [name for name in (*names, *Operator) if f"| `{name}` |" not in reference]
    assert missing == []
