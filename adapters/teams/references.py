"""Where each account's personal chat is: stored on every activity, asked before every card."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum, unique
from typing import Final

from adapters.teams.transport import Conversation
from bot.ports.shelf import Shelf

_KIND: Final = "teams_chat"
_REMEMBERED: Final = 10_000


@unique
class Standing(StrEnum):
    HERE = "here"
    REMOVED = "removed"  #: the person removed the app; what is sent there might still arrive
    LOST = "lost"  #: Teams did not take what was sent there


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    chat: Conversation
    standing: Standing = Standing.HERE


class References:
    """By organisation and account."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        #: What was kept last of each account: a click need not keep it again.
        self._kept: dict[tuple[str, str], Conversation] = {}

    async def of(self, tenant: str, user: str) -> Reference | None:
        item = await self._shelf.get(_KIND, f"{tenant}/{user}")
        return None if item is None else _read(item.value)

    async def met(self, chat: Conversation) -> None:
        """Keep *chat*: the account has spoken there, so it is reached there."""
        if self._kept.get((chat.tenant, chat.user)) == chat:
            return
        before = await self.of(chat.tenant, chat.user)
        if chat.mri is None and before is not None:
            chat = replace(chat, mri=before.chat.mri)
        await self._keep(Reference(chat=chat), before)

    async def removed(self, tenant: str, user: str) -> None:
        """Send nothing more to the account, until it speaks or installs the app again."""
        before = await self.of(tenant, user)
        if before is not None:
            await self._keep(replace(before, standing=Standing.REMOVED), before)

    async def lost(self, tenant: str, user: str) -> None:
        """Send nothing more to that chat; which one is right is asked anew."""
        before = await self.of(tenant, user)
        if before is not None and before.standing is Standing.HERE:
            await self._keep(replace(before, standing=Standing.LOST), before)

    async def accounts(self) -> Sequence[tuple[str, str]]:
        """Return the organisation and id of every account that was ever met."""
        found = []
        for item in await self._shelf.list(_KIND):
            tenant, _, user = item.key.partition("/")
            found.append((tenant, user))
        return found

    async def _keep(self, reference: Reference, before: Reference | None) -> None:
        chat = reference.chat
        self._kept.pop((chat.tenant, chat.user), None)
        if reference != before:
            key = f"{chat.tenant}/{chat.user}"
            await self._shelf.put(_KIND, key, json.dumps(asdict(reference)).encode())
        if reference.standing is Standing.HERE:
            if len(self._kept) >= _REMEMBERED:
                self._kept.pop(next(iter(self._kept)))
            self._kept[chat.tenant, chat.user] = chat


def _read(value: bytes) -> Reference:
    record = json.loads(value)
    return Reference(chat=Conversation(**record["chat"]), standing=Standing(record["standing"]))
