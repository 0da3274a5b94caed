"""What a body of the largest size costs to look through: never more than it is long.

One request that takes seconds holds up everybody, and no cap on requests helps against it.
"""

import time

import pytest

from bot.core.canonical import canonical, parse
from bot.core.secret_scan import (
    _ASSIGNMENTS,
    _NEAR_TOKENS,
    _PRIVATE_KEY,
    _TOKENS,
    find_secrets,
    without_secrets,
)
from bot.service.caps import Caps

SIZE = Caps().max_body_bytes
#: Far above what a scan takes, far below what one does that begins anew at every letter.
WITHIN_S = 4
HINTS = {
    hint for each in (*_TOKENS, *_NEAR_TOKENS, *_ASSIGNMENTS, _PRIVATE_KEY) for hint in each.hints
}
#: What comes after a hint so that its form almost fits, again and again.
FILLERS = ("", "a", "a" * 7, "hbGciOi", "A1" * 20, " ", "=", ": ", ".", "://a:", "-----", "_", "/")


@pytest.mark.parametrize("hint", sorted(HINTS))
def test_no_text_is_looked_through_more_than_a_few_times(hint: str):
    began = time.process_time()
    for filler in FILLERS:
        piece = hint + filler
        find_secrets({"text": piece * (SIZE // 10 // len(piece))})
    assert time.process_time() - began < WITHIN_S


@pytest.mark.parametrize("piece", ["eyJhbGciOi", "a", "a.", "[", "\\ud83d\\udd11", "key=", "\\n"])
def test_a_whole_body_is_read_within_its_length(piece: str):
    raw = b'{"text":"' + (piece * (SIZE // len(piece))).encode() + b'"}'
    began = time.process_time()
    value = parse(raw)
    canonical(value)
    find_secrets(value)
    assert time.process_time() - began < WITHIN_S


def test_what_is_quoted_is_looked_through_as_fast():
    began = time.process_time()
    for hint in HINTS:
        without_secrets((hint + "A1b2") * (20_000 // (len(hint) + 4)))
    assert time.process_time() - began < WITHIN_S
