"""YAML as a policy file uses it: one document of plain mappings, lists and scalars.

Anchors, aliases and tags are refused, so that a file says what it says where it says it; so
are keys that appear twice. Scalars read as in YAML 1.2: ``no`` is text, ``0o17`` and ``1:30``
too, and only ``true`` and ``false`` are booleans.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, cast

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bot.core.canonical import MAX_INTEGER, Json

MAX_FILE_CHARS: Final = 1_000_000
MAX_DEPTH: Final = 32

Place: TypeAlias = tuple[str | int, ...]

_TEXT_TAG: Final = "tag:yaml.org,2002:str"
_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_CONSTANTS: Final[dict[str, Json]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and the line where it is, from 1."""

    line: int
    message: str


@dataclass(slots=True)
class Read:
    """What a text says: its value, the line of each place in it, and what is wrong with it."""

    value: Json = None
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, place: Sequence[str | int]) -> int:
        """Return the line of *place*, or of the nearest place around it that the text has."""
        here: Place = ()
        for step in place:
            # A place may name steps that only the model has, such as a kind of effect.
            if (*here, step) in self.lines:
                here = (*here, step)
        return self.lines.get(here, 1)


def read_yaml(text: str) -> Read:
    """Return what *text* says, with every problem that does not hide the rest."""
    read = Read()
    if len(text) > MAX_FILE_CHARS:
        read.problems.append(Problem(1, f"the file is longer than {MAX_FILE_CHARS} characters"))
        return read
    try:
        node = yaml.compose(text, Loader=_PlainLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(filter(None, (error.context, error.problem))) or "not YAML"
        read.problems.append(Problem(mark.line + 1 if mark else 1, what))
    except yaml.YAMLError as error:
        read.problems.append(Problem(1, f"the YAML cannot be read: {str(error).splitlines()[0]}"))
    else:
        if node is not None:
            read.value = _value(node, (), read)
    return read


class _PlainLoader(yaml.SafeLoader):
    """Composes nodes; refuses what could make a file mean more than it shows."""

    depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refused(event, "anchors (&) and aliases (*) are not used here: write it out")
        if getattr(event, "tag", None) is not None:
            raise _refused(event, "tags (!) are not used here: write the value alone")
        if self.depth > MAX_DEPTH:
            raise _refused(event, f"nested deeper than {MAX_DEPTH} levels")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _refused(event: yaml.Event, problem: str) -> yaml.MarkedYAMLError:
    mark = cast("yaml.Mark", event.start_mark)
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _value(node: Node, place: Place, read: Read) -> Json:
    read.lines.setdefault(place, _line(node))
    match node:
        case MappingNode():
            return _mapping(node, place, read)
        case SequenceNode():
            return [_value(item, (*place, at), read) for at, item in enumerate(node.value)]
        case ScalarNode(style=None):
            return _plain(node, read)
        case _:
            return str(node.value)


def _mapping(node: MappingNode, place: Place, read: Read) -> Json:
    members: dict[str, Json] = {}
    for key, value in node.value:
        if not isinstance(key, ScalarNode) or (key.style is None and _spells_no_text(key.value)):
            shown = f" {key.value}" if isinstance(key, ScalarNode) else ""
            message = f"the key{shown} is not text: put it in quotation marks"
            read.problems.append(Problem(_line(key), message))
        elif key.value in members:
            first = read.lines[*place, key.value]
            message = f"the key {key.value} appears twice, first on line {first}"
            read.problems.append(Problem(_line(key), message))
        else:
            read.lines[*place, key.value] = _line(key)
            members[key.value] = _value(value, (*place, key.value), read)
    return members


def _spells_no_text(written: str) -> bool:
    return (
        written in _CONSTANTS
        or _INTEGER.fullmatch(written) is not None
        or _FLOAT.fullmatch(written) is not None
    )


def _plain(node: ScalarNode, read: Read) -> Json:
    written = str(node.value)
    if written in _CONSTANTS:
        return _CONSTANTS[written]
    # The length first: int() of very many digits is slow, and refused by Python itself.
    if _INTEGER.fullmatch(written):
        if len(written) <= len(str(-MAX_INTEGER)) and abs(int(written)) <= MAX_INTEGER:
            return int(written)
        message = "an integer beyond ±(2^53-1): put it in quotation marks if it is text"
        read.problems.append(Problem(_line(node), message))
        return 0
    if _FLOAT.fullmatch(written):
        number = float(written)
        if abs(number) > MAX_INTEGER:
            message = "a number beyond ±(2^53-1): put it in quotation marks if it is text"
            read.problems.append(Problem(_line(node), message))
            return 0
        return number
    return written


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
