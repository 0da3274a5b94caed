"""A person signs in with a link that works once and not for long."""

from datetime import timedelta

from bot.core.actors import Actor, Person, person_actor
from bot.core.errors import NotAuthenticated, NotFound, NotPermitted
from bot.core.ids import PersonId
from bot.core.leaf import LeafDraft
from bot.core.states import ActorKind
from bot.core.step import Ask, Snapshot, Step, Transition
from bot.core.tokens import TOKEN_ENTROPY_BYTES, TokenKind, spell_token, token_hash
from bot.ports.desk import SignInLink
from bot.ports.queries import PersonById
from bot.service.gate import Gate

LINK_TTL_S = 600
_SHELF_KIND = "sign_in"


class SignIn:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def link(self, actor: Actor, person: PersonId, *, ttl_s: int = LINK_TTL_S) -> SignInLink:
        """Return a code for *person* alone; it is shown this once.

        Raises:
            NotPermitted: a person, whatever their role, asks for a link that is not their own:
                whoever opens it decides in that person's place.
            NotFound: there is no such active person.
        """
        gate = self._gate
        if actor.kind is ActorKind.PERSON and actor.id != person:
            raise NotPermitted(
                "A sign-in link is made for oneself only.",
                remedy="Ask the operator: 'keyturn signin' on the machine makes it.",
            )
        found = await gate.store.read(PersonById(person))
        if found is None or not found.active:
            raise NotFound("There is no such active person.")
        code = spell_token(TokenKind.SESSION, gate.entropy(TOKEN_ENTROPY_BYTES))
        await self._record(actor, "sign_in.link_made", person)
        await gate.shelf.put(_SHELF_KIND, token_hash(code), person.encode(), ttl_s=ttl_s)
        return SignInLink(
            person=person, code=code, expires_at=gate.clock.now() + timedelta(seconds=ttl_s)
        )

    async def redeem(self, code: str) -> Person:
        """Return whose *code* it is; the same code never works again.

        Raises:
            NotAuthenticated: unknown, used, or too old.
        """
        taken = await self._gate.shelf.take(_SHELF_KIND, token_hash(code))
        if taken is None:
            raise NotAuthenticated(
                "This sign-in link has been used, or its time is over.",
                remedy="Ask for a new one: 'keyturn signin' prints it.",
            )
        person = await self._gate.store.read(PersonById(PersonId(taken.value.decode())))
        if person is None or not person.active:
            raise NotAuthenticated("This person is no longer active.")
        await self._record(person_actor(person.id), "sign_in.done", person.id)
        return person

    async def _record(self, actor: Actor, type_: str, person: PersonId) -> None:
        def step(_: Snapshot) -> Step[None]:
            leaf = LeafDraft(type=type_, actor=actor, clear={"person": person})
            return Transition(value=None, leaves=(leaf,))

        await self._gate.commit(Ask(), step)
