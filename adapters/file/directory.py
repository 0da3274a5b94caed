"""Groups of people from `groups.yaml`, read anew each time it matters."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.core.approval import Membership
from bot.core.ids import PersonId
from bot.core.policy_yaml import read_yaml

#: Finds an active person by handle or id; None when there is none.
PersonOf: TypeAlias = Callable[[str], Awaitable[PersonId | None]]

_log = logging.getLogger(__name__)
_NOBODY: Membership = MappingProxyType({})


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    groups: dict[str, object] = Field(default_factory=dict)


_Members = TypeAdapter(
    list[Annotated[str, Field(strict=True, min_length=1)]], config=ConfigDict(strict=True)
)


class FileDirectory:
    """Answers from the file's present content only.

    What cannot be read, understood or resolved belongs to nobody, and is logged when it changes.
    """

    def __init__(self, path: Path | None, person_of: PersonOf) -> None:
        """Read from *path*; without one there are no groups."""
        self._path = path
        self._person_of = person_of
        self._parsed: tuple[bytes, Mapping[str, Sequence[str]]] | None = None
        self._logged: frozenset[str] = frozenset()

    async def members(self, groups: Collection[str]) -> Membership:
        """Return the active people in each of *groups*, as the file has them now."""
        found, problems = await self._resolve(groups)
        self._tell(frozenset(problems))
        return MappingProxyType(found)

    async def problems(self) -> Sequence[str]:
        """Return what in the file is not as it was meant."""
        _, problems = await self._resolve(self.names())
        return problems

    async def _resolve(
        self, groups: Collection[str]
    ) -> tuple[dict[str, frozenset[PersonId]], list[str]]:
        problems: list[str] = []
        named = self._read(problems)
        is_usable = not problems
        found: dict[str, frozenset[PersonId]] = {}
        for group in groups:
            if group not in named:
                if is_usable:
                    problems.append(f"no group {group}")
                continue
            people = {entry: await self._person_of(entry) for entry in named[group]}
            problems += [
                f"nobody active is {entry} of {group}"
                for entry, person in people.items()
                if person is None
            ]
            if known := frozenset(person for person in people.values() if person is not None):
                found[group] = known
        return found, problems

    def names(self) -> Mapping[str, Sequence[str]]:
        """Return every group with its entries as written; nothing when the file is unusable."""
        return self._read([])

    def _read(self, problems: list[str]) -> Mapping[str, Sequence[str]]:
        if self._path is None:
            problems.append("the setting groups names no file")
            return {}
        try:
            content = self._path.read_bytes()
        except OSError as error:
            problems.append(f"cannot be read: {error.strerror}")
            return {}
        if self._parsed is None or self._parsed[0] != content:
            named = _parse(content, problems)
            if problems:
                return named
            self._parsed = content, named
        return self._parsed[1]

    def _tell(self, problems: frozenset[str]) -> None:
        if problems and problems != self._logged:
            _log.warning(
                "groups incomplete",
                extra={"file": str(self._path), "problems": sorted(problems)},
            )
        self._logged = problems


def _parse(content: bytes, problems: list[str]) -> Mapping[str, Sequence[str]]:
    """Return the groups that can be understood, and add to *problems* what cannot."""
    try:
        read = read_yaml(content.decode())
    except UnicodeDecodeError:
        problems.append("is not UTF-8")
        return {}
    if read.problems:
        problems += [f"line {one.line}: {one.message}" for one in read.problems]
        return {}
    try:
        file = _File.model_validate(read.value or {})
    except ValidationError:
        problems.append("has more or other keys than `groups`")
        return {}
    named: dict[str, Sequence[str]] = {}
    for group, entries in file.groups.items():
        try:
            named[group] = tuple(_Members.validate_python(entries))
        except ValidationError:
            problems.append(f"group {group} is not a list of handles or ids")
    return MappingProxyType(named)
