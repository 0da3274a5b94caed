"""Setting and ending where notices go."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bot.core import effects
from bot.core.actors import OPERATOR, Actor, Person, Role
from bot.core.effects import Effect
from bot.core.errors import InvalidInput, NotFound, NotPermitted
from bot.core.ids import PersonId
from bot.core.leaf import LeafDraft
from bot.core.notice import NoticeRoute, Topic
from bot.core.states import ActorKind
from bot.core.step import Gone, Refusal, Snapshot, Step, Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteWish:
    """What a route shall be; the fields are those of :class:`bot.core.notice.NoticeRoute`."""

    chat: str
    place: str
    place_name: str
    topics: Collection[Topic]
    agents: tuple[str, ...]
    verbs: tuple[str, ...]


def set_route(
    snapshot: Snapshot, wish: RouteWish, *, new_id: str, actor: Actor, next_digest_at: datetime
) -> Step[NoticeRoute]:
    """Send what *wish* says to its place, in place of what that got until now."""
    if not may_route(actor, snapshot.person):
        return Refusal(_not_yours())
    if not wish.topics:
        return Refusal(
            InvalidInput(
                "A channel is told of at least one topic.",
                field="/topics",
                remedy="Name topics, or end the route.",
            )
        )
    earlier = next(
        (r for r in snapshot.routes if (r.chat, r.place) == (wish.chat, wish.place)), None
    )
    route = NoticeRoute(
        id=new_id if earlier is None else earlier.id,
        chat=wish.chat,
        place=wish.place,
        place_name=wish.place_name,
        topics=frozenset(wish.topics),
        agents=wish.agents,
        verbs=wish.verbs,
        set_by=PersonId(actor.id) if actor.kind is ActorKind.PERSON else None,
        set_at=snapshot.now,
    )
    return Transition(
        value=route,
        puts=(route,),
        leaves=(_leaf("notice_route.set", route, actor),),
        effects=(digest_effect(route, next_digest_at),) if Topic.DIGEST in route.topics else (),
    )


def end_route(snapshot: Snapshot, route: str, *, actor: Actor) -> Step[NoticeRoute]:
    """Send *route* nothing any more."""
    if not may_route(actor, snapshot.person):
        return Refusal(_not_yours())
    found = next((known for known in snapshot.routes if known.id == route), None)
    if found is None:
        return Refusal(
            NotFound("There is no such route.", remedy="List the channels to see them all.")
        )
    return Transition(
        value=found, puts=(Gone(found),), leaves=(_leaf("notice_route.ended", found, actor),)
    )


def may_route(actor: Actor, person: Person | None) -> bool:
    """Return whether *actor* may say where notices go; *person* is who that is, if a person."""
    if actor == OPERATOR:
        return True
    return (
        actor.kind is ActorKind.PERSON
        and person is not None
        and person.active
        and person.id == actor.id
        and Role.ADMIN in person.roles
    )


def digest_effect(route: NoticeRoute, due_at: datetime) -> Effect:
    """Return the work of telling *route* the digest of *due_at*, one a day."""
    day = due_at.date().isoformat()
    return effects.announce(route.id, f"{Topic.DIGEST}-{day}", route.id, due_at=due_at)


def _not_yours() -> NotPermitted:
    return NotPermitted(
        "Only an admin says where notices go.",
        remedy="Ask an admin, or the operator: `keyturn channel set`.",
    )


def _leaf(type_: str, route: NoticeRoute, actor: Actor) -> LeafDraft:
    return LeafDraft(
        type=type_,
        actor=actor,
        clear={
            "route": route.id,
            "chat": route.chat,
            "place": route.place,
            "topics": sorted(topic.value for topic in route.topics),
            "agents": list(route.agents),
            "verbs": list(route.verbs),
        },
        private={"place_name": route.place_name},
    )
