from collections.abc import Mapping

import pytest

from bot.core.canonical import Json, sha256_digest
from bot.core.ids import PersonId
from bot.core.policy_file import parse_policy
from bot.core.policy_lint import Severity, check_policy
from bot.core.verbs import Kind, Verb

ANA, BEN, CAT = (PersonId(f"per_{name}") for name in ("ana", "ben", "cat"))
GROUPS = {"security": frozenset({ANA, BEN, CAT}), "pair": frozenset({ANA, BEN})}


def verb(name: str, kind: Kind, properties: Mapping[str, Json], *, closed: bool = True) -> Verb:
    return Verb(
        name=name,
        connector=name.partition(".")[0],
        kind=kind,
        summary="",
        params_schema={
            "type": "object",
            "properties": properties,
            **({"additionalProperties": False} if closed else {}),
        },
        resources=("forum:*",),
        config_digest=sha256_digest(b""),
    )


VERBS = {
    one.name: one
    for one in (
        verb("forum.post", Kind.WRITE, {"body": {}, "to": {"items": {"type": "string"}}}),
        verb("forum.delete", Kind.DESTRUCTIVE, {"reason": {}}),
        verb("forum.note", Kind.WRITE, {"body": {}}, closed=False),
    )
}


def findings(rules: str) -> list[tuple[Severity, str | None, str]]:
    policy = parse_policy("version: 1\nrules:\n" + rules)
    return [
        (found.severity, found.rule, found.message)
        for found in check_policy(policy, verbs=VERBS, groups=GROUPS)
    ]


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param("  - {id: a, verbs: [forum.post], effect: {hold: {}}}", id="hold"),
        pytest.param("  - {id: a, verbs: [forum.post, forum.note], effect: allow}", id="allow"),
        pytest.param("  - {id: a, verbs: ['*'], effect: deny}", id="deny-all"),
        pytest.param(
            "  - {id: a, verbs: [forum.post], where: {/to/0: {eq: x}}, effect: deny}", id="item"
        ),
        pytest.param(
            "  - {id: a, verbs: ['forum.*'], where: {/body: {eq: x}}, effect: deny}",
            id="a-field-of-some",
        ),
        pytest.param(
            "  - {id: a, verbs: [forum.post], agents: [x], effect: {hold: {}}}\n"
            "  - {id: b, verbs: [forum.post], agents: [y], effect: "
            "{hold: {mode: four_eyes, approvers: ['group:security']}}}",
            id="holds-that-never-meet",
        ),
        pytest.param(
            "  - {id: a, verbs: [forum.post], where: {/body: {eq: x}}, effect: {hold: {}}}\n"
            "  - {id: b, verbs: [forum.post], where: {/body: {eq: y}}, effect: "
            "{hold: {mode: four_eyes, approvers: ['group:security']}}}",
            id="holds-that-never-meet-in-one-value",
        ),
        pytest.param(
            "  - {id: a, verbs: [forum.post], effect: {hold: {}}}\n"
            "  - {id: b, verbs: ['forum.*'], where: {/body: {eq: x}}, effect: deny}",
            id="no-shadow",
        ),
    ],
)
def test_what_is_meant_is_left_alone(rules: str) -> None:
    assert findings(rules) == []


