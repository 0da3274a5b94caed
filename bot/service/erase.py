"""Everything about one person goes, and the log still verifies."""

from bot.core.actors import Actor, Person
from bot.core.erasure import Erased, Erasure
from bot.core.errors import InvalidInput
from bot.ports.queries import ErasureScope, LinksOfPerson
from bot.service.gate import Gate
from bot.service.people import PeopleBook


class Erase:
    def __init__(self, gate: Gate, people: PeopleBook) -> None:
        self._gate = gate
        self._people = people

    async def scope(self, ref: str) -> tuple[Person, Erased]:
        """Return who *ref* is, and how much an erasure would remove now.

        Raises:
            NotFound: there is no such person.
        """
        person = await self._people.get(ref)
        return person, await self._gate.store.read(ErasureScope(person.id))

    async def erase(self, actor: Actor, ref: str, *, reason: str) -> Erased:
        """Remove what is kept about a person, once more if it was interrupted.

        Raises:
            NotFound: there is no such person.
            Conflict: something has to end first; nothing was changed.
            InvalidInput: the reason is empty.
            StoreUnavailable: ask again: it is not known how far it came.
        """
        if not reason.strip():
            raise InvalidInput("Say why.", field="/reason", remedy="Give a reason.")
        gate = self._gate
        person = await self._people.get(ref)
        erasure = Erasure(person=person.id, actor=actor, reason=reason.strip())
        if not (await gate.store.read(ErasureScope(person.id))).obstacles:
            # Before the store forgets them: if this is interrupted, they are found once more.
            for link in await gate.store.read(LinksOfPerson(person.id)):
                await gate.shelf.forget(link.identity.user)
        committed = await gate.store.erase(erasure)
        gate.begin(committed.leases)
        await gate.shelf.forget(person.id)
        gate.tally.count("erased", "person")
        return committed.value
