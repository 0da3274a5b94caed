"""The chat that Keyturn serves itself: it reaches every person who has a browser."""

from collections.abc import Callable, Sequence
from typing import Final, Literal

from aiohttp import web

from adapters.web.accounts import PAGE as ACCOUNTS
from adapters.web.accounts import Accounts
from adapters.web.actions import Actions
from adapters.web.flash import Flashes
from adapters.web.forms import (
    HALT,
    PROPOSAL,
    NewCode,
    Press,
    Resume,
    SignOut,
    Stop,
    StopThis,
    Unlink,
    Viewed,
)
from adapters.web.front import MAX_CHARS, Front
from adapters.web.live import Live
from adapters.web.pages import CONTENT_TYPES, Pages
from adapters.web.rendering import Renderer
from adapters.web.session import Sessions
from adapters.web.site import Site
from adapters.web.viewer import Viewers
from adapters.web.views import PAGE as VIEW
from adapters.web.views import Views
from bot.core.card import Card
from bot.core.ids import PersonId, ProposalId
from bot.core.notice import Notice
from bot.ports.chat import CardRef, Undeliverable
from bot.ports.clock import Clock
from bot.ports.desk import Desk
from bot.ports.shelf import Shelf

SESSION_S: Final = 12 * 3600
IDLE_S: Final = 2 * 3600
HEARTBEAT_S: Final = 15


class WebInbox:
    """Implements :class:`bot.ports.chat.Chat` with pages that are rendered from committed state.

    It is :class:`bot.ports.chat.Standing`.

    A card is nothing that is kept here: each page asks the desk what its reader may see now. So
    a card cannot be there twice, cannot be out of date and cannot be seen by anyone else, and
    posting or replacing one only tells the open pages of its person to look again.
    """

    def __init__(
        self,
        *,
        shelf: Shelf,
        clock: Clock,
        entropy: Callable[[int], bytes],
        public_url: str,
        deployment_name: str,
        session_s: float = SESSION_S,
        idle_s: float = IDLE_S,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._site = Site.at(public_url)
        self._clock = clock
        self._sessions = Sessions(
            shelf,
            clock=clock,
            entropy=entropy,
            secure=self._site.is_secure,
            whole_s=session_s,
            idle_s=idle_s,
        )
        self._viewers = Viewers(shelf, entropy=entropy, secure=self._site.is_secure)
        self._flashes = Flashes(shelf, entropy=entropy)
        self._live = Live(heartbeat_s=heartbeat_s)
        self._renderer = Renderer(deployment_name=deployment_name)

    @property
    def name(self) -> str:
        return "web"

    @property
    def signs_people_in(self) -> Literal[True]:
        return True

    @property
    def max_chars(self) -> int:
        return MAX_CHARS

    async def post(self, card: Card, to: PersonId, *, key: str) -> CardRef:  # noqa: ARG002 - one proposal is one row, whatever the key
        self.look_again(to)
        return CardRef(chat=self.name, person=to, where=self.where(card.proposal))

    async def replace(self, ref: CardRef, card: Card) -> None:  # noqa: ARG002 - pages ask the desk
        self.look_again(ref.person)

    def where(self, proposal: ProposalId) -> str:
        return proposal

    def look_again(self, person: PersonId) -> None:
        self._live.wake(person)

    async def announce(self, notice: Notice, *, place: str, key: str) -> None:  # noqa: ARG002 - there is nowhere to tell it
        raise Undeliverable("The inbox has no channels.", reason="no_channels")

    async def run(self, desk: Desk) -> None:
        """Return at once: clicks arrive through :meth:`routes`."""

    async def close(self) -> None:
        """End the event streams, so that the listener can stop without waiting for them."""
        self._live.close()

    def front(self, desk: Desk) -> Front:
        """Return the door of this inbox, which leads to *desk*."""
        return Front(
            desk=desk,
            site=self._site,
            sessions=self._sessions,
            flashes=self._flashes,
            live=self._live,
            renderer=self._renderer,
            clock=self._clock,
            chat=self.name,
        )

    def routes(self, desk: Desk) -> Sequence[web.RouteDef]:
        front = self.front(desk)
        pages, actions, accounts = Pages(front), Actions(front), Accounts(front)
        views = Views(front, self._viewers)
        card = f"/proposals/{{proposal:{PROPOSAL}}}"
        files = "|".join(CONTENT_TYPES)
        return [
            web.get("/", front.page(pages.inbox)),
            web.get("/signin", front.open(pages.sign_in)),
            web.post("/signin", front.open(actions.sign_in)),
            web.post("/signout", front.action(SignOut, actions.sign_out)),
            web.get("/events", front.open(front.events), allow_head=False),
            web.get(card, front.page(pages.card)),
            web.post(f"{card}/press", front.action(Press, actions.press)),
            web.get(f"{card}/full", front.page(pages.full_view)),
            web.post(f"{card}/viewed", front.action(Viewed, actions.viewed)),
            web.get(f"{card}/history", front.page(pages.history)),
            web.get(f"{card}/receipt", front.page(pages.receipt)),
            web.get(f"{card}/undo", front.page(pages.undo)),
            web.get(f"{card}/stop", front.page(pages.stop)),
            web.post(f"{card}/stop", front.action(StopThis, actions.stop_this)),
            web.get("/stop", front.page(pages.stop_all)),
            web.post("/stop", front.action(Stop, actions.stop_all)),
            web.post(f"/halts/{{halt:{HALT}}}/resume", front.action(Resume, actions.resume)),
            web.get(ACCOUNTS, front.page(accounts.page)),
            web.post(ACCOUNTS, front.action(NewCode, accounts.new_code)),
            web.post(f"{ACCOUNTS}/unlink", front.action(Unlink, accounts.unlink)),
            web.get(f"{VIEW}/{{code}}", views.door(views.offer)),
            web.post(f"{VIEW}/{{code}}", views.door(views.open)),
            web.get(VIEW, views.door(views.read)),
            web.post(VIEW, views.door(views.viewed)),
            web.get(f"/static/{{name:{files}}}", front.open(pages.static)),
        ]
