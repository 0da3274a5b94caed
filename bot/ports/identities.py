"""Which person a chat's account belongs to, and the other way round."""

from collections.abc import Sequence
from typing import Protocol

from bot.core.identity import ChatIdentity
from bot.core.ids import PersonId


class Identities(Protocol):
    """Reads committed state each time; what is not linked belongs to nobody."""

    async def person(self, identity: ChatIdentity) -> PersonId | None: ...

    async def of(self, person: PersonId, chat: str) -> Sequence[ChatIdentity]:
        """Return the accounts of *person* in *chat*, the one linked last first."""
        ...

    async def email(self, person: PersonId) -> str | None:
        """Return the address an admin gave for *person*, where there is one."""
        ...

    async def person_with_email(self, email: str) -> PersonId | None:
        """Return the one active person an admin gave *email*, whatever its case."""
        ...

    async def link_by_email(self, person: PersonId, identity: ChatIdentity) -> None:
        """Link an account whose address the chat has verified to be that of *person*.

        Raises:
            Conflict: the account belongs to somebody else.
            NotFound: there is no such active person.
        """
        ...
