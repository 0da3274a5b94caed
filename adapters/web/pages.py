"""What people read. Nothing here changes anything: a link that is fetched ahead is harmless."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from adapters.web.forms import PROPOSAL, digest_prefix
from adapters.web.front import MAX_CHARS, Front, Visit, page_number, redirect
from adapters.web.rendering import STATIC
from adapters.web.site import HEADERS, UNKEPT
from bot.core.actors import OPERATOR, Actor, Role
from bot.core.card import Card
from bot.core.errors import IllegalTransition, NotAuthenticated
from bot.core.ids import PersonId
from bot.core.states import ActorKind

CONTENT_TYPES: Final = {
    "keyturn.css": "text/css",
    "keyturn.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_OUR_PATH: Final = re.compile(
    f"/(?:proposals/{PROPOSAL}(?:/(?:full|history|stop|undo))?|stop|accounts)?"
)


@dataclass(frozen=True, slots=True)
class Pages:
    front: Front

    async def inbox(self, visit: Visit) -> web.StreamResponse:
        halts = [halt for halt in visit.inbox.halts if halt.is_active]
        names = {
            card.agent: card.agent_name for card in (*visit.inbox.waiting, *visit.inbox.decided)
        }
        by = await self._names(visit, (halt.set_by for halt in halts))
        return self.front.render(
            "inbox.html",
            visit,
            flash=await self.front.said(visit),
            inbox=visit.inbox,
            halts=halts,
            agent_names=names,
            by=by,
            is_admin=Role.ADMIN in visit.session.person.roles,
        )

    async def card(self, visit: Visit) -> web.StreamResponse:
        card = await self._card(visit)
        others = visit.inbox.waiting_total - any(
            other.proposal == card.proposal for other in visit.inbox.waiting
        )
        following = [c.proposal for c in visit.inbox.waiting if c.proposal != card.proposal]
        settled = card.outcome.settled_by if card.outcome else None
        return self.front.render(
            "card.html",
            visit,
            flash=await self.front.said(visit),
            card=card,
            digest=digest_prefix(card),
            others=others,
            following=following[0] if following else None,
            settled_by=await self._name(visit, settled) if settled else None,
        )

    async def full_view(self, visit: Visit) -> web.StreamResponse:
        card = await self._card(visit)
        page = await self.front.desk.full_view(
            visit.person, visit.proposal, page=page_number(visit.request)
        )
        return self.front.render(
            "full.html",
            visit,
            card=card,
            page=page,
            served=visit.session.proof(served(card)) if page.is_last else "",
        )

    async def history(self, visit: Visit) -> web.StreamResponse:
        card = await self._card(visit)
        entries = await self.front.desk.history(visit.person, visit.proposal)
        return self.front.render("history.html", visit, card=card, entries=entries)

    async def receipt(self, visit: Visit) -> web.StreamResponse:
        text = await self.front.desk.receipt(visit.person, visit.proposal)
        name = f"receipt-{visit.proposal}.json"
        return web.Response(
            text=text,
            content_type="application/json",
            headers={
                **UNKEPT,
                "Content-Disposition": f'attachment; filename="{name}"',
            },
        )

    async def undo(self, visit: Visit) -> web.StreamResponse:
        card = await self._card(visit)
        try:
            offer = await self.front.desk.undo_offer(visit.person, visit.proposal)
        except IllegalTransition as error:
            return self.front.message(
                visit, status=error.status, heading="This cannot be undone now", text=error.message
            )
        return self.front.render(
            "undo.html", visit, card=card, offer=offer, digest=digest_prefix(card)
        )

    async def stop(self, visit: Visit) -> web.StreamResponse:
        card = await self._card(visit)
        return self.front.render(
            "stop.html",
            visit,
            flash=await self.front.said(visit),
            card=card,
            digest=digest_prefix(card),
            is_admin=Role.ADMIN in visit.session.person.roles,
        )

    async def stop_all(self, visit: Visit) -> web.StreamResponse:
        if Role.ADMIN not in visit.session.person.roles:
            return redirect("/")
        flash = await self.front.said(visit)
        return self.front.render("stop.html", visit, flash=flash, card=None, is_admin=True)

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        try:
            session = await self.front.session(request, is_activity=False)
        except NotAuthenticated:
            session = None
        then = our_path(request.query.get("then", "/"))
        already = session.person.display_name if session else None
        return self.front.render("signin.html", None, already=already, then=then, problem=None)

    async def static(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        # The page names each file with its version, so a changed file has another address.
        kept = "public, max-age=31536000, immutable" if "v" in request.query else "no-cache"
        return web.Response(
            body=(STATIC / name).read_bytes(),
            content_type=CONTENT_TYPES[name],
            charset="utf-8",
            headers={**HEADERS, "Cache-Control": kept},
        )

    async def _card(self, visit: Visit) -> Card:
        return await self.front.desk.card(visit.person, visit.proposal, max_chars=MAX_CHARS)

    async def _names(self, visit: Visit, actors: Iterable[Actor]) -> dict[Actor, str]:
        return {actor: await self._actor(visit, actor) for actor in set(actors)}

    async def _actor(self, visit: Visit, actor: Actor) -> str:
        if actor == OPERATOR:
            return "the operator"
        if actor.kind is ActorKind.PERSON:
            return await self._name(visit, PersonId(actor.id))
        return str(actor)

    async def _name(self, visit: Visit, person: PersonId) -> str:
        if person == visit.person:
            return "you"
        try:
            return (await self.front.desk.person(person)).display_name
        except NotAuthenticated:
            return "somebody who is no longer here"


def served(card: Card) -> str:
    """Return what the secret in "I have read it to the end" proves."""
    return f"served the last page of {card.proposal} {card.digest}"


def our_path(path: str) -> str:
    """Return *path* where it is a page of ours, else the inbox: nobody is sent elsewhere."""
    return path if _OUR_PATH.fullmatch(path) else "/"
