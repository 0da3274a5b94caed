"""Log lines: one event a line, with its fields."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from bot import logs


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs.OURS}
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def test_json_lines_hold_the_event_and_its_fields(written: io.StringIO):
    logs.begin("info", "json", to=written)
    logging.getLogger("bot.service.x").info("card posted", extra={"chat": "web", "tries": 2})
    line = json.loads(written.getvalue())
    assert line["event"] == "card posted"
    assert (line["chat"], line["tries"], line["level"]) == ("web", 2, "info")


def test_text_cannot_begin_a_line_of_its_own(written: io.StringIO):
    logs.begin("info", "text", to=written)
    logging.getLogger("bot.x").info("refused", extra={"why": "a\n00:00:00 all well \x1b[2J"})
    assert written.getvalue().count("\n") == 1
    assert "\x1b" not in written.getvalue()


def test_an_exception_is_told_with_its_cause(written: io.StringIO):
    logs.begin("info", "json", to=written)
    try:
        int("it broke")
    except ValueError:
        logging.getLogger("bot.x").exception("work failed")
    assert "it broke" in json.loads(written.getvalue())["exception"]


def test_libraries_are_heard_from_warnings_on(written: io.StringIO):
    logs.begin("debug", "text", to=written)
    logging.getLogger("aiohttp.access").info("GET /signin?code=x")
    logging.getLogger("aiohttp.server").warning("odd request")
    assert "odd request" in written.getvalue()
    assert "signin" not in written.getvalue()
