"""Admins register people, give them roles, and end their access."""

import asyncio
import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from bot.core.actors import Actor, Person, Role, Token
from bot.core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from bot.core.ids import ID_ENTROPY_BYTES, PersonId, person_id, token_id
from bot.core.leaf import LeafDraft
from bot.core.states import ActorKind
from bot.core.step import Ask, Refusal, Snapshot, Step, Transition
from bot.core.tokens import TOKEN_ENTROPY_BYTES, TokenKind, spell_token, token_hash
from bot.ports.queries import People, PersonByEmail, PersonByHandle, PersonById, TokensOf
from bot.service.gate import Gate

#: What one address looks like; whether it is somebody's, the chat has to know.
_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]{1,190}")
_HANDLE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_MAX_NAME_CHARS = 100


class PeopleBook:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._naming = asyncio.Lock()

    async def create(
        self,
        actor: Actor,
        *,
        handle: str,
        display_name: str,
        roles: Collection[Role] = (),
        email: str | None = None,
    ) -> Person:
        """Register a person.

        Raises:
            InvalidInput: the handle, name or address is of the wrong form.
            Conflict: the handle or the address is taken.
        """
        address = _address(email)
        if not _HANDLE.fullmatch(handle):
            raise InvalidInput(
                "A handle is 1 to 64 of a-z, 0-9, dot, dash and underscore.", field="/handle"
            )
        name = display_name.strip() or handle
        if len(name) > _MAX_NAME_CHARS or not name.isprintable():
            raise InvalidInput(
                f"A name is at most {_MAX_NAME_CHARS} printable characters.", field="/display_name"
            )
        async with self._naming:
            if await self._gate.store.read(PersonByHandle(handle)) is not None:
                raise Conflict(
                    f"There is a person called '{handle}' already.",
                    remedy="Choose another name: a name is for one alone, for good.",
                )
            await self._require_free(address, of=None)
            new = person_id(self._gate.entropy(ID_ENTROPY_BYTES))

            def step(snapshot: Snapshot) -> Step[Person]:
                person = Person(
                    id=new,
                    handle=handle,
                    display_name=name,
                    roles=frozenset(roles),
                    created_at=snapshot.now,
                    email=address,
                )
                return _put("person.created", person, actor)

            return await self._gate.commit(Ask(), step)

    async def set_roles(self, actor: Actor, ref: str, roles: Collection[Role]) -> Person:
        """Replace the roles of a person.

        Raises:
            NotFound: there is no such person.
        """
        person = await self.get(ref)
        return await self._change(actor, person.id, "person.roles_changed", roles=frozenset(roles))

    async def deactivate(self, actor: Actor, ref: str) -> Person:
        """End all access of a person; their earlier decisions stay recorded.

        Raises:
            NotFound: there is no such person.
        """
        person = await self.get(ref)
        return await self._change(actor, person.id, "person.deactivated", active=False)

    async def set_email(self, actor: Actor, ref: str, email: str | None) -> Person:
        """Replace or remove the address by which chats find a person.

        Raises:
            NotPermitted: a person, whatever their role, sets an address that is not their own:
                whoever has it in a chat may be taken for that person.
            NotFound: there is no such person.
            InvalidInput: it is of the wrong form.
            Conflict: another active person has it.
        """
        address = _address(email)
        person = await self.get(ref)
        if actor.kind is ActorKind.PERSON and actor.id != person.id:
            raise NotPermitted(
                "The address of somebody else is set by the operator.",
                remedy="Ask the operator: 'keyturn person set-email' on the machine does it.",
            )
        async with self._naming:
            await self._require_free(address, of=person.id)

            def step(snapshot: Snapshot) -> Step[Person]:
                if snapshot.person is None or not snapshot.person.active:
                    return Refusal(NotFound("There is no such active person."))
                changed = replace(snapshot.person, email=address)
                leaf = LeafDraft(
                    type="person.email_set",
                    actor=actor,
                    clear={"person": changed.id, "removed": address is None},
                    private={} if address is None else {"email": address},
                )
                return Transition(value=changed, puts=(changed,), leaves=(leaf,))

            return await self._gate.commit(Ask(person=person.id), step)

    async def admin_token(self, actor: Actor, ref: str) -> tuple[Person, str]:
        """Give a person a new token for the admin interface; earlier ones end at once.

        Raises:
            NotPermitted: a person asks for a token that is not their own.
            NotFound: there is no such person.
            InvalidInput: they have no role that may use it.
        """
        person = await self.get(ref)
        if actor.kind is ActorKind.PERSON and actor.id != person.id:
            raise NotPermitted(
                "An admin's token is made for oneself only.",
                remedy="Ask the operator: 'keyturn person admin-token' on the machine makes it.",
            )
        if not person.active or not person.roles & {Role.ADMIN, Role.AUDITOR}:
            raise InvalidInput(
                f"'{person.handle}' has no role that may use the admin interface.",
                remedy="Give them the role admin or auditor first.",
            )
        earlier = await self._gate.store.read(TokensOf(person.id))
        secret = spell_token(TokenKind.ADMIN, self._gate.entropy(TOKEN_ENTROPY_BYTES))
        new = token_id(self._gate.entropy(ID_ENTROPY_BYTES))

        def step(snapshot: Snapshot) -> Step[Person]:
            issued = Token(
                id=new,
                kind=TokenKind.ADMIN,
                hash=token_hash(secret),
                holder=person.id,
                created_at=snapshot.now,
            )
            ended = tuple(replace(t, ends_at=snapshot.now) for t in earlier if t.ends_at is None)
            leaf = LeafDraft(
                type="person.admin_token",
                actor=actor,
                clear={"person": person.id, "token": issued.id},
            )
            return Transition(value=person, puts=(*ended, issued), leaves=(leaf,))

        return await self._gate.commit(Ask(), step), secret

    async def list(self) -> Sequence[Person]:
        return await self._gate.store.read(People())

    async def get(self, ref: str) -> Person:
        """Return the person with the id or handle *ref*.

        Raises:
            NotFound: there is none.
        """
        found = await self._gate.store.read(PersonById(PersonId(ref)))
        found = found or await self._gate.store.read(PersonByHandle(ref))
        if found is None:
            raise NotFound(
                f"There is no person '{ref}'.", remedy="List the people to see them all."
            )
        return found

    async def _require_free(self, email: str | None, *, of: PersonId | None) -> None:
        if email is None:
            return
        other = await self._gate.store.read(PersonByEmail(email))
        if other is not None and other.id != of:
            raise Conflict(
                "Another active person has this address already.",
                remedy="An address leads to one person: remove it there first.",
            )

    async def _change(
        self,
        actor: Actor,
        person: PersonId,
        type_: str,
        *,
        roles: frozenset[Role] | None = None,
        active: bool | None = None,
    ) -> Person:
        def step(snapshot: Snapshot) -> Step[Person]:
            if snapshot.person is None:
                return Refusal(NotFound("There is no such person."))
            changed = replace(
                snapshot.person,
                roles=snapshot.person.roles if roles is None else roles,
                active=snapshot.person.active if active is None else active,
            )
            return _put(type_, changed, actor)

        return await self._gate.commit(Ask(person=person), step)


def _address(email: str | None) -> str | None:
    if email is None:
        return None
    address = email.strip()
    if not _EMAIL.fullmatch(address) or not address.isprintable():
        raise InvalidInput(
            "This is no address. Write it like dana@your-company.net.", field="/email"
        )
    return address


def _put(type_: str, person: Person, actor: Actor) -> Transition[Person]:
    return Transition(
        value=person,
        puts=(person,),
        leaves=(
            LeafDraft(
                type=type_,
                actor=actor,
                clear={
                    "person": person.id,
                    "roles": sorted(person.roles),
                    "active": person.active,
                },
                private={
                    "handle": person.handle,
                    "display_name": person.display_name,
                    **({} if person.email is None else {"email": person.email}),
                },
            ),
        ),
    )
