"""The page on which a person links the accounts they have in other chats, and parts them again."""

from dataclasses import dataclass

from aiohttp import web

from adapters.web.flash import Flash, Tone
from adapters.web.forms import NewCode, Unlink
from adapters.web.front import Caller, Front, Visit
from bot.core.errors import KeyturnError
from bot.core.identity import ChatIdentity
from bot.ports.desk import LinkCode

PAGE = "/accounts"


@dataclass(frozen=True, slots=True)
class Accounts:
    front: Front

    async def page(self, visit: Visit) -> web.StreamResponse:
        return await self._show(visit, flash=await self.front.said(visit))

    async def new_code(self, caller: Caller, form: NewCode) -> web.StreamResponse:
        try:
            made = await self.front.desk.link_code(caller.person, chat=form.chat)
        except KeyturnError as error:
            return await self._say(caller, Tone.REFUSED, error.message)
        # Shown here and nowhere else: a redirect would have to keep it somewhere.
        return await self._show(await self.front.visit(caller), made=made, made_for=form.chat)

    async def unlink(self, caller: Caller, form: Unlink) -> web.StreamResponse:
        identity = ChatIdentity(chat=form.chat, tenant=form.tenant, user=form.user)
        try:
            await self.front.desk.unlink(caller.person, identity)
        except KeyturnError as error:
            return await self._say(caller, Tone.REFUSED, error.message)
        text = "Unlinked. What is pressed on cards there does not count any more."
        return await self._say(caller, Tone.RECORDED, text)

    async def _show(
        self,
        visit: Visit,
        *,
        flash: Flash | None = None,
        made: LinkCode | None = None,
        made_for: str | None = None,
    ) -> web.StreamResponse:
        return self.front.render(
            "accounts.html",
            visit,
            flash=flash,
            identities=await self.front.desk.identities(visit.person),
            made=made,
            made_for=made_for,
        )

    async def _say(self, caller: Caller, tone: Tone, text: str) -> web.StreamResponse:
        return await self.front.after(caller, Flash(tone=tone, text=text), at=PAGE)
