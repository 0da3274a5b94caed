"""Sits down at the web inbox as a person does: with a browser's cookies and nothing else."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

from aiohttp import ClientSession, CookieJar

from bot.core.card import Button
from bot.core.ids import PersonId, ProposalId
from bot.ports.chat import Chat
from bot.testing.chat import Seen
from bot.testing.clock import ManualClock
from bot.testing.desk import MemoryDesk
from bot.testing.proposals import a_person
from tests.web.dom import Node, Parser
from tests.web.serving import MakeInbox, Served, serving

#: What the inbox draws inside an agent's text by itself.
_DRAWN = frozenset({"mark", "br"})
Form = Mapping[str, str] | Sequence[tuple[str, str]]
_LINKS = {"full": Button.FULL_VIEW, "stop": Button.STOP_AGENT, "undo": Button.UNDO}


@dataclass(slots=True)
class WebSeat:
    """``browser`` keeps the cookies; every form is sent as its page has it."""

    url: str
    browser: ClientSession

    async def sign_in(self, code: str) -> Self:
        await self.send("/signin", {"code": code, "then": "/"})
        return self

    async def get(self, path: str) -> Node:
        async with self.browser.get(urljoin(self.url, path)) as answer:
            return Parser.parse(await answer.text())

    async def send(self, path: str, form: Form, headers: Mapping[str, str] | None = None) -> Node:
        sent = {"Origin": self.url} if headers is None else headers
        async with self.browser.post(urljoin(self.url, path), data=form, headers=sent) as answer:
            return Parser.parse(await answer.text())

    async def cards(self) -> Sequence[Seen]:
        inbox = await self.get("/")
        rows = [row for row in inbox.all("li") if "row" in row.classes]
        return [await self._seen(row.all("a")[0].attributes["href"]) for row in rows]

    async def press(self, proposal: ProposalId, button: Button, note: str = "") -> str:
        path = f"/proposals/{proposal}"
        if button is Button.STOP_AGENT:
            page, action = await self.get(f"{path}/stop"), f"{path}/stop"
            form = fields(page.one("form", action=action)) | {"reason": note}
        else:
            at = f"{path}/undo" if button is Button.UNDO else path
            page, action = await self.get(at), f"{path}/press"
            (pressed,) = page.all("button", value=button.value)
            (holder,) = [f for f in page.all("form", action=action) if pressed in f.walk()]
            form = fields(holder) | {"button": button.value} | ({"note": note} if note else {})
        return said(await self.send(action, form))

    async def read_to_the_end(self, proposal: ProposalId) -> str:
        path, text = f"/proposals/{proposal}/full", ""
        page = await self.get(path)
        while True:
            text += page.with_class("whole")[0].text
            following = [a for a in page.all("a") if a.text == "Next page"]
            if not following:
                break
            page = await self.get(urljoin(path, following[0].attributes["href"]))
        await self.send(
            f"/proposals/{proposal}/viewed",
            fields(page.one("form", action=f"/proposals/{proposal}/viewed")),
        )
        return text

    async def open_everything(self) -> int:
        seen: set[str] = set()
        ahead = ["/"]
        while ahead:
            path = ahead.pop()
            if path in seen or len(seen) > 200:
                continue
            seen.add(path)
            page = await self.get(path)
            for node in page.walk():
                for name in ("href", "src", "action"):
                    target = urljoin(urljoin(self.url, path), node.attributes.get(name, path))
                    if urlsplit(target).netloc == urlsplit(self.url).netloc:
                        ahead.append(target.removeprefix(self.url).partition("#")[0])
        return len(seen)

    async def _seen(self, path: str) -> Seen:
        page = await self.get(path)
        card = page.one("article")
        buttons = {Button(b.attributes["value"]) for b in card.all("button") if b.attributes}
        links = {a.attributes["href"].rpartition("/")[2] for a in card.all("a")}
        buttons |= {_LINKS[link] for link in links & _LINKS.keys()}
        return Seen(
            proposal=ProposalId(path.rpartition("/")[2]),
            text=card.text,
            buttons=frozenset(buttons),
            structure=tuple(
                " ".join((node.tag, *node.attributes))
                for node in page.walk()
                if node.tag not in _DRAWN or set(node.attributes) - {"class"}
            ),
        )


def fields(form: Node) -> dict[str, str]:
    """Return what *form* sends when nobody has typed anything."""
    sent = {i.attributes["name"]: i for i in form.all("input") if "name" in i.attributes}
    for choice in form.all("input", type="radio"):
        if "checked" in choice.attributes:
            sent[choice.attributes["name"]] = choice
    values = {name: node.attributes.get("value", "") for name, node in sent.items()}
    return values | {t.attributes["name"]: "" for t in form.all("textarea")}


def said(page: Node) -> str:
    """Return what *page* says about the last press, or why there was none."""
    flashes = page.with_class("flash")
    if flashes:
        return flashes[0].text.strip()
    return "".join(main.text for main in page.all("main")).strip() or page.text.strip()


@dataclass(slots=True)
class WebStage:
    """Implements :class:`bot.testing.chat.Stage`."""

    served: Served
    _open: AsyncExitStack
    _seats: dict[PersonId, WebSeat] = field(default_factory=dict)

    @property
    def chat(self) -> Chat:
        return self.served.inbox

    @property
    def desk(self) -> MemoryDesk:
        return self.served.desk

    async def stranger(self) -> WebSeat:
        """Return a seat of nobody in particular."""
        browser = ClientSession(cookie_jar=CookieJar())
        return WebSeat(self.served.url, await self._open.enter_async_context(browser))

    async def seat(self, person: PersonId) -> WebSeat:
        if person not in self._seats:
            seat = await self.stranger()
            self._seats[person] = await seat.sign_in(self.served.sign_in_code(person))
        return self._seats[person]

    async def forgeries(
        self, victim: PersonId, proposal: ProposalId
    ) -> Mapping[str, Callable[[], Awaitable[str]]]:
        path = f"/proposals/{proposal}/press"
        theirs = await self.seat(victim)
        page = await theirs.get(f"/proposals/{proposal}")
        good = fields(page.all("form", action=path)[0]) | {"button": "approve"}
        other = a_person("Mallory")
        self.desk.people[other.id] = other
        others = await self.seat(other.id)
        strange = await self.stranger()
        their_form = (
            (await others.get("/")).one("form", action="/signout").one("input", name="form")
        )
        origin = {"Origin": self.served.url}

        def post(
            seat: WebSeat, form: Form, headers: Mapping[str, str]
        ) -> Callable[[], Awaitable[str]]:
            async def forge() -> str:
                return said(await seat.send(path, form, headers))

            return forge

        async def gone() -> str:
            self.desk.people[victim] = replace(self.desk.people[victim], active=False)
            return said(await theirs.send(path, good, origin))

        without = {name: value for name, value in good.items() if name != "form"}
        return {
            "another person": post(others, good | {"form": their_form.attributes["value"]}, origin),
            "another person with the victim's form": post(others, good, origin),
            "signed out": post(strange, good, origin),
            "without the form's secret": post(theirs, without, origin),
            "with a wrong secret": post(theirs, good | {"form": "0" * 64}, origin),
            "from another origin": post(theirs, good, {"Origin": "https://evil.example"}),
            "from nowhere": post(theirs, good, {"Origin": "null"}),
            "without an origin": post(theirs, good, {}),
            "from another site": post(theirs, good, {"Sec-Fetch-Site": "same-site"}),
            "under another name": post(theirs, good, origin | {"Host": "evil.example"}),
            "a field twice": post(theirs, [*good.items(), ("button", "reject")], origin),
            "after they have left": gone,
        }


@asynccontextmanager
async def stage_of(make: MakeInbox, **settings: Any) -> AsyncIterator[WebStage]:
    def empty(clock: ManualClock) -> MemoryDesk:
        return MemoryDesk(clock=clock)

    async with serving(empty, make=make, **settings) as served, AsyncExitStack() as open_:
        yield WebStage(served, open_)
