"""Text from agents is not text yet.

What an agent wrote may hide words, reverse them, or push them out of sight. `show` turns it into
inert plain text in which nothing is hidden: each character that a reader could not see, or could
mistake for another, stands there as a code such as ``⟨U+202E⟩`` or ``⟨120 spaces⟩``. Nothing is
lost, and no two texts look alike: `unshow` gives back what was written. Letters of every script
stay as they are, right-to-left ones too.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum, unique
from functools import lru_cache
from itertools import groupby
from typing import Final, NamedTuple, NewType

from bot.core.errors import InvalidInput

Untrusted = NewType("Untrusted", str)

MAX_SPACES: Final = 16  #: side by side; code is indented, but rarely deeper
MAX_LINE_BREAKS: Final = 3  #: with nothing or only spaces between them
MAX_MARKS: Final = 4  #: on one letter; pointed Hebrew and Vietnamese need fewer


@unique
class Oddity(StrEnum):
    CONTROL = "control"  #: a control character other than a line break
    DIRECTION = "direction"  #: changes the order in which the text around it is read
    INVISIBLE = "invisible"  #: has no width or is ignored where text is drawn
    SPACE = "space"  #: looks like a space and is none, or breaks a line and is no line break
    PADDING = "padding"  #: a long run of spaces or line breaks
    MARKS = "marks"  #: more marks than a letter can carry, or marks without a letter
    UNKNOWN = "unknown"  #: private use, unassigned, or half a character
    LOOKALIKE_HOST = "lookalike_host"  #: a part of a host name mixes scripts or letter forms
    ENCODED_HOST = "encoded_host"  #: a host name beyond ASCII, written out or as punycode
    HOST_AFTER_AT = "host_after_at"  #: a link whose beginning only looks like its host


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was made visible in one text, by kind.

    ``count`` is in characters; ``at`` is where the first of them stands, from 0; ``shown`` is how
    `show` spells the first run.
    """

    oddity: Oddity
    count: int
    at: int
    shown: str


class Shortened(NamedTuple):
    """``missing`` counts the characters of the text that ``shown`` leaves out, and says so."""

    shown: str
    missing: int


_OPEN, _CLOSE = "⟨", "⟩"

# Everything from here on is unassigned, tags, variation selectors or private use.
_LAST_PLANES: Final = 0x40000

# UAX #9, 2.
_DIRECTION: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)

# Default_Ignorable_Code_Point where the general category does not already say so (Mn and Lo).
_IGNORABLE: Final = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F),
            *(0x3164, *range(0xFE00, 0xFE10), 0xFFA0),
        ),
    )
)

# Drawn as nothing, though their category is "symbol": blank braille, the object replacement
# character, the null notehead; and the Khitan filler, a mark that only joins.
_BLANK: Final = frozenset("\u2800\ufffc\U0001d159\U00016fe4")

# Between what may be a host and what is around it.
_WORD: Final = re.compile(r"""[^\s/\\?#@:;,|<>()\[\]{}"'`*=&]+""")
_USER_IN_LINK: Final = re.compile(r"[/\\]{2}[^\s/\\?#@]*@[^\s/\\?#@]+")
_DOT: Final = re.compile("[.\u3002\uff0e\uff61]")  # UTS #46, 4: what browsers take for a dot
_SCRIPT_END: Final = re.compile("[ -]")
# UTS #39, 5.2, "highly restrictive": the scripts that languages do mix.
_TOGETHER: Final = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
)
_MAX_HOST_CHARS: Final = 253  #: RFC 1035, 2.3.4

_SPELLED_THOUGH_PRINTABLE: Final = _IGNORABLE | _BLANK | {_OPEN, _CLOSE}

_PADDING: Final = f" {{{MAX_SPACES + 1},}}|\\n(?: *\\n){{{MAX_LINE_BREAKS},}}"
_NAMED_RUNS: Final = {" ": ("space", "spaces"), "\n": ("line break", "line breaks")}
_CODE: Final = re.compile(
    r"⟨(?:"
    r"(?:(?P<times>\d{1,9}) times )?U\+(?P<code>[0-9A-F]{4,6})"
    r"|(?:(?P<run>\d{1,9}) )?(?P<named>space|line break)s?"
    r")⟩"
)
_PIECE: Final = re.compile(r"⟨[^⟩]*⟩|[^⟨]")


def show(text: Untrusted) -> str:
    """Return *text* as inert plain text with everything in it visible.

    Only line breaks and printable characters are left, no surrogate among them, and the angle
    brackets ``⟨⟩`` only around codes. It is still not markup: whoever puts it into a page or a
    card escapes it for that place.
    """
    if _is_plain(text):
        return text
    return _odd(text).sub(lambda run: _spell(run[0]), text)


