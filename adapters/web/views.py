"""The full view for whoever comes from another chat, by a link that opens it once.

Whoever opens it reads that one full view. They are signed in to nothing: it decides nothing, shows
nothing else, and leaves whoever is signed in to the inbox in the same browser as they were.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from adapters.web import words
from adapters.web.flash import Flash, Tone
from adapters.web.forms import Viewed, parse
from adapters.web.front import FORM, Front, Handler, page_number, redirect
from adapters.web.pages import served
from adapters.web.viewer import Viewer, Viewers
from bot.core.card import Card
from bot.core.errors import KeyturnError, NotAuthenticated, NotFound, Unavailable
from bot.core.ids import PersonId
from bot.core.states import State

PAGE: Final = "/view"

#: Of the card nothing but its head is shown here: without room for more it tells of every reader
#: whether they were shown the whole action, whatever has room on the card in their chat.
_NO_ROOM: Final = 0
_ASK_AGAIN: Final = "Open the full view from the card in the chat again: that makes a new link."


@dataclass(frozen=True, slots=True)
class Views:
    front: Front
    viewers: Viewers

    def door(self, handler: Handler) -> Handler:
        """Return *handler* for whoever comes by our own name; no address of it is passed on."""

        async def told(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except KeyturnError as error:
                return self._refuse("This cannot be shown now", error)

        inside = self.front.open(told)

        async def answer(request: web.Request) -> web.StreamResponse:
            response = await inside(request)
            # The address holds the code: not even our own files have to hear of it. With this
            # policy, unlike with "no-referrer", our forms still say where they come from.
            response.headers["Referrer-Policy"] = "strict-origin"
            return response

        return answer

    async def offer(self, _: web.Request) -> web.StreamResponse:
        """Show one button. Nothing is asked of the desk: previews fetch addresses unasked."""
        return self.front.render("view_link.html", None)

    async def open(self, request: web.Request) -> web.StreamResponse:
        try:
            viewing = await self.front.desk.open_view(request.match_info["code"])
        except (NotAuthenticated, NotFound) as error:
            is_reading = await self._found(request) is not None
            return self._refuse("This link opens nothing", error, is_reading=is_reading)
        if not await self._is_free_for(request, viewing.person):
            return self._refuse_other()
        await self.viewers.end(self.viewers.cookie.read(request))
        response = redirect(PAGE)
        self.viewers.cookie.give(response, await self.viewers.start(viewing))
        return response

    async def read(self, request: web.Request) -> web.StreamResponse:
        return await self._for_reader(request, self._read)

    async def viewed(self, request: web.Request) -> web.StreamResponse:
        return await self._for_reader(request, self._viewed)

    async def _for_reader(
        self,
        request: web.Request,
        show: Callable[[web.Request, Viewer], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        viewer = await self._found(request)
        if viewer is None:
            raise NotAuthenticated("No full view is open here, or its time is over.")
        if not await self._is_free_for(request, viewer.viewing.person):
            return self._refuse_other()
        await self.front.desk.person(viewer.viewing.person)
        return await show(request, viewer)

    async def _read(self, request: web.Request, viewer: Viewer) -> web.StreamResponse:
        desk, viewing = self.front.desk, viewer.viewing
        card = await self._card(viewer)
        page = await desk.full_view(viewing.person, viewing.proposal, page=page_number(request))
        said = request.query.get("said", "")
        return self.front.render(
            "view.html",
            None,
            flash=await self.front.flashes.find(viewer, said),
            form=viewer.proof(FORM),
            card=card,
            page=page,
            reader=(await desk.person(viewing.person)).display_name,
            chat=words.chat_title(viewing.chat),
            served=viewer.proof(served(card)) if page.is_last else "",
        )

    async def _viewed(self, request: web.Request, viewer: Viewer) -> web.StreamResponse:
        viewing = viewer.viewing
        form = await parse(request, Viewed)
        card = await self._card(viewer)
        if not viewer.proves(form.form, FORM) or not viewer.proves(form.served, served(card)):
            return await self._say(
                viewer, Tone.REFUSED, "Open the last page of the full view, then press again."
            )
        if card.state is not State.PENDING:
            return await self._say(viewer, Tone.REFUSED, card.status)
        await self.front.desk.viewed(viewing.person, viewing.proposal, chat=viewing.chat)
        self.front.live.wake(viewing.person)
        chat = words.chat_title(viewing.chat)
        text = f"You were shown the whole action. Now you can decide, on the card in {chat}."
        return await self._say(viewer, Tone.RECORDED, text)

    async def _card(self, viewer: Viewer) -> Card:
        viewing = viewer.viewing
        return await self.front.desk.card(viewing.person, viewing.proposal, max_chars=_NO_ROOM)

    async def _say(self, viewer: Viewer, tone: Tone, text: str) -> web.StreamResponse:
        name = await self.front.flashes.leave(viewer, Flash(tone=tone, text=text))
        return redirect(f"{PAGE}?said={name}")

    async def _found(self, request: web.Request) -> Viewer | None:
        return await self.viewers.find(self.viewers.cookie.read(request))

    async def _is_free_for(self, request: web.Request, person: PersonId) -> bool:
        """Return whether nobody but *person* is signed in where the link was opened."""
        try:
            session = await self.front.session(request, is_activity=False)
        except NotAuthenticated:
            return True
        return session.person.id == person

    def _refuse_other(self) -> web.StreamResponse:
        return self._message(
            status=403,
            heading="This link is for somebody else",
            text="You are signed in to the inbox here as another person. Sign out there first, "
            f"if that is you too. {_ASK_AGAIN}",
        )

    def _refuse(
        self, heading: str, error: KeyturnError, *, is_reading: bool = False
    ) -> web.StreamResponse:
        remedy = "Try again in a moment." if isinstance(error, Unavailable) else _ASK_AGAIN
        text = f"{error.message.rstrip('.')}. {remedy}"
        return self._message(status=error.status, heading=heading, text=text, is_reading=is_reading)

    def _message(
        self, *, status: int, heading: str, text: str, is_reading: bool = False
    ) -> web.StreamResponse:
        return self.front.render(
            "view_refused.html",
            None,
            status=status,
            heading=heading,
            text=text,
            is_reading=is_reading,
        )
