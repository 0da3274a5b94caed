"""Turns values into pages. Whatever a template prints goes through ``show`` and is escaped.

Both happen in the engine, not in the templates: a template cannot forget them.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from adapters.web import words
from bot.core.untrusted import Untrusted, one_line, show

_HERE: Final = Path(__file__).parent
STATIC: Final = _HERE / "static"
_CODE: Final = re.compile("(⟨[^⟩]*⟩)")
_JSON_ESCAPE: Final = re.compile(r"(\\.)", re.DOTALL)
_WHOLE_JSON: Final = re.compile(r'("(?:[^"\\]|\\.)*"|,)', re.DOTALL)


class Renderer:
    """Templates, with the sentences of `words` at hand."""

    def __init__(self, *, deployment_name: str) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_visible,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "exact": exact,
            "folded": folded,
            "marked": marked,
            "one_line": lambda text: one_line(Untrusted(text), max_chars=200),
        }
        self._environment.globals |= {
            "deployment_name": deployment_name,
            "styles": f"/static/keyturn.css?v={_version('keyturn.css')}",
            "script": f"/static/keyturn.js?v={_version('keyturn.js')}",
            "words": words,
        }

    def page(self, template: str, values: Mapping[str, Any], *, now: datetime) -> str:
        return self._environment.get_template(template).render(values, now=now)


def exact(text: str) -> Markup:
    """Return *text* as `show` does, with each code for a hidden character marked."""
    return marked(show(Untrusted(text)))


def marked(shown: str) -> Markup:
    """Return what is shown text already, or words of our own, with each code marked."""
    pieces = _CODE.split(shown)
    # Every second piece is a code: brackets stand around nothing else in shown text.
    return Markup("").join(
        Markup('<mark class="code">{}</mark>').format(piece) if odd % 2 else escape(piece)
        for odd, piece in enumerate(pieces)
    )


def folded(shown: str, *, is_whole: bool) -> Markup:
    r"""Return shown canonical JSON with line breaks drawn where they help reading.

    They come after each escape ``\n``, and after each value where *shown* is the whole text. They
    are elements: the text of the page stays what `show` returned.
    """
    pieces = (_WHOLE_JSON if is_whole else _JSON_ESCAPE).split(shown)
    return Markup("").join(
        _broken(piece) if odd % 2 else marked(piece) for odd, piece in enumerate(pieces)
    )


def _broken(piece: str) -> Markup:
    if not piece.startswith('"'):
        return marked(piece) + Markup("<br>") if piece in {",", "\\n"} else marked(piece)
    return folded(piece, is_whole=False)


def version_of(value: object) -> str:
    """Return a short name for *value* that differs when it does."""
    return hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()[:16]


def _visible(value: Any) -> Any:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return show(Untrusted(value))


def _version(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
