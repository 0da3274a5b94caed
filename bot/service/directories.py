"""Groups of the file and of chats, told apart by their names."""

import asyncio
from collections.abc import Collection, Mapping
from logging import getLogger
from types import MappingProxyType

from bot.core.approval import Membership
from bot.core.ids import PersonId
from bot.ports.directory import Directory, HasDirectory

log = getLogger(__name__)

#: How long the groups of a chat may take to answer; then nobody belongs to them.
ANSWER_WITHIN_S = 5.0
_SEPARATOR = ":"


class Directories:
    """Implements :class:`bot.ports.directory.Directory`.

    A name with the prefix of a chat that has groups is asked of that chat without the prefix,
    everything else of the file. One that fails leaves its groups to nobody, and no other out.
    """

    def __init__(self, file: Directory, *, chats: Mapping[str, object]) -> None:
        self._file = file
        self._of_chats = {
            name: chat.directory for name, chat in chats.items() if isinstance(chat, HasDirectory)
        }

    async def members(self, groups: Collection[str]) -> Membership:
        """Return the people in each of *groups*, as they are now."""
        asked: dict[str | None, list[str]] = {}
        for group in groups:
            chat, separator, _ = group.partition(_SEPARATOR)
            known = chat if separator and chat in self._of_chats else None
            asked.setdefault(known, []).append(group)
        answers = await asyncio.gather(*(self._ask(chat, names) for chat, names in asked.items()))
        found: dict[str, frozenset[PersonId]] = {}
        for answer in answers:
            found |= answer
        return MappingProxyType(found)

    async def _ask(self, chat: str | None, groups: Collection[str]) -> Membership:
        if chat is None:
            return await self._file.members(groups)
        plain = {group.partition(_SEPARATOR)[2]: group for group in groups}
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                found = await self._of_chats[chat].members(list(plain))
        except Exception:
            # Whatever goes wrong there, nobody may decide by it.
            log.exception("groups of a chat cannot be read", extra={"chat": chat})
            return {}
        return {plain[name]: people for name, people in found.items() if name in plain}
