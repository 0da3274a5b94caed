"""Groups of the file and of chats: each asked of its own, and failures are nobody."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

import pytest

from bot.core.approval import Membership
from bot.core.card import Button
from bot.core.ids import PersonId
from bot.core.policy_file import parse_policy
from bot.core.pressed import NotRecorded, Recorded
from bot.ports.directory import Directory
from bot.service.directories import Directories
from bot.testing.directory import Groups
from bot.testing.silent_chat import SilentChat
from tests.service.office import open_office

LI, NOOR = PersonId("per_li"), PersonId("per_noor")
FROM_CHAT = """
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect: {hold: {mode: four_eyes, approvers: ["group:board:security", "group:ops"], count: 1}}
"""


@dataclass(slots=True)
class ChatWithGroups(SilentChat):
    groups: Groups = field(default_factory=Groups)

    @property
    def directory(self) -> Directory:
        return self.groups


@dataclass(slots=True)
class Broken:
    async def members(self, groups: Collection[str]) -> Membership:  # noqa: ARG002 - the fault
        raise RuntimeError("the chat answers nonsense")

    @property
    def directory(self) -> Directory:
        return self


@dataclass(slots=True)
class Invents:
    async def members(self, groups: Collection[str]) -> Membership:  # noqa: ARG002 - the fault
        return {"admins": frozenset({LI}), "ops": frozenset({LI})}

    @property
    def directory(self) -> Directory:
        return self


async def test_a_name_with_the_prefix_of_a_chat_is_asked_of_that_chat() -> None:
    chat = ChatWithGroups(groups=Groups({"security": frozenset({LI})}))
    file = Groups({"security": frozenset({NOOR}), "ops": frozenset({NOOR})})
    found = Directories(file, chats={"board": chat, "silent": SilentChat()})

    assert await found.members(["board:security", "security", "ops", "board:none"]) == {
        "board:security": frozenset({LI}),
        "security": frozenset({NOOR}),
        "ops": frozenset({NOOR}),
    }


async def test_a_name_with_the_prefix_of_a_chat_without_groups_is_nobody() -> None:
    file = Groups({"security": frozenset({NOOR})})
    found = Directories(file, chats={"silent": SilentChat()})

    assert await found.members(["silent:security", "nowhere:security"]) == {}


async def test_a_chat_that_cannot_be_asked_leaves_its_groups_to_nobody_and_no_other_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = Groups({"ops": frozenset({NOOR})})
    found = Directories(file, chats={"board": Broken()})

    assert await found.members(["board:security", "ops"]) == {"ops": frozenset({NOOR})}
    assert "groups of a chat cannot be read" in caplog.text


async def test_what_was_not_asked_is_not_believed() -> None:
    found = Directories(Groups(), chats={"board": Invents()})

    assert await found.members(["board:ops"]) == {"board:ops": frozenset({LI})}


async def test_whoever_gives_up_waiting_is_not_held_up() -> None:
    class Slow:
        @property
        def directory(self) -> Directory:
            return self

        async def members(self, groups: Collection[str]) -> Membership:  # noqa: ARG002 - it waits
            await asyncio.Event().wait()
            raise AssertionError

    found = Directories(Groups(), chats={"board": Slow()})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await found.members(["board:ops"])


async def test_a_group_of_a_chat_approves_while_its_member_is_in_it() -> None:
    async with open_office(policy=FROM_CHAT) as office:
        li, noor = await office.person("li"), await office.person("noor")
        chat = ChatWithGroups(groups=Groups({"security": frozenset({li.id})}))
        directories = Directories(Groups(), chats={"board": chat})
        office.groups.members_of.update(
            await directories.members(["board:security"]),
        )
        proposal = await office.propose()

        refused = await office.press(proposal, Button.APPROVE, by=noor.id)
        counted = await office.press(proposal, Button.APPROVE, by=li.id)

        assert isinstance(refused, NotRecorded)
        assert isinstance(counted, Recorded)


def test_a_policy_names_groups_of_chats() -> None:
    (rule,) = parse_policy(FROM_CHAT).rules
    assert rule.effect.approval.groups() == {"board:security", "ops"}  # type: ignore[union-attr]
