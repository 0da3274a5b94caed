"""Admins say which channels are told what happens."""

import re
from collections.abc import Collection, Sequence
from typing import Final

from bot.core.actors import Actor
from bot.core.errors import InvalidInput, NotFound, NotPermitted
from bot.core.ids import ID_ENTROPY_BYTES, PersonId, notice_route_id
from bot.core.notice import NoticeRoute, Topic
from bot.core.states import ActorKind
from bot.core.step import Ask
from bot.core.transitions import notice_routes
from bot.core.transitions.notice_routes import RouteWish, may_route
from bot.ports.chat import SignsPeopleIn
from bot.ports.queries import NoticeRoutes, PersonById
from bot.service.gate import Gate

_MOST_GLOBS: Final = 100
_GLOB: Final = re.compile(r"[A-Za-z0-9._*?\[\]!-]{1,100}")
_PLACE: Final = re.compile(r"[\x21-\x7e]{1,200}")
_MAX_NAME_CHARS: Final = 200


class NoticeBook:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def list(self) -> Sequence[NoticeRoute]:
        return await self._gate.store.read(NoticeRoutes())

    async def list_for(self, person: PersonId) -> Sequence[NoticeRoute]:
        """Return every route, for an admin.

        Raises:
            NotPermitted: *person* is no admin.
        """
        found = await self._gate.store.read(PersonById(person))
        if not may_route(Actor(ActorKind.PERSON, person), found):
            raise NotPermitted("Only an admin sees where notices go.")
        return await self.list()

    async def set(
        self,
        actor: Actor,
        *,
        chat: str,
        place: str,
        place_name: str,
        topics: Collection[Topic],
        agents: Sequence[str] = (),
        verbs: Sequence[str] = (),
    ) -> NoticeRoute:
        """Send notices of *topics* to *place*, in place of what that got until now.

        Raises:
            NotPermitted: *actor* is neither the operator nor an admin.
            NotFound: there is no such chat.
            InvalidInput: no topic, a glob that is none, or a place that can be none.
        """
        gate = self._gate
        if isinstance(gate.chats.get(chat), SignsPeopleIn | None):
            raise NotFound(f"There is no chat '{chat}' with channels in the settings.")
        wish = RouteWish(
            chat=chat,
            place=_place(place),
            place_name=_name(place_name or place),
            topics=topics,
            agents=_globs(agents, field="/agents"),
            verbs=_globs(verbs, field="/verbs"),
        )
        new = notice_route_id(gate.entropy(ID_ENTROPY_BYTES))
        return await gate.commit(
            Ask(person=_person(actor)),
            lambda snapshot: notice_routes.set_route(
                snapshot,
                wish,
                new_id=new,
                actor=actor,
                next_digest_at=gate.digest.next_after(snapshot.now),
            ),
        )

    async def end(self, actor: Actor, route: str) -> NoticeRoute:
        """Send *route* nothing any more.

        Raises:
            NotPermitted: *actor* is neither the operator nor an admin.
            NotFound: there is no such route.
        """
        return await self._gate.commit(
            Ask(person=_person(actor)),
            lambda snapshot: notice_routes.end_route(snapshot, route, actor=actor),
        )


def _place(place: str) -> str:
    if not _PLACE.fullmatch(place):
        raise InvalidInput(
            "This is no channel: its id has 1 to 200 visible characters, without blanks.",
            field="/place",
        )
    return place


def _name(name: str) -> str:
    if len(name) > _MAX_NAME_CHARS or not name.isprintable():
        raise InvalidInput(
            f"A channel's name is at most {_MAX_NAME_CHARS} printable characters.",
            field="/place_name",
        )
    return name


def _globs(globs: Sequence[str], *, field: str) -> tuple[str, ...]:
    if len(globs) > _MOST_GLOBS:
        raise InvalidInput(f"Name at most {_MOST_GLOBS}, or use a pattern.", field=field)
    for glob in globs:
        if not _GLOB.fullmatch(glob):
            raise InvalidInput(
                f"'{glob[:100]}' is no pattern: write a name, with * for any characters.",
                field=field,
            )
    return tuple(globs)


def _person(actor: Actor) -> PersonId | None:
    return PersonId(actor.id) if actor.kind is ActorKind.PERSON else None
