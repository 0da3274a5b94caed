"""The request target: path and query built from values that cannot change its shape."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from adapters.http.template import (
    Missing,
    Scope,
    Template,
    TemplateInvalid,
    as_text,
    parse_template,
)
from bot.core.errors import InvalidInput

# RFC 3986, 3.3: pchar, a percent sign only as part of a code.
_PLAIN: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_RESOURCE_PART: Final = r"[^/\x00-\x1f\x7f-\x9f{until}]+"


@dataclass(frozen=True, slots=True)
class Target:
    """A path and a query with open places."""

    segments: tuple[Template, ...]
    query: Mapping[str, Template]

    @property
    def in_path(self) -> Iterator[Template]:
        return iter(self.segments)

    def fill(self, scope: Scope) -> str:
        """Return what stands in the request line, percent-encoded; it starts with a slash.

        Raises:
            InvalidInput: a value is missing, or would change the shape of the path.
        """
        path = "/" + "/".join(_segment(segment, scope) for segment in self.segments)
        members = ((name, template.value(scope)) for name, template in self.query.items())
        query = "&".join(
            f"{_quoted(name)}={_quoted(as_text(value))}"
            for name, value in members
            if value is not None and not isinstance(value, Missing)
        )
        return f"{path}?{query}" if query else path


def parse_target(path: str, query: Mapping[str, str]) -> Target:
    """Return *path* and *query* as templates.

    Raises:
        TemplateInvalid: the path is not absolute, or its literal text is not a plain path.
    """
    if not path.startswith("/"):
        raise TemplateInvalid("the path starts with a slash")
    segments = tuple(map(parse_template, path[1:].split("/")))
    for number, segment in enumerate(segments, start=1):
        _check_literal(segment, is_last=number == len(segments))
    return Target(segments, {name: parse_template(text) for name, text in query.items()})


@dataclass(frozen=True, slots=True)
class ResourcePattern:
    """How a verb's resources are written, as in ``forum:{board}/threads/{thread}``."""

    text: str
    names: frozenset[str]
    expression: re.Pattern[str]

    @property
    def glob(self) -> str:
        """The pattern with a star for each named part."""
        return "".join(
            part if isinstance(part, str) else "*" for part in parse_template(self.text).parts
        )

    def parts(self, resource: str) -> Mapping[str, str]:
        """Return the named parts of *resource*.

        Raises:
            InvalidInput: it is not written like this.
        """
        match = self.expression.fullmatch(resource)
        if match is None:
            raise InvalidInput(
                f"the resource is not written as {self.text}: a part is at least one character,"
                " and neither a slash nor a control character",
                field="/action/resource",
            )
        return match.groupdict()


def parse_resource(text: str) -> ResourcePattern:
    """Return *text* as a pattern. A part ends where the literal text after it begins.

    Raises:
        TemplateInvalid: parts that are not simple names, that repeat, or that touch.
    """
    parts = parse_template(text).parts
    expression, names = "", set[str]()
    for at, part in enumerate(parts):
        if isinstance(part, str):
            expression += re.escape(part)
            continue
        (name, *deeper) = part
        if deeper or name in names or "-" in name:
            raise TemplateInvalid("each part of a resource has its own simple name")
        names.add(name)
        until = parts[at + 1] if at + 1 < len(parts) else ""
        if not isinstance(until, str):
            raise TemplateInvalid("two parts of a resource touch: nothing says where one ends")
        expression += f"(?P<{name}>{_RESOURCE_PART.format(until=re.escape(until[:1]))})"
    return ResourcePattern(text, frozenset(names), re.compile(expression))


def _check_literal(segment: Template, *, is_last: bool) -> None:
    literal = "".join(part for part in segment.parts if isinstance(part, str))
    if not _PLAIN.fullmatch(literal):
        raise TemplateInvalid(
            "the path holds a character that belongs percent-encoded, or into the query"
        )
    open_places = any(True for _ in segment.names)
    if not open_places and (_is_a_step(literal) or not (literal or is_last)):
        raise TemplateInvalid("the path holds an empty part, or . or ..")


def _segment(segment: Template, scope: Scope) -> str:
    written = ""
    for part in segment.parts:
        if isinstance(part, str):
            written += part
            continue
        value = Template((part,)).text(scope)
        field = "/action/resource" if part[0] == "resource" else "/action/" + "/".join(part)
        if not value or "/" in value or "\\" in value or _CONTROL.search(value):
            raise InvalidInput(
                f"{'.'.join(part)} goes into a path: it cannot be empty, nor hold a slash,"
                " a backslash or a control character",
                field=field,
            )
        written += _quoted(value)
    if _is_a_step(written):
        raise InvalidInput("a part of the path would be . or .., which leads elsewhere")
    return written


def _is_a_step(segment: str) -> bool:
    return segment.replace("%2E", ".").replace("%2e", ".") in {".", ".."}


def _quoted(text: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise InvalidInput("a text with half a character in it cannot be sent") from None