@pytest.mark.parametrize(
    ("rules", "severity", "message"),
    [
        pytest.param(
            "  - {id: a, verbs: [forum.past], effect: deny}",
            "error", "no connector declares the verb forum.past", id="unknown-verb",
        ),
        pytest.param(
            "  - {id: a, verbs: ['mail.*'], effect: deny}",
            "warning", "no connector declares a verb like mail.*", id="unknown-verbs",
        ),
        pytest.param(
            "  - {id: a, verbs: [forum.post], resources: ['mail:*'], effect: deny}",
            "error", "the rule never matches: its verbs have no resource like mail:*",
            id="resource",
        ),
        pytest.param(
            "  - {id: a, verbs: [forum.post], where: {params.bdy: {eq: x}}, effect: deny}",
            "error", "no verb of this rule takes params.bdy", id="unknown-field",
        ),
        pytest.param(
            "  - {id: a, verbs: [forum.note], where: {params.bdy: {eq: x}}, effect: deny}",
            "warning", "no verb of this rule declares params.bdy, though one may take it",
            id="undeclared-field",
        ),
        pytest.param(
            "  - {id: a, verbs: [forum.post], where: {/body: {in: [x, y], not_in: [x, y]}}, "
            "effect: deny}",
            "error", "no value of /body meets all conditions on it", id="nothing-left",
        ),
        pytest.param(
            "  - {id: a, verbs: [forum.post], where: {/body: {gt: 5, le: 5}}, effect: deny}",
            "error", "no value of /body meets all conditions on it", id="no-number",
        ),
        pytest.param(
            "  - {id: a, verbs: [forum.post], where: {/body: {exists: false, len_le: 5}}, "
            "effect: deny}",
            "error", "no value of /body meets all conditions on it", id="absent-and-short",
        ),
        pytest.param(
            "  - {id: a, verbs: ['*'], effect: allow}",
            "warning", "the rule allows every verb, also those that are added later", id="all",
        ),
        pytest.param(
            "  - {id: a, verbs: ['forum.*'], effect: allow}",
            "warning",
            "the rule lets agents destroy data or change permissions without asking anybody: "
            "forum.delete",
            id="destructive",
        ),
        pytest.param(
            "  - {id: a, verbs: [forum.post], effect: {hold: {approvers: ['group:secruity', "
            "principal]}}}",
            "error", "the group secruity is not known, so nobody in it can decide", id="group",
        ),
        pytest.param(
            "  - {id: a, verbs: [forum.post], effect: {hold: {mode: four_eyes, count: 2, "
            "approvers: ['group:security'], exclude: ['group:pair']}}}",
            "error", "the quorum cannot be reached: it takes 2 people, and 1 may decide",
            id="quorum",
        ),
        pytest.param(
            "  - {id: a, verbs: [forum.post], effect: {hold: {mode: four_eyes, "
            "approvers: ['group:pair']}}}",
            "warning",
            "nobody is to spare: when the principal or the agent's owner is one of the approvers, "
            "the quorum cannot be reached",
            id="nobody-to-spare",
        ),
        pytest.param(
            "  - {id: a, verbs: [forum.post], effect: {hold: {approvers: ['group:pair'], "
            "exclude: ['group:security']}}}",
            "error", "nobody may decide", id="nobody",
        ),
    ],
)  # fmt: skip
def test_what_is_probably_not_meant(rules: str, severity: str, message: str) -> None:
    assert findings(rules) == [(severity, "a", message)]


def test_a_shadowed_rule_is_named_with_the_one_that_shadows_it() -> None:
    assert findings(
        "  - {id: one, agents: [x*], verbs: [forum.post], where: {/body: {eq: x}}, effect: allow}\n"
        "  - {id: all, verbs: ['forum.*'], effect: {hold: {}}}\n"
    ) == [
        (
            "warning",
            "one",
            "the rule changes nothing: all (line 4) matches whenever it does and is as strict",
        )
    ]


def test_of_two_rules_that_say_the_same_the_second_is_named() -> None:
    same = "verbs: [forum.post], effect: {hold: {}}}\n"
    (found,) = findings(f"  - {{id: a, {same}  - {{id: b, {same}")
    assert found[:2] == ("warning", "b")


def test_holds_that_may_meet_and_ask_different_people_are_named() -> None:
    (found,) = findings(
        "  - {id: mine, verbs: ['forum.*'], effect: {hold: {approvers: ['group:pair']}}}\n"
        "  - {id: theirs, verbs: [forum.delete], effect: "
        "{hold: {mode: four_eyes, approvers: ['group:security']}}}\n"
    )
    assert found == (
        "warning",
        "theirs",
        (
            "mine (line 3) may hold the same proposal for different people; "
            "where both match (forum.delete), it is denied"
        ),
    )


def test_an_empty_policy_is_said_to_deny_everything() -> None:
    (found,) = check_policy(parse_policy("version: 1\nrules: []"), verbs=VERBS, groups=None)
    assert (found.rule, found.message) == (None, "there are no rules, so everything is denied")


def test_without_a_directory_nothing_is_said_about_groups() -> None:
    text = (
        "version: 1\nrules:\n  - {id: a, verbs: [forum.post], effect: "
        "{hold: {mode: four_eyes, approvers: ['group:x']}}}"
    )
    assert check_policy(parse_policy(text), verbs=VERBS, groups=None) == []
