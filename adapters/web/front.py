"""The door: which requests get in, as whom, and how every one of them is answered."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import quote

from aiohttp import web

from adapters.web.flash import Flash, Flashes
from adapters.web.forms import SignedForm, parse
from adapters.web.live import Glance, Live
from adapters.web.rendering import Renderer, version_of
from adapters.web.session import Session, Sessions
from adapters.web.site import UNKEPT, Site
from bot.core.errors import (
    InvalidInput,
    KeyturnError,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    Unavailable,
)
from bot.core.ids import PersonId, ProposalId
from bot.ports.clock import Clock
from bot.ports.desk import Desk, Inbox

log = logging.getLogger("keyturn.web")

#: The purpose of the secret in every form of a session.
FORM: Final = "form"
#: How many characters of an action one card here shows.
MAX_CHARS: Final = 4_000

#: A page that the script asked for by itself: no sign that the person is there.
BY_SCRIPT: Final = "Keyturn-Live"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
F = TypeVar("F", bound=SignedForm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A request of a person who is signed in."""

    request: web.Request
    session: Session

    @property
    def person(self) -> PersonId:
        return self.session.person.id

    @property
    def proposal(self) -> ProposalId:
        return ProposalId(self.request.match_info["proposal"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(Caller):
    """A caller who is shown a page; ``inbox`` is what they may see now.

    ``links`` are the chats in which they have accounts to link.
    """

    inbox: Inbox
    links: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What every page and every action of one inbox works with."""

    desk: Desk
    site: Site
    sessions: Sessions
    flashes: Flashes
    live: Live
    renderer: Renderer
    clock: Clock
    chat: str = field(default="web")

    def open(self, handler: Handler) -> Handler:
        """Return *handler* for whoever comes by our own name, signed in or not."""

        async def answer(request: web.Request) -> web.StreamResponse:
            # A target may name a host as well, and that one counts (RFC 9112, 3.2.2): browsers
            # send a path alone.
            is_a_path = request.raw_path.startswith("/")
            if not is_a_path or not self.site.is_addressed_by(request.headers):
                text = f"Nothing is served under this name. The inbox is at {self.site.origin}\n"
                return web.Response(status=421, text=text, headers=UNKEPT)
            if request.method not in {"GET", "HEAD"} and not self.site.sent(request.headers):
                return self.message(
                    None,
                    status=403,
                    heading="This did not come from a page of the inbox",
                    text="Nothing was recorded. Open the inbox itself and try again there.",
                )
            try:
                response = await handler(request)
            except NotAuthenticated:
                response = self._signed_out(request)
            except KeyturnError as error:
                response = self.message(
                    None, status=error.status, heading=error.title, text=told(error)
                )
            except web.HTTPException as error:
                response = self.message(
                    None,
                    status=error.status,
                    heading="This was not understood",
                    text="Nothing was recorded. Go back to the inbox and try again.",
                )
            except Exception:
                log.exception("an answer failed", extra={"path": _named(request)})
                response = self.message(
                    None,
                    status=500,
                    heading="Something went wrong",
                    text="It is not known whether this was recorded. Open the inbox to see.",
                )
            if not response.prepared:
                for name, value in UNKEPT.items():
                    response.headers.setdefault(name, value)
            return response

        return answer

    def page(self, show: Callable[[Visit], Awaitable[web.StreamResponse]]) -> Handler:
        """Return a handler that shows a page to the person who is signed in; it MUST NOT
        change anything.
        """

        async def answer(request: web.Request) -> web.StreamResponse:
            return await show(await self.visit(await self._caller(request)))

        return self.open(answer)

    def action(
        self, kind: type[F], act: Callable[[Caller, F], Awaitable[web.StreamResponse]]
    ) -> Handler:
        """Return a handler for a form of *kind* that a page served to this session sent."""

        async def answer(request: web.Request) -> web.StreamResponse:
            caller = await self._caller(request)
            form = await parse(request, kind)
            if not caller.session.proves(form.form, FORM):
                return self.message(
                    await self.visit(caller),
                    status=403,
                    heading="This page was too old",
                    text="Nothing was recorded. Open the card again and press once more.",
                )
            return await act(caller, form)

        return self.open(answer)

    async def session(self, request: web.Request, *, is_activity: bool) -> Session:
        """Return the session of *request*, with the person as they are now.

        Raises:
            NotAuthenticated: nobody is signed in, or they may no longer be.
        """
        token = self.sessions.read_cookie(request)
        person = await self.sessions.find(token, is_activity=is_activity)
        if person is None:
            raise NotAuthenticated("Nobody is signed in")
        return Session(token=token, person=await self.desk.person(person))

    def render(
        self,
        template: str,
        visit: Visit | None,
        *,
        status: int = 200,
        flash: Flash | None = None,
        **values: Any,
    ) -> web.Response:
        frame: Mapping[str, Any] = {
            "me": visit.session.person if visit else None,
            "form": visit.session.proof(FORM) if visit else "",
            "links": visit.links if visit else (),
            "waiting": visit.inbox.waiting_total if visit else 0,
            "version": glance_at(visit.inbox, self.clock).version if visit else "",
            "flash": flash,
        }
        text = self.renderer.page(template, {**frame, **values}, now=self.clock.now())
        return web.Response(status=status, text=text, content_type="text/html", headers=UNKEPT)

    def message(self, visit: Visit | None, *, status: int, heading: str, text: str) -> web.Response:
        return self.render("message.html", visit, status=status, heading=heading, text=text)

    async def after(self, caller: Caller, flash: Flash, *, at: str) -> web.StreamResponse:
        """Send the browser to *at*, where *flash* is said; say it here if it cannot be kept."""
        try:
            name = await self.flashes.leave(caller.session, flash)
        except KeyturnError:
            visit = await self.visit(caller)
            return self.message(visit, status=200, heading=flash.heading, text=flash.text)
        return redirect(f"{at}?said={name}")

    async def said(self, visit: Visit) -> Flash | None:
        return await self.flashes.find(visit.session, visit.request.query.get("said", ""))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Serve the event stream of the person who is signed in."""
        session = await self.session(request, is_activity=False)

        async def glance() -> Glance:
            now = await self.session(request, is_activity=False)
            return glance_at(await self.desk.inbox(now.person.id, max_chars=MAX_CHARS), self.clock)

        return await self.live.stream(request, session.person.id, glance)

    async def visit(self, caller: Caller) -> Visit:
        """Return *caller* with what every page shows them."""
        # For pages alone: to look through an inbox takes far longer than to act on one card.
        page = page_number(caller.request) if caller.request.path == "/" else 1
        inbox = await self.desk.inbox(caller.person, max_chars=MAX_CHARS, page=page)
        links = await self.desk.linkable_chats()
        return Visit(request=caller.request, session=caller.session, inbox=inbox, links=links)

    async def _caller(self, request: web.Request) -> Caller:
        by_person = BY_SCRIPT not in request.headers
        return Caller(request=request, session=await self.session(request, is_activity=by_person))

    def _signed_out(self, request: web.Request) -> web.StreamResponse:
        if request.method in {"GET", "HEAD"} and request.path != "/events":
            then = "" if request.path == "/" else f"?then={quote(request.path, safe='/')}"
            response: web.StreamResponse = redirect(f"/signin{then}")
        else:
            response = self.message(
                None,
                status=401,
                heading="You are signed out",
                text="Nothing was recorded. Sign in again, then press once more.",
            )
        if self.sessions.read_cookie(request):
            self.sessions.drop_cookie(response)
        return response


def _named(request: web.Request) -> str:
    """Return the path of *request*, without what opens something."""
    code = request.match_info.get("code")
    return request.path.replace(code, "{code}") if code else request.path


def told(error: KeyturnError) -> str:
    """Return what *error* says to a person at a page, with what to do next."""
    match error:
        case NotFound():
            remedy = "Perhaps the address is cut, or meant for somebody else."
        case NotPermitted():
            remedy = "Ask whoever runs Keyturn, if it should be yours to do."
        case InvalidInput():
            remedy = "Go back, correct it, and send it again. Nothing was recorded."
        case Unavailable():
            remedy = "Try again in a moment. The inbox shows what was recorded."
        case _:
            remedy = "Open the inbox: it shows what was recorded."
    return f"{error.message.rstrip('.')}. {remedy}"


def page_number(request: web.Request) -> int:
    """Return which page the reader asks for; what is no number asks for the first."""
    number = request.query.get("page", "1")
    return max(int(number), 1) if re.fullmatch("[0-9]{1,6}", number) else 1


def glance_at(inbox: Inbox, clock: Clock) -> Glance:
    """Return what *inbox* says, as briefly as its pages need it."""
    seen = [
        (
            *(card.proposal, card.state, card.status, card.approvals_given, card.changed_at),
            *(card.buttons, card.approve_needs_full_view, card.undo_state),
        )
        for card in (*inbox.waiting, *inbox.decided)
    ]
    halts = [(halt.id, halt.is_active) for halt in inbox.halts]
    now = clock.now()
    clocks = [card.expires_at for card in inbox.waiting]
    clocks += [card.undo_until for card in inbox.decided]
    ends = [at for at in clocks if at is not None and at > now]
    return Glance(
        version=version_of([seen, halts, inbox.waiting_total]),
        waiting=inbox.waiting_total,
        changes_in_s=(min(ends) - now).total_seconds() if ends else None,
    )


def redirect(to: str) -> web.Response:
    """Return a redirect that a browser follows with GET, whatever it sent before."""
    return web.Response(status=303, headers={**UNKEPT, "Location": to})
