"""Groups from a file: read anew each time, and what cannot be read belongs to nobody."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from adapters.file.directory import FileDirectory
from bot.core.ids import PersonId

Write: TypeAlias = Callable[[str | bytes], None]

PEOPLE = {"dana": PersonId("per_dana"), "li": PersonId("per_li")}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "groups.yaml"


@pytest.fixture
def write(file: Path) -> Write:
    def to_file(content: str | bytes) -> None:
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    return to_file


@pytest.fixture
def directory(file: Path) -> FileDirectory:
    async def person_of(ref: str) -> PersonId | None:
        known = {**PEOPLE, **{person: person for person in PEOPLE.values()}}
        return known.get(ref)

    return FileDirectory(file, person_of)


async def test_handles_and_ids_name_the_same_people(write: Write, directory: FileDirectory):
    write("groups: {security: [dana, per_li, per_dana]}\n")
    assert await directory.members({"security"}) == {"security": set(PEOPLE.values())}


async def test_a_change_counts_at_once(write: Write, directory: FileDirectory):
    write("groups: {security: [dana, li]}\n")
    await directory.members({"security"})
    write("groups: {security: [li]}\n")
    assert await directory.members({"security"}) == {"security": {"per_li"}}
    write("")
    assert await directory.members({"security"}) == {}


@pytest.mark.parametrize(
    "text",
    [
        "groups: {security: [nobody]}",
        "groups: {security: []}",
        "groups: {security: dana}",
        "groups: {security: [dana, 3]}",
        "groups: {security: [[dana]]}",
        "groups: {other: [dana]}",
        "groups: [security]",
        "group: {security: [dana]}",
        "groups: {security: [dana]}\ngroups: {security: [dana]}",
        "groups: {security: [dana",
        "",
        "- dana",
    ],
)
async def test_what_is_not_a_list_of_known_people_belongs_to_nobody(
    write: Write, directory: FileDirectory, text: str
):
    write(text)
    assert await directory.members({"security"}) == {}


async def test_a_file_that_is_not_there_belongs_to_nobody(directory: FileDirectory):
    assert await directory.members({"security"}) == {}


async def test_bytes_that_are_no_text_belong_to_nobody(write: Write, directory: FileDirectory):
    write(b"groups: {security: [\xff]}")
    assert await directory.members({"security"}) == {}


async def test_one_bad_group_leaves_the_others(write: Write, directory: FileDirectory):
    write("groups: {security: dana, legal: [li]}\n")
    assert await directory.members({"security", "legal"}) == {"legal": {"per_li"}}


async def test_without_a_file_there_are_no_groups():
    async def person_of(ref: str) -> PersonId | None:
        return PEOPLE.get(ref)

    assert await FileDirectory(None, person_of).members({"security"}) == {}


async def test_a_problem_is_logged_when_it_begins_and_not_each_time(
    write: Write, directory: FileDirectory, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.WARNING, logger="adapters")
    write("groups: {security: [nobody, dana]}\n")
    for _ in range(3):
        assert await directory.members({"security"}) == {"security": {"per_dana"}}
    assert len(caplog.records) == 1
    assert "nobody" in str(vars(caplog.records[0])["problems"])
