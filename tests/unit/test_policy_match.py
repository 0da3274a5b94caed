import fnmatch
import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.core.errors import InvalidInput
from bot.core.policy_cover import covers, overlaps
from bot.core.policy_match import Condition, Globs, Index, path_of, value_at
from bot.core.policy_operators import MAX_MATCHED_CHARS, Absent, Operator, Truth, host_of

YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN

names = st.text(alphabet="ab.*?[", max_size=8)
globs = st.text(alphabet="ab.*?[", min_size=1, max_size=8)


def by_definition(glob: str, text: str) -> bool:
    if not glob:
        return not text
    if glob[0] == "*":
        return any(by_definition(glob[1:], text[i:]) for i in range(len(text) + 1))
    return bool(text) and glob[0] in ("?", text[0]) and by_definition(glob[1:], text[1:])


@given(globs, names)
def test_a_glob_matches_what_its_definition_says(glob: str, text: str) -> None:
    assert Globs((glob,)).match(text) is by_definition(glob, text)


@given(st.text(alphabet="ab*?", min_size=1, max_size=8), st.text(alphabet="ab\n", max_size=8))
def test_without_brackets_globs_are_those_of_the_shell(glob: str, text: str) -> None:
    assert Globs((glob,)).match(text) is fnmatch.fnmatchcase(text, glob)


@pytest.mark.parametrize(
    ("glob", "text", "matches"),
    [
        pytest.param("forum.*", "forum.post", True, id="star-crosses-nothing-special"),
        pytest.param("*", "a/b.c\nd", True, id="star-crosses-dots-slashes-lines"),
        pytest.param("forum.?ost", "forum.post", True, id="question-mark-is-one"),
        pytest.param("forum.?ost", "forum.ost", False, id="question-mark-is-not-none"),
        pytest.param("[ab]", "a", False, id="brackets-are-text"),
        pytest.param("Forum", "forum", False, id="case-counts"),
        pytest.param("forum", "forum\n", False, id="no-newline-slips-in"),
        pytest.param("*.post", "forum.post\n", False, id="nor-after-a-star"),
    ],
)
def test_globs(glob: str, text: str, *, matches: bool) -> None:
    assert Globs((glob,)).match(text) is matches


def test_a_glob_full_of_stars_answers_at_once() -> None:
    assert not Globs(("*a" * 100,)).match("a" * 99 + "b" * 100_000)


@given(st.lists(st.lists(globs, min_size=1, max_size=3), max_size=6), names)
def test_the_index_finds_every_place_that_matches(rules: list[list[str]], name: str) -> None:
    places = [Globs(tuple(rule)) for rule in rules]
    matching = {at for at, place in enumerate(places) if place.match(name)}
    assert matching <= Index(places).places(name)


@given(globs, globs, names)
def test_a_glob_that_covers_another_matches_all_that_it_matches(
    wide: str, narrow: str, text: str
) -> None:
    if by_definition(narrow, text) and not by_definition(wide, text):
        assert not covers(wide, narrow)


@pytest.mark.parametrize(
    ("wide", "narrow"), [("*", "a*"), ("a*", "ab"), ("a*c", "abc"), ("?", "a"), ("*.*", "a.b*")]
)
def test_plain_covers_are_found(wide: str, narrow: str) -> None:
    assert covers(wide, narrow)
    assert not covers(narrow, wide)


@given(globs, globs, names)
def test_globs_that_match_one_text_overlap(one: str, other: str, text: str) -> None:
    if by_definition(one, text) and by_definition(other, text):
        assert overlaps(one, other)


@pytest.mark.parametrize(("one", "other"), [("a*", "b*"), ("*a", "*b"), ("a?", "a"), ("ab", "a")])
def test_globs_with_nothing_in_common_do_not_overlap(one: str, other: str) -> None:
    assert not overlaps(one, other)


