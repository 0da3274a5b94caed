"""What a verb's configuration may leave open: ``{params.title}``, ``{resource.thread}``, ``{key}``.

A text that is exactly one name stands for the value itself, with its type; in any other text the
value is written out. ``{{`` and ``}}`` are literal braces. There is nothing else: no expressions,
no defaults, no filters, so that what is sent can be read off the configuration.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, TypeAlias

from typing_extensions import TypeAliasType

from bot.core.canonical import Json, canonical
from bot.core.errors import InvalidInput

Name: TypeAlias = tuple[str, ...]  #: ("params", "title")
Scope: TypeAlias = Mapping[str, Json]

_TOKEN: Final = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[{}]")
_NAME: Final = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*", re.ASCII)


class TemplateInvalid(Exception):
    """A template is not well-formed; the message says where."""


@unique
class Missing(Enum):
    """The type of `MISSING`: there is no value under a name, not even null."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Template:
    """One text, cut into what is literal and what is a name."""

    parts: tuple[str | Name, ...]

    @property
    def names(self) -> Iterator[Name]:
        return (part for part in self.parts if isinstance(part, tuple))

    @property
    def whole(self) -> Name | None:
        """The name that this text is, if it is nothing else."""
        match self.parts:
            case (tuple() as name,):
                return name
            case _:
                return None

    def value(self, scope: Scope) -> Json | Missing:
        """Return the value of a text that is one name, else the text written out.

        Raises:
            InvalidInput: there is no value to write out.
        """
        return self.text(scope) if self.whole is None else look_up(self.whole, scope)

    def text(self, scope: Scope) -> str:
        """Return the text with every value written out.

        Raises:
            InvalidInput: a value is not there.
        """
        return "".join(
            part if isinstance(part, str) else _written(part, scope) for part in self.parts
        )

    def said(self, scope: Scope, say: Callable[[Json | Missing], str]) -> str:
        """Return the text with every value as *say* puts it."""
        return "".join(
            part if isinstance(part, str) else say(look_up(part, scope)) for part in self.parts
        )


Tree = TypeAliasType(
    "Tree", "Template | int | float | bool | tuple[Tree, ...] | dict[str, Tree] | None"
)


def parse_template(text: str) -> Template:
    """Return *text* as a template.

    Raises:
        TemplateInvalid: a brace stands alone, or holds something that is no name.
    """
    parts: list[str | Name] = []
    literal, at = "", 0
    for token in _TOKEN.finditer(text):
        literal += text[at : token.start()]
        at = token.end()
        match token[0]:
            case "{{" | "}}":
                literal += token[0][0]
            case "{" | "}":
                raise TemplateInvalid(
                    f"a single {token[0]}: write {token[0] * 2} for the character"
                )
            case braced if _NAME.fullmatch(braced[1:-1]):
                if literal:
                    parts.append(literal)
                literal = ""
                parts.append(tuple(braced[1:-1].split(".")))
            case braced:
                raise TemplateInvalid(f"{braced} is not a name such as {{params.title}}")
    literal += text[at:]
    if literal or not parts:
        parts.append(literal)
    return Template(tuple(parts))


def parse_tree(value: Json) -> Tree:
    """Return *value* with each text in it as a template. Keys are taken as they are.

    Raises:
        TemplateInvalid: as `parse_template`.
    """
    match value:
        case str():
            return parse_template(value)
        case Mapping():
            return {key: parse_tree(member) for key, member in value.items()}
        case Sequence():
            return tuple(map(parse_tree, value))
        case _:
            return value


def templates(tree: Tree) -> Iterator[Template]:
    """Yield every template in *tree*."""
    if isinstance(tree, Template):
        yield tree
    elif isinstance(tree, dict | tuple):
        for member in tree.values() if isinstance(tree, dict) else tree:
            yield from templates(member)


def fill(tree: Tree, scope: Scope) -> Json | Missing:
    """Return the value that *tree* stands for; a member without a value is left out.

    Raises:
        InvalidInput: a value inside a longer text is not there.
    """
    match tree:
        case Template():
            return tree.value(scope)
        case dict():
            members = ((key, fill(member, scope)) for key, member in tree.items())
            return {key: member for key, member in members if not isinstance(member, Missing)}
        case tuple():
            items = (fill(member, scope) for member in tree)
            return [item for item in items if not isinstance(item, Missing)]
        case _:
            return tree


def look_up(name: Name, scope: Scope) -> Json | Missing:
    """Return the value under *name*."""
    value: Json = scope
    for step in name:
        if not isinstance(value, Mapping) or step not in value:
            return MISSING
        value = value[step]
    return value


def as_text(value: Json) -> str:
    """Return *value* as it stands inside a longer text."""
    return value if isinstance(value, str) else canonical(value).decode()


def spelled(name: Name) -> str:
    """Return *name* as it is written in a template."""
    return "{" + ".".join(name) + "}"


def _written(name: Name, scope: Scope) -> str:
    value = look_up(name, scope)
    if isinstance(value, Missing):
        raise InvalidInput(f"{'.'.join(name)} is missing", field="/action/" + "/".join(name))
    return as_text(value)