def unshow(shown: str) -> Untrusted:
    """Return the text that `show` was given.

    Raises:
        InvalidInput: *shown* is not from `show`.
    """
    plain = _CODE.sub("", shown)
    if _OPEN in plain or _CLOSE in plain:
        raise InvalidInput("a bracket that is not part of a code")
    try:
        return Untrusted(_CODE.sub(_spelled, shown))
    except (ValueError, OverflowError):
        raise InvalidInput("a code for a character that does not exist") from None


def hidden(text: Untrusted) -> tuple[Finding, ...]:
    """Return what `show` makes visible in *text*, one finding a kind, in order of appearance.

    The brackets ``⟨⟩`` are spelled out too, but they were not hidden and are left out here.
    """
    if _is_plain(text):
        return ()
    counts: dict[Oddity, int] = {}
    firsts: dict[Oddity, tuple[int, str]] = {}
    for run in _odd(text).finditer(text):
        at = run.start()
        for char, count in _runs(run[0]):
            if char not in {_OPEN, _CLOSE}:
                oddity = _oddity(char)
                counts[oddity] = counts.get(oddity, 0) + count
                firsts.setdefault(oddity, (at, _code(char, count)))
            at += count
    return tuple(
        Finding(oddity=oddity, count=counts[oddity], at=at, shown=shown)
        for oddity, (at, shown) in firsts.items()
    )


def one_line(text: Untrusted, *, max_chars: int) -> str:
    """Return *text* as `show` does, on one line of at most *max_chars*, for titles and rows.

    Line breaks are visible. What does not fit is left out from the end and counted in
    characters of *text*, as in ``⟨412 more characters⟩``.

    Raises:
        ValueError: *max_chars* leaves no room for that count.
    """
    line = show(text).replace("\n", _code("\n", 1))
    if len(line) <= max_chars:
        return line
    return _shortened(line, text, max_chars=max_chars, max_lines=1).shown


def shorten(text: Untrusted, *, max_chars: int, max_lines: int) -> Shortened:
    """Return *text* as `show` does, cut at its end where it is longer than is allowed.

    Raises:
        ValueError: *max_chars* leaves no room to say what is missing.
    """
    shown = show(text)
    if len(shown) <= max_chars and shown.count("\n") < max_lines:
        return Shortened(shown, 0)
    return _shortened(shown, text, max_chars=max_chars, max_lines=max_lines)


def _shortened(shown: str, text: Untrusted, *, max_chars: int, max_lines: int) -> Shortened:
    room = max_chars - len(_more(len(text)))
    if room < 0:
        raise ValueError(f"max_chars={max_chars} leaves no room to say what is missing")
    kept: list[str] = []
    seen, line_breaks = 0, max_lines
    for piece in _PIECE.findall(shown):
        room -= len(piece)
        line_breaks -= piece == "\n"
        if room < 0 or line_breaks <= 0:
            break
        kept.append(piece)
        seen += len(unshow(piece)) if piece[0] == _OPEN else 1
    missing = len(text) - seen
    return Shortened("".join(kept) + _more(missing), missing)


def suspicious_hosts(text: Untrusted) -> tuple[Finding, ...]:
    """Return the hosts in links, addresses and plain words that may not be what they look like.

    One finding a host, in order of appearance; ``shown`` has the host, and after ``=`` its other
    spelling: punycode for letters, letters for punycode.
    """
    if text.isascii() and "@" not in text and "xn--" not in text.lower():
        return ()  # most text: it has nothing in which a host could hide
    found: dict[str, Finding] = {}
    for word in _WORD.finditer(text):
        host, at = word[0], word.start()
        before = text[max(0, at - 2) : at]
        is_address = before.endswith("@") or before in {"//", "\\\\", "/\\", "\\/"}
        oddity = _host_oddity(host, is_address=is_address)
        if oddity and host not in found:
            shown = f"{_cut(host)} = {_cut(_other_spelling(host))}"
            found[host] = Finding(oddity=oddity, count=1, at=at, shown=shown)
    for link in _USER_IN_LINK.finditer(text):
        oddity, at = Oddity.HOST_AFTER_AT, link.start()
        found.setdefault(
            link[0], Finding(oddity=oddity, count=1, at=at, shown=_cut(link[0].lstrip("/\\")))
        )
    return tuple(sorted(found.values(), key=lambda finding: finding.at))


def _is_plain(text: str) -> bool:
    """Tell whether `show` has nothing to do; it may have nothing to do otherwise, too."""
    return text.isascii() and text.isprintable() and " " * (MAX_SPACES + 1) not in text