@pytest.mark.parametrize(
    ("operator", "operand", "value", "answer"),
    [
        pytest.param("eq", "a", "a", YES, id="eq-text"),
        pytest.param("eq", "a", "b", NO, id="eq-other-text"),
        pytest.param("eq", "1", 1, UNKNOWN, id="eq-text-number"),
        pytest.param("eq", 1, True, UNKNOWN, id="eq-number-boolean"),
        pytest.param("eq", 1, 1.0, YES, id="eq-one-number-two-spellings"),
        pytest.param("eq", None, None, YES, id="eq-null"),
        pytest.param("eq", None, "a", NO, id="eq-null-text"),
        pytest.param("eq", "a", None, UNKNOWN, id="eq-text-null"),
        pytest.param("eq", "a", ["a"], UNKNOWN, id="eq-text-list"),
        pytest.param("ne", "a", "b", YES, id="ne"),
        pytest.param("ne", "a", 5, UNKNOWN, id="ne-other-sort"),
        pytest.param("in", ["a", 1], "a", YES, id="in"),
        pytest.param("in", ["a", 1], "b", NO, id="in-not"),
        pytest.param("in", ["a", 1], True, UNKNOWN, id="in-boolean-is-no-number"),
        pytest.param("not_in", ["a"], "b", YES, id="not-in"),
        pytest.param("not_in", ["a"], {}, UNKNOWN, id="not-in-object"),
        pytest.param("lt", 5, 4.5, YES, id="lt"),
        pytest.param("lt", 5, 5, NO, id="lt-equal"),
        pytest.param("le", 5, 5, YES, id="le"),
        pytest.param("gt", 5, 5, NO, id="gt-equal"),
        pytest.param("ge", 5, 5, YES, id="ge"),
        pytest.param("ge", 5, "6", UNKNOWN, id="ge-text"),
        pytest.param("ge", 0, True, UNKNOWN, id="ge-boolean"),
        pytest.param("ge", 0, float("nan"), UNKNOWN, id="ge-nan"),
        pytest.param("matches", "a+", "aaa", YES, id="matches"),
        pytest.param("matches", "a+", "aab", NO, id="matches-whole-only"),
        pytest.param("matches", "a|b", "bc", NO, id="matches-alternatives-are-anchored"),
        pytest.param("matches", "(?m)a$", "a\nb", NO, id="matches-no-line-mode-leaks"),
        pytest.param("matches", "a", "a\n", NO, id="matches-no-newline-at-the-end"),
        pytest.param("matches", "a", 5, UNKNOWN, id="matches-number"),
        pytest.param("matches", ".", "\ud800", UNKNOWN, id="matches-lone-surrogate"),
        pytest.param("matches", "a*", "a" * MAX_MATCHED_CHARS, YES, id="matches-long"),
        pytest.param("matches", "a*", "a" * (MAX_MATCHED_CHARS + 1), UNKNOWN, id="too-long"),
        pytest.param("matches", "(a+)+b", "a" * MAX_MATCHED_CHARS, NO, id="no-backtracking"),
        pytest.param("starts_with", "a", "ab", YES, id="starts-with"),
        pytest.param("starts_with", "a", "ba", NO, id="starts-with-not"),
        pytest.param("starts_with", "a", ["a"], UNKNOWN, id="starts-with-list"),
        pytest.param("exists", True, None, YES, id="exists-null"),
        pytest.param("exists", False, "a", NO, id="exists-not-wanted"),
        pytest.param("len_le", 2, "ab", YES, id="len-text"),
        pytest.param("len_le", 1, "\U0001f600", YES, id="len-counts-characters"),
        pytest.param("len_le", 2, [1, 2, 3], NO, id="len-list"),
        pytest.param("len_le", 2, {"a": 1}, YES, id="len-object"),
        pytest.param("len_le", 2, 1, UNKNOWN, id="len-number"),
        pytest.param("domain_in", ["example.org"], "a@example.org", YES, id="domain-address"),
        pytest.param("domain_in", ["example.org"], "https://EXAMPLE.org:8/x", YES, id="domain-url"),
        pytest.param("domain_in", ["example.org"], "example.org.", YES, id="domain-root-dot"),
        pytest.param("domain_in", ["example.org"], "a.example.org", NO, id="domain-exact"),
        pytest.param("domain_in", [".example.org"], "a.example.org", YES, id="domain-below"),
        pytest.param("domain_in", [".example.org"], "example.org", YES, id="domain-itself"),
        pytest.param("domain_in", [".example.org"], "badexample.org", NO, id="domain-suffix"),
        pytest.param(
            "domain_in", ["bücher.example"], "xn--bcher-kva.example", YES, id="domain-idn"
        ),
        pytest.param("domain_in", ["example.org"], "hello there", UNKNOWN, id="domain-no-host"),
        pytest.param("domain_in", ["example.org"], ["a@example.org"], UNKNOWN, id="domain-list"),
    ],
)
def test_operators(operator: str, operand: Any, value: Any, answer: Truth) -> None:
    condition = Condition("params.field", Operator(operator), operand)
    assert condition.check({"field": value}) is answer


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org@evil.example/",
        "https://evil.example\\@example.org/",
        "https:///example.org",
        "https:example.org",
        "//example.org",
        "https://exa%6dple.org/",
        "https://example.org\t/",
        "Dana <dana@example.org>",
        "a@evil.example,b@example.org",
        "a@b@example.org",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::1]/",
        "http://127.1/",
        "example.org:80",
        "a" * 3000,
        "",
        ".example.org",
        "mailto:a@example.org",
    ],
)
def test_what_two_readers_might_read_differently_has_no_host(text: str) -> None:
    assert host_of(text) is None


