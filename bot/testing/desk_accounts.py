"""The half of the memory desk that keeps accounts in chats, and where notices go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.core.actors import Person, Role
from bot.core.errors import (
    Conflict,
    InvalidInput,
    KeyturnError,
    NotAuthenticated,
    NotFound,
    NotPermitted,
)
from bot.core.identity import ChatIdentity
from bot.core.ids import PersonId
from bot.core.link_code import link_code_hash, read_link_code, spell_link_code
from bot.core.notice import NoticeRoute, Topic
from bot.ports.clock import Clock
from bot.ports.desk import LinkCode

CODE_TTL_S = 600


@dataclass(slots=True, kw_only=True)
class MemoryAccounts:
    """``links`` says whose each identity is, ``link_codes`` for whom and which chat a code is.

    The chats with accounts are ``linkable``.
    """

    clock: Clock
    people: dict[PersonId, Person] = field(default_factory=dict)
    links: dict[ChatIdentity, PersonId] = field(default_factory=dict)
    link_codes: dict[str, tuple[LinkCode, str]] = field(default_factory=dict)
    linkable: tuple[str, ...] = ()
    routes: dict[str, NoticeRoute] = field(default_factory=dict)
    journal: list[tuple[str, Any]] = field(default_factory=list)
    fail_with: KeyturnError | None = None

    async def person(self, person: PersonId) -> Person:
        self._work()
        found = self.people.get(person)
        if found is None or not found.active:
            raise NotAuthenticated("This person is no longer active.")
        return found

    async def person_of(self, identity: ChatIdentity) -> Person | None:
        self._work()
        person = self.links.get(identity)
        return None if person is None else await self.person(person)

    async def linkable_chats(self) -> Sequence[str]:
        self._work()
        return self.linkable

    async def link_code(self, person: PersonId, *, chat: str) -> LinkCode:
        self._record("link_code", (person, chat))
        if chat not in self.linkable:
            raise NotFound(f"There is no chat '{chat}' with accounts to link.")
        made = LinkCode(
            person=person,
            code=spell_link_code((len(self.link_codes) + 1).to_bytes(8, "big")),
            expires_at=self.clock.now() + timedelta(seconds=CODE_TTL_S),
        )
        self.link_codes[_key(made.code)] = made, chat
        return made

    async def whose_code(self, code: str, *, by: ChatIdentity | None = None) -> Person:  # noqa: ARG002 - nobody guesses here
        self._work()
        return await self.person(self._code(code)[0].person)

    async def link(self, code: str, identity: ChatIdentity) -> Person:
        self._record("link", (code, identity))
        made, chat = self._code(code)
        if chat != identity.chat:
            raise NotAuthenticated("This code is for another chat.")
        if self.links.get(identity, made.person) != made.person:
            raise Conflict("This account belongs to somebody else in Keyturn already.")
        del self.link_codes[_key(code)]
        self.links[identity] = made.person
        return await self.person(made.person)

    async def identities(self, person: PersonId) -> Sequence[ChatIdentity]:
        self._work()
        return [identity for identity, owner in self.links.items() if owner == person]

    async def unlink(self, person: PersonId, identity: ChatIdentity) -> None:
        self._record("unlink", (person, identity))
        if self.links.get(identity) != person:
            raise NotFound("This account is not linked.")
        del self.links[identity]

    async def notice_routes(self, person: PersonId) -> Sequence[NoticeRoute]:
        self._work()
        self._require_admin(person)
        return list(self.routes.values())

    async def set_notice_route(
        self,
        person: PersonId,
        *,
        chat: str,
        place: str,
        place_name: str,
        topics: Collection[Topic],
        agents: Sequence[str] = (),
        verbs: Sequence[str] = (),
    ) -> NoticeRoute:
        self._record("set_notice_route", (person, chat, place, frozenset(topics)))
        self._require_admin(person)
        if not topics:
            raise InvalidInput("A channel is told of at least one topic.", field="/topics")
        route = NoticeRoute(
            id=f"ntr_{chat}_{place}",
            chat=chat,
            place=place,
            place_name=place_name,
            topics=frozenset(topics),
            agents=tuple(agents),
            verbs=tuple(verbs),
            set_by=person,
            set_at=self.clock.now(),
        )
        self.routes[route.id] = route
        return route

    async def end_notice_route(self, person: PersonId, route: str) -> None:
        self._record("end_notice_route", (person, route))
        self._require_admin(person)
        if self.routes.pop(route, None) is None:
            raise NotFound("There is no such route.")

    def _code(self, code: str) -> tuple[LinkCode, str]:
        found = self.link_codes.get(_key(code))
        if found is None or found[0].expires_at <= self.clock.now():
            raise NotAuthenticated("This code is not known.")
        return found

    def _require_admin(self, person: PersonId) -> None:
        if Role.ADMIN not in self.people[person].roles:
            raise NotPermitted("Only an admin says where notices go.")

    def _record(self, name: str, what: object) -> None:
        self._work()
        self.journal.append((name, what))

    def _work(self) -> None:
        if self.fail_with is not None:
            raise self.fail_with


def _key(code: str) -> str:
    typed = read_link_code(code)
    return "" if typed is None else link_code_hash(typed)