def _host_oddity(host: str, *, is_address: bool) -> Oddity | None:
    is_punycode = "xn--" in host.lower()
    if host.isascii() and not is_punycode:
        return None
    labels = _DOT.split(host)
    if len(labels) == 1 and not is_address:
        return None
    if any(map(_is_lookalike, labels)):
        return Oddity.LOOKALIKE_HOST
    # Abbreviations of other scripts have dots and letters too: alone they are no reason to warn.
    return Oddity.ENCODED_HOST if is_punycode or is_address else None


def _is_lookalike(label: str) -> bool:
    letters = _letters(label)
    scripts = {
        _SCRIPT_END.split(unicodedata.name(char, "UNKNOWN"), maxsplit=1)[0]
        for char in letters
        if char.isalpha()
    }
    is_mixed = len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER)
    return is_mixed or unicodedata.normalize("NFKC", letters) != letters


def _letters(label: str) -> str:
    """Return *label* with its punycode resolved."""
    if label[:4].lower() != "xn--":
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def _other_spelling(host: str) -> str:
    return ".".join(_in_ascii(label) for label in _DOT.split(host))


def _in_ascii(label: str) -> str:
    if label.isascii():
        return _letters(label)
    plain = unicodedata.normalize("NFKC", label).casefold()
    if plain.isascii():
        return plain
    return "xn--" + plain.encode("punycode", "replace").decode("ascii")


def _cut(text: str) -> str:
    return one_line(Untrusted(text), max_chars=_MAX_HOST_CHARS)


def _more(count: int) -> str:
    return f"⟨{count} more character{'' if count == 1 else 's'}⟩"


def _spell(odd: str) -> str:
    return "".join(_code(char, count) for char, count in _runs(odd))


def _runs(odd: str) -> Iterator[tuple[str, int]]:
    return ((char, sum(1 for _ in run)) for char, run in groupby(odd))


def _code(char: str, count: int) -> str:
    if char in _NAMED_RUNS:
        one, many = _NAMED_RUNS[char]
        return f"⟨{one}⟩" if count == 1 else f"⟨{count} {many}⟩"
    times = "" if count == 1 else f"{count} times "
    return f"⟨{times}U+{ord(char):04X}⟩"


def _spelled(code: re.Match[str]) -> str:
    if code["named"]:
        char = " " if code["named"] == "space" else "\n"
        return char * int(code["run"] or 1)
    return chr(int(code["code"], 16)) * int(code["times"] or 1)


def _oddity(char: str) -> Oddity:
    if char in _NAMED_RUNS:
        return Oddity.PADDING
    if char in _DIRECTION:
        return Oddity.DIRECTION
    if char in _IGNORABLE:
        return Oddity.INVISIBLE
    if char in _BLANK:
        return Oddity.SPACE
    match unicodedata.category(char):
        case "Cc":
            return Oddity.CONTROL
        case "Zs" | "Zl" | "Zp":
            return Oddity.SPACE
        case "Cf":
            return Oddity.INVISIBLE
        case "Mn" | "Me" if ord(char) < _LAST_PLANES:
            return Oddity.MARKS
        case "Mn":
            return Oddity.INVISIBLE  # variation selectors
        case _:
            return Oddity.UNKNOWN


def _odd(text: str) -> re.Pattern[str]:
    """Return what matches each stretch of *text* that is spelled out.

    Made for the characters that are there: a class of all that could be would take a tenth of a
    second to make, and be slow to match.
    """
    chars = set(text)
    alone = _char_class(char for char in chars if _stands_alone(char))
    mark = _char_class(char for char in chars if _is_mark(char))
    return re.compile(
        # A mark after a code would be drawn on its bracket.
        f"(?:{alone}+|{_PADDING}){mark}*|(?:\\A|(?<=\\n)){mark}+|{mark}{{{MAX_MARKS + 1},}}"
    )


def _char_class(chars: Iterable[str]) -> str:
    # Sorted, so that the same characters find their pattern in the cache of `re`.
    escaped = "".join(re.escape(char) for char in sorted(chars))
    return f"[{escaped}]" if escaped else r"[^\s\S]"


@lru_cache(maxsize=4096)
def _stands_alone(char: str) -> bool:
    """Tell whether *char* is spelled out wherever it stands.

    ``isprintable`` is false for exactly the categories Cc, Cf, Cs, Co, Cn, Zl, Zp and Zs, the
    space aside.
    """
    if char == "\n":
        return False
    return not char.isprintable() or char in _SPELLED_THOUGH_PRINTABLE or ord(char) >= _LAST_PLANES


@lru_cache(maxsize=4096)
def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in {"Mn", "Me"} and not _stands_alone(char)
