"""A person joins an account in a chat to themselves, with a code that works once."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bot.core.actors import Actor, Person, person_actor
from bot.core.errors import NotAuthenticated, NotFound, NotPermitted
from bot.core.identity import ChatIdentity, LinkedBy, LinkedIdentity
from bot.core.ids import PersonId
from bot.core.leaf import LeafDraft
from bot.core.link_code import (
    LINK_CODE_ENTROPY_BYTES,
    link_code_hash,
    read_link_code,
    spell_link_code,
)
from bot.core.states import ActorKind
from bot.core.step import Ask, Snapshot, Step, Transition
from bot.core.transitions import linking
from bot.ports.chat import SignsPeopleIn
from bot.ports.desk import LinkCode
from bot.ports.queries import LinkOf, LinksOfPerson
from bot.ports.shelf import Item
from bot.service.gate import Gate
from bot.service.guesses import Guesses
from bot.service.visible import active_person

CODE_TTL_S: Final = 600
_SHELF_KIND: Final = "link_code"


class Linking:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._guesses = Guesses(gate)

    def chats(self) -> Sequence[str]:
        """Return the chats in which people have accounts to link, in the order of the settings."""
        return [
            name for name, chat in self._gate.chats.items() if not isinstance(chat, SignsPeopleIn)
        ]

    async def code(self, actor: Actor, person: PersonId, *, chat: str) -> LinkCode:
        """Return a code for *person* alone; it is shown this once.

        Raises:
            NotPermitted: a person, whatever their role, asks for a code that is not their own:
                whoever redeems it decides in that person's place.
            NotFound: there is no such active person, or no such chat.
        """
        gate = self._gate
        if actor.kind is ActorKind.PERSON and actor.id != person:
            raise NotPermitted(
                "A code that links an account is made for oneself only.",
                remedy="Ask the operator: 'keyturn person link-code' on the machine makes it.",
            )
        if chat not in self.chats():
            raise NotFound(f"There is no chat '{chat}' with accounts to link.")
        try:
            await active_person(gate, person)
        except NotAuthenticated:
            raise NotFound("There is no such active person.") from None
        code = spell_link_code(gate.entropy(LINK_CODE_ENTROPY_BYTES))
        await self._record_code(actor, person, chat)
        known = read_link_code(code)
        assert known is not None  # spelled above
        value = json.dumps({"person": person, "chat": chat}).encode()
        await gate.shelf.put(_SHELF_KIND, link_code_hash(known), value, ttl_s=CODE_TTL_S)
        return LinkCode(
            person=person, code=code, expires_at=gate.clock.now() + timedelta(seconds=CODE_TTL_S)
        )

    async def whose(self, code: str, *, by: ChatIdentity | None = None) -> Person:
        """Return the person *code* is for; it stays usable.

        Raises:
            NotAuthenticated: it is unknown, used or too old, or too many were tried.
        """
        return await active_person(self._gate, _person_of(await self._item(code, by=by)))

    async def link(self, code: str, identity: ChatIdentity) -> Person:
        """Join *identity* to the person of *code*, which ends with this.

        Raises:
            NotAuthenticated: the code is unknown, used, too old, or for another chat.
            Conflict: the account belongs to another person.
        """
        item = await self._item(code, by=identity)
        if _chat_of(item) != identity.chat:
            raise NotAuthenticated(
                "This code is for another chat.",
                remedy="Make one for this chat on the page Accounts of the inbox.",
            )
        person = await active_person(self._gate, _person_of(item))
        earlier = await self._gate.store.read(LinkOf(identity))
        # A code is not used up where the account is somebody else's: the step says so below.
        if earlier is None or earlier.person == person.id:
            taken = await self._gate.shelf.take(_SHELF_KIND, item.key)
            if taken is None:
                raise _unknown()
        return await self._gate.commit(
            Ask(person=person.id, identity=identity),
            lambda snapshot: linking.link(
                snapshot, identity, by=LinkedBy.CODE, actor=person_actor(person.id)
            ),
        )

    async def of(self, person: PersonId) -> Sequence[LinkedIdentity]:
        """Return every identity of *person*, the one linked last first."""
        return await self._gate.store.read(LinksOfPerson(person))

    async def unlink(self, actor: Actor, person: PersonId, identity: ChatIdentity) -> None:
        """Part *identity* from *person*, who is found by no address any more either.

        Raises:
            NotFound: it is not linked to *person*.
        """
        await self._gate.commit(
            Ask(identity=identity, person=person),
            lambda snapshot: linking.unlink(snapshot, person=person, actor=actor),
        )

    async def person_of(self, identity: ChatIdentity) -> Person | None:
        """Return whose *identity* is; None while it is nobody's.

        Raises:
            NotAuthenticated: that person is no longer active.
        """
        linked = await self._gate.store.read(LinkOf(identity))
        return None if linked is None else await active_person(self._gate, linked.person)

    async def _item(self, code: str, *, by: ChatIdentity | None) -> Item:
        await self._guesses.require_more(by)
        typed = read_link_code(code)
        item = None
        if typed is not None:
            item = await self._gate.shelf.get(_SHELF_KIND, link_code_hash(typed))
        if item is None:
            await self._guesses.was_wrong(by)
            raise _unknown()
        return item

    async def _record_code(self, actor: Actor, person: PersonId, chat: str) -> None:
        def step(_: Snapshot) -> Step[None]:
            clear = {"person": person, "chat": chat}
            leaf = LeafDraft(type="identity.code_made", actor=actor, clear=clear)
            return Transition(value=None, leaves=(leaf,))

        await self._gate.commit(Ask(), step)


def _person_of(item: Item) -> PersonId:
    return PersonId(json.loads(item.value)["person"])


def _chat_of(item: Item) -> str:
    chat: str = json.loads(item.value)["chat"]
    return chat


def _unknown() -> NotAuthenticated:
    return NotAuthenticated(
        "This code is not known: it has been used, its time is over, or it was mistyped.",
        remedy="Make a new one on the page Accounts of the inbox.",
    )
