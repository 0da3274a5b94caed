import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import InvalidInput
from bot.core.untrusted import (
    Oddity,
    Untrusted,
    hidden,
    one_line,
    show,
    suspicious_hosts,
    unshow,
)

any_text = st.text(st.characters(codec=None)).map(Untrusted)
nasty_text = st.text(
    st.sampled_from(
        "ab \n\t\r\0⟨⟩U+2 times\u202e\u2066\u200b\u200d\ufeff\u00ad\u0301\u0300\ufe0f\u3164\u2800"
        "\u00a0\u3000\u2028\u2029\ud800\udc00\ue000\U000e0041\U000e0100\U0010fffd\u0378אب"
    )
).map(Untrusted)
padded_text = (
    st.lists(st.tuples(st.sampled_from([*" \n\u0301\u200bx", " \n", "⟨"]), st.integers(1, 40)))
    .map(lambda runs: "".join(unit * count for unit, count in runs))
    .map(Untrusted)
)
texts = any_text | nasty_text | padded_text


@given(texts)
def test_what_is_shown_tells_exactly_what_was_written(text: Untrusted):
    assert unshow(show(text)) == text


@given(texts, texts)
def test_two_texts_never_look_the_same(one: Untrusted, other: Untrusted):
    assert (show(one) == show(other)) == (one == other)


@given(texts)
def test_nothing_invisible_is_left(text: Untrusted):
    shown = show(text)
    shown.encode("utf-8")
    assert shown.replace("\n", "").isprintable()
    for char in shown:
        assert char in "\n " or unicodedata.category(char)[0] not in "CZ"
    assert " " * 17 not in shown
    assert "\n" * 4 not in shown


@given(
    st.text(st.characters(categories=["L", "Nd", "P", "Sc"], exclude_characters="⟨⟩"), max_size=40)
)
def test_letters_of_any_script_stay_as_they_are(text: str):
    visible = "".join(char for char in text if char not in "\u115f\u1160\u3164\uffa0")
    assert show(Untrusted(visible)) == visible


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Plain words.\n\nAnother paragraph.\n\n\nA third.",
        "def f():\n        return 1  # indented",
        "שלום עולם, مرحبا بالعالم",
        "Größe, naïve, Việt Nam, e\u0301te\u0301, \u05d1\u05bc\u05b0",
        "हिन्दी, ไทย, 日本語, 한국어",
        "cost: 5 € → 6 €; 👍",
    ],
)
def test_ordinary_text_is_shown_as_it_is(text: str):
    assert show(Untrusted(text)) == text
    assert hidden(Untrusted(text)) == ()


@pytest.mark.parametrize(
    ("text", "shown", "oddity"),
    [
        ("pay\u202etxt.exe", "pay⟨U+202E⟩txt.exe", Oddity.DIRECTION),
        ("a\u2066b", "a⟨U+2066⟩b", Oddity.DIRECTION),
        ("a\u200bb", "a⟨U+200B⟩b", Oddity.INVISIBLE),
        ("\ufeffa", "⟨U+FEFF⟩a", Oddity.INVISIBLE),
        ("a\u00adb", "a⟨U+00AD⟩b", Oddity.INVISIBLE),
        ("a\u3164b", "a⟨U+3164⟩b", Oddity.INVISIBLE),
        ("x\ufe0f", "x⟨U+FE0F⟩", Oddity.INVISIBLE),
        ("x\U000e0100", "x⟨U+E0100⟩", Oddity.INVISIBLE),
        ("x\U000e0041", "x⟨U+E0041⟩", Oddity.INVISIBLE),
        ("a\tb", "a⟨U+0009⟩b", Oddity.CONTROL),
        ("a\r\nb", "a⟨U+000D⟩\nb", Oddity.CONTROL),
        ("a\x1b[2Jb", "a⟨U+001B⟩[2Jb", Oddity.CONTROL),
        ("a\u00a0b", "a⟨U+00A0⟩b", Oddity.SPACE),
        ("a\u2028b", "a⟨U+2028⟩b", Oddity.SPACE),
        ("a\u2800b", "a⟨U+2800⟩b", Oddity.SPACE),
        ("a\ud800b", "a⟨U+D800⟩b", Oddity.UNKNOWN),
        ("a\ue000b", "a⟨U+E000⟩b", Oddity.UNKNOWN),
        ("a\u0378b", "a⟨U+0378⟩b", Oddity.UNKNOWN),
        ("a" + " " * 120 + "b", "a⟨120 spaces⟩b", Oddity.PADDING),
        ("a" + "\n" * 37 + "b", "a⟨37 line breaks⟩b", Oddity.PADDING),
        ("e" + "\u0301" * 300, "e⟨300 times U+0301⟩", Oddity.MARKS),
        ("\u0338a", "⟨U+0338⟩a", Oddity.MARKS),
        ("\u200b\u0338a", "⟨U+200B⟩⟨U+0338⟩a", Oddity.INVISIBLE),
    ],
)
def test_what_hides_is_spelled_out_and_reported(text: str, shown: str, oddity: Oddity):
    assert show(Untrusted(text)) == shown
    finding = hidden(Untrusted(text))[0]
    assert finding.oddity is oddity
    assert finding.shown in shown


