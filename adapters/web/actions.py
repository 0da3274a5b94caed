"""What people do. Each ends in a page that says what it led to: no click is ever silent."""

from dataclasses import dataclass

from aiohttp import web

from adapters.web.flash import Flash, Tone, flash_of
from adapters.web.forms import Press, Resume, SignIn, SignOut, Stop, StopThis, Viewed, parse
from adapters.web.front import MAX_CHARS, Caller, Front, redirect
from adapters.web.pages import our_path, served
from bot.core.card import Button
from bot.core.errors import InvalidInput, KeyturnError, NotAuthenticated
from bot.core.halts import HaltScope, HaltTarget
from bot.core.ids import HaltId
from bot.ports.desk import Click

_SETTLING = frozenset({Button.SETTLE_DONE, Button.SETTLE_NOT_DONE})
_PRESSED_HERE = _SETTLING | {Button.APPROVE, Button.REJECT, Button.UNDO, Button.NOT_MINE}


@dataclass(frozen=True, slots=True)
class Actions:
    front: Front

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        form = await parse(request, SignIn)
        try:
            person = await self.front.desk.sign_in(form.code)
        except NotAuthenticated as error:
            return self.front.render(
                "signin.html",
                None,
                status=401,
                already=None,
                then=our_path(form.then),
                problem=error.message,
            )
        earlier = self.front.sessions.read_cookie(request)
        if earlier:
            await self.front.sessions.end(earlier)
        token = await self.front.sessions.start(person.id)
        response = redirect(our_path(form.then))
        self.front.sessions.set_cookie(response, token)
        return response

    async def sign_out(self, caller: Caller, _: SignOut) -> web.StreamResponse:
        await self.front.sessions.end(caller.session.token)
        self.front.live.wake(caller.person)
        response = redirect("/signin")
        self.front.sessions.drop_cookie(response)
        return response

    async def press(self, caller: Caller, form: Press) -> web.StreamResponse:
        if form.button not in _PRESSED_HERE:
            raise InvalidInput("This button has its own page")
        if form.button in _SETTLING and not form.note:
            return await self._say(caller, Tone.REFUSED, "Say how you found out, then press again.")
        return await self._press(caller, form.button, digest=form.digest, note=form.note)

    async def viewed(self, caller: Caller, form: Viewed) -> web.StreamResponse:
        desk = self.front.desk
        card = await desk.card(caller.person, caller.proposal, max_chars=MAX_CHARS)
        if not caller.session.proves(form.served, served(card)):
            return await self._say(
                caller, Tone.REFUSED, "Open the last page of the full view, then press again."
            )
        try:
            await desk.viewed(caller.person, caller.proposal, chat=self.front.chat)
        except KeyturnError as error:
            return await self._say(caller, Tone.REFUSED, error.message)
        return await self._say(
            caller, Tone.RECORDED, "You were shown the whole action. Now you can decide."
        )

    async def stop_this(self, caller: Caller, form: StopThis) -> web.StreamResponse:
        card = await self.front.desk.card(caller.person, caller.proposal, max_chars=MAX_CHARS)
        if form.scope is not HaltScope.AGENT_FOR_PRINCIPAL:
            agent = card.agent if form.scope is HaltScope.AGENT else None
            target = HaltTarget(scope=form.scope, agent=agent)
            return await self._halt(caller, target, form.reason, at=_card(caller))
        # Whom the agent acts for is not the chat's to know: the desk finds it in the proposal.
        return await self._press(caller, Button.STOP_AGENT, digest=form.digest, note=form.reason)

    async def stop_all(self, caller: Caller, form: Stop) -> web.StreamResponse:
        if form.scope is not HaltScope.ALL:
            raise InvalidInput("Here everything is stopped, or nothing")
        return await self._halt(caller, HaltTarget(scope=HaltScope.ALL), form.reason, at="/")

    async def resume(self, caller: Caller, form: Resume) -> web.StreamResponse:
        halt = HaltId(caller.request.match_info["halt"])
        try:
            await self.front.desk.resume(
                caller.person, halt, reason=form.reason, chat=self.front.chat
            )
        except KeyturnError as error:
            return await self._say(caller, Tone.REFUSED, error.message, at="/")
        self.front.live.wake(caller.person)
        return await self._say(
            caller,
            Tone.RECORDED,
            "Resumed: new proposals are taken again. What was stopped stays stopped.",
            at="/",
        )

    async def _press(
        self, caller: Caller, button: Button, *, digest: str, note: str
    ) -> web.StreamResponse:
        pressed = await self.front.desk.press(
            Click(
                person=caller.person,
                chat=self.front.chat,
                proposal=caller.proposal,
                digest_prefix=digest,
                button=button,
                note=note,
            )
        )
        self.front.live.wake(caller.person)
        return await self.front.after(caller, flash_of(pressed), at=_card(caller))

    async def _halt(
        self, caller: Caller, target: HaltTarget, reason: str, *, at: str
    ) -> web.StreamResponse:
        try:
            await self.front.desk.halt(caller.person, target, reason=reason, chat=self.front.chat)
        except KeyturnError as error:
            return await self._say(caller, Tone.REFUSED, error.message, at=at)
        self.front.live.wake(caller.person)
        text = "Stopped. What was not yet carried out will not be, until a person resumes it."
        return await self._say(caller, Tone.RECORDED, text, at=at)

    async def _say(
        self, caller: Caller, tone: Tone, text: str, *, at: str | None = None
    ) -> web.StreamResponse:
        return await self.front.after(caller, Flash(tone=tone, text=text), at=at or _card(caller))


def _card(caller: Caller) -> str:
    return f"/proposals/{caller.proposal}"