@given(st.sampled_from(list(Operator)), st.sampled_from(["/a", "params.a.0.b"]), st.data())
def test_a_missing_param_can_only_be_told_missing(
    operator: Operator, path: str, data: st.DataObject
) -> None:
    operand = data.draw(st.sampled_from(["a", 1, True, ["a"], ["example.org"]]))
    try:
        condition = Condition(path, operator, operand)
    except InvalidInput:
        return
    answer = condition.check({})
    assert answer is (UNKNOWN if operator is not Operator.EXISTS else Truth.NO)


@given(
    st.text(alphabet="ab|()*+?.[]^$", min_size=1, max_size=10), st.text(alphabet="ab", max_size=6)
)
def test_a_pattern_means_what_python_takes_it_for(pattern: str, text: str) -> None:
    try:
        expected = YES if re.fullmatch(pattern, text) else NO
        condition = Condition("/a", Operator.MATCHES, pattern)
    except (re.error, InvalidInput, FutureWarning):
        return
    # Possessive quantifiers are Python's alone.
    assume(not re.search(r"[*+?]\+", pattern))
    assert condition.check({"a": text}) is expected


@pytest.mark.parametrize(
    ("spelled", "path"),
    [
        ("params.a", ("a",)),
        ("params.a.0.b", ("a", "0", "b")),
        ("/a.b/c", ("a.b", "c")),
        ("/a~1b/~0", ("a/b", "~")),
        ("/", ("",)),
    ],
)
def test_paths(spelled: str, path: tuple[str, ...]) -> None:
    assert path_of(spelled) == path


@pytest.mark.parametrize("spelled", ["", "params", "params.", "params.a..b", "a.b", "/a~2", "~"])
def test_what_is_no_path_is_refused(spelled: str) -> None:
    with pytest.raises(InvalidInput):
        path_of(spelled)


@pytest.mark.parametrize("step", ["01", "-1", "2", "a", "", "٣", "99999999999999999999"])
def test_only_an_index_leads_into_a_list(step: str) -> None:
    assert value_at({"a": ["x", "y"]}, ("a", step)) is Absent.ABSENT
    assert value_at({"a": ["x", "y"]}, ("a", "1")) == "y"


@pytest.mark.parametrize(
    ("operator", "operand"),
    [
        ("eq", [1]),
        ("eq", 2**53),
        ("eq", float("nan")),
        ("in", []),
        ("in", "abc"),
        ("in", [[1]]),
        ("lt", "5"),
        ("lt", True),
        ("matches", "("),
        ("matches", "a)|(b"),
        ("matches", "(?=a)"),
        ("matches", r"(a)\1"),
        ("matches", "a{1000}{1000}"),
        ("matches", "a" * 1001),
        ("matches", "(?x)a # b"),
        ("matches", ""),
        ("starts_with", ""),
        ("exists", 1),
        ("len_le", -1),
        ("len_le", True),
        ("len_le", 1.5),
        ("domain_in", ["a b"]),
        ("domain_in", ["https://example.org"]),
        ("domain_in", [".127.0.0.1"]),
        ("domain_in", []),
    ],
)
def test_a_wrong_operand_is_refused(operator: str, operand: Any) -> None:
    with pytest.raises(InvalidInput):
        Condition("/a", Operator(operator), operand)