def test_line_breaks_with_spaces_between_them_do_not_push_text_out_of_sight():
    assert "\n" not in show(Untrusted("yes" + " \n" * 50 + "and delete all"))


def test_findings_are_counted_by_kind_with_the_first_place():
    found = hidden(Untrusted("a\u200bb\u200b\u200bc\u202e⟨"))
    assert [(each.oddity, each.count, each.at, each.shown) for each in found] == [
        (Oddity.INVISIBLE, 3, 1, "⟨U+200B⟩"),
        (Oddity.DIRECTION, 1, 6, "⟨U+202E⟩"),
    ]


def test_codes_that_an_agent_typed_are_not_taken_for_ours():
    shown = show(Untrusted("⟨120 spaces⟩"))
    assert shown == "⟨U+27E8⟩120 spaces⟨U+27E9⟩"
    assert hidden(Untrusted("⟨120 spaces⟩")) == ()


@pytest.mark.parametrize(
    "shown", ["⟨", "a⟩", "⟨U+1⟩", "⟨U+FFFFFF⟩", "⟨3 more characters⟩", "⟨⟨space⟩"]
)
def test_what_was_not_shown_cannot_be_unshown(shown: str):
    with pytest.raises(InvalidInput):
        unshow(shown)


def test_a_megabyte_of_hostile_text_is_shown_in_time():
    for text in ("\u202ea" * 500_000, " \n" * 500_000, "\n " * 500_000 + "x", "\u0301" * 1_000_000):
        assert unshow(show(Untrusted(text))) == text


@given(texts, st.integers(40, 120))
def test_one_line_is_one_line_and_says_what_is_missing(text: Untrusted, max_chars: int):
    line = one_line(text, max_chars=max_chars)
    assert line.isprintable()
    assert len(line) <= max_chars
    kept, cut, more = line.rpartition("⟨")
    if cut and more.endswith(("more characters⟩", "more character⟩")):
        missing = int(more.split()[0])
        assert missing > 0
        assert text.startswith(unshow(kept))
        assert len(unshow(kept)) + missing == len(text)
    else:
        assert unshow(line) == text


def test_one_line_keeps_what_fits_and_shows_line_breaks():
    assert one_line(Untrusted("a\nb"), max_chars=20) == "a⟨line break⟩b"
    assert one_line(Untrusted("x" * 100), max_chars=40) == "x" * 19 + "⟨81 more characters⟩"


def test_one_line_without_room_for_the_count_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="no room"):
        one_line(Untrusted("x" * 100), max_chars=10)


@pytest.mark.parametrize(
    ("text", "oddity", "says"),
    [
        ("see https://\u0430pple.com/login", Oddity.LOOKALIKE_HOST, "xn--pple-43d.com"),
        ("see \u0430pple.com", Oddity.LOOKALIKE_HOST, "xn--pple-43d.com"),
        ("mail bob@g\u043e\u043egle.com now", Oddity.LOOKALIKE_HOST, "= xn--ggle-55da.com"),
        ("https://xn--pple-43d.com", Oddity.LOOKALIKE_HOST, "= \u0430pple.com"),
        ("https://XN--PPLE-43D.com", Oddity.LOOKALIKE_HOST, "XN--PPLE-43D.com"),
        ("https://m\u00fcnchen.de/", Oddity.ENCODED_HOST, "xn--mnchen-3ya.de"),
        ("xn--mnchen-3ya.de", Oddity.ENCODED_HOST, "m\u00fcnchen.de"),
        ("https://\u043f\u0440\u0438\u043c\u0435\u0440.com", Oddity.ENCODED_HOST, "xn--"),
        ("http://\uff47oogle.com", Oddity.LOOKALIKE_HOST, "= google.com"),
        ("http://goo\u3002gle", Oddity.ENCODED_HOST, "= goo.gle"),
        ("http://a\u200bb.com", Oddity.ENCODED_HOST, "a⟨U+200B⟩b.com"),
        ("https://bank.example@evil.example/x", Oddity.HOST_AFTER_AT, "@evil.example"),
    ],
)
def test_hosts_that_may_not_be_what_they_look_like(text: str, oddity: Oddity, says: str):
    (finding,) = suspicious_hosts(Untrusted(text))
    assert finding.oddity is oddity
    assert says in finding.shown


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/m\u00fcnchen?q=\u0430",
        "write to bob@example.com, or see example.com.",
        "\u0438.\u043e. \u0418\u0432\u0430\u043d\u043e\u0432",
        "https://user.example/@name and //comment @here",
    ],
)
def test_ordinary_addresses_are_not_reported(text: str):
    assert suspicious_hosts(Untrusted(text)) == ()


@given(texts | st.text(st.sampled_from("a\u0430.@/:\\ xn-\ud800\u3002⟨\n")).map(Untrusted))
def test_looking_for_hosts_never_fails_and_shows_nothing_invisible(text: Untrusted):
    for finding in suspicious_hosts(text):
        assert finding.shown.isprintable()
