"""Whose an account in a chat is, from what is committed."""

from collections.abc import Sequence

from bot.core.actors import system_actor
from bot.core.identity import ChatIdentity, LinkedBy
from bot.core.ids import PersonId
from bot.core.step import Ask
from bot.core.transitions import linking
from bot.ports.queries import LinkOf, LinksOfPerson, PersonByEmail, PersonById
from bot.ports.store import Store

#: What links an account because its address is that of a person.
MATCHER = system_actor("matcher")


class StoredIdentities:
    """Implements :class:`bot.ports.identities.Identities`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def person(self, identity: ChatIdentity) -> PersonId | None:
        """Return whose *identity* is, while that person is active."""
        linked = await self._store.read(LinkOf(identity))
        if linked is None or not await self._is_active(linked.person):
            return None
        return linked.person

    async def of(self, person: PersonId, chat: str) -> Sequence[ChatIdentity]:
        if not await self._is_active(person):
            return []
        linked = await self._store.read(LinksOfPerson(person))
        return [link.identity for link in linked if link.identity.chat == chat]

    async def email(self, person: PersonId) -> str | None:
        found = await self._store.read(PersonById(person))
        return found.email if found is not None and found.active else None

    async def person_with_email(self, email: str) -> PersonId | None:
        found = await self._store.read(PersonByEmail(email))
        return None if found is None else found.id

    async def link_by_email(self, person: PersonId, identity: ChatIdentity) -> None:
        await self._store.transact(
            Ask(person=person, identity=identity),
            lambda snapshot: linking.link(snapshot, identity, by=LinkedBy.EMAIL, actor=MATCHER),
        )

    async def _is_active(self, person: PersonId) -> bool:
        found = await self._store.read(PersonById(person))
        return found is not None and found.active
