"""No click is ever silent: how whoever pressed something is told what came of it, in private."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from aiohttp import ClientError
from slack_bolt.async_app import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import words
from adapters.slack.blocks import Element
from adapters.slack.inbound import Place, Pressed, parse_pressed
from adapters.slack.listeners.office import Office
from adapters.slack.modals import opening_modal, told_blocks, told_modal
from bot.core import chat_words
from bot.core import pressed as core
from bot.core.about import About
from bot.core.card import Button
from bot.core.errors import KeyturnError
from bot.core.identified import Known, Refused, Unlinked
from bot.core.told import NOT_RECORDED, NOT_RECORDED_YET, Told, told_of, told_why
from bot.ports.desk import Click

log = logging.getLogger("keyturn.slack")

#: How long a click waits for its commit before it is answered with "not recorded yet".
RECORDED_WITHIN_S: Final = 0.25
_LEAST_S: Final = 0.05
#: Slack waits three seconds for the acknowledgement; then it says that the app has failed.
ANSWERED_WITHIN_S: Final = 2.0

_TOO_LATE: Final = frozenset(
    {"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "trigger_expired"}
)


def told_stranger(who: Unlinked | Refused) -> Told:
    """Return why an account that is nobody's can do nothing here."""
    match who:
        case Unlinked():
            return Told(NOT_RECORDED, words.HOW_TO_LINK)
        case Refused(message=message):
            return Told(NOT_RECORDED, message)


@dataclass(slots=True, kw_only=True)
class Clicked:
    """One click under way: it is acknowledged once, and whoever pressed is told at least once."""

    office: Office
    body: Mapping[str, Any]
    pressed: Pressed
    acknowledge: AsyncAck
    client: AsyncWebClient
    began_at: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    is_acknowledged: bool = False
    opened: str | None = None

    async def ack(self) -> None:
        if not self.is_acknowledged:
            self.is_acknowledged = True
            await self.acknowledge()

    async def known(self) -> Known | None:
        """Return who pressed; anybody else is told why not, and None is returned."""
        who = await self.office.clicker(self.body)
        if isinstance(who, Known):
            return who
        await self.tell(told_stranger(who))
        return None

    async def press(self, known: Known, about: About, button: Button) -> None:
        """Have the desk record *button*, and say what came of it."""
        outcome = await self.office.desk.press(
            Click(
                person=known.person.id,
                chat=self.office.chat_name,
                proposal=about.proposal,
                digest_prefix=about.digest_prefix,
                button=button,
            ),
            within_s=time_left(self.began_at),
        )
        await self.tell(told_of(outcome))
        await after(self.office, known, about, pressed=self.pressed, outcome=outcome)

    async def open(self, title: str) -> bool:
        """Open a modal before its content is known; False, and told, when it was too late."""
        await self.ack()
        open_view = self.client.views_open
        if self.pressed.place is Place.MODAL:
            open_view = self.client.views_push
        self.opened = await _opened(open_view, self.pressed.trigger, opening_modal(title))
        if self.opened is None:
            await self.tell(Told(NOT_RECORDED, words.CLICK_AGAIN))
        return self.opened is not None

    async def fill(self, view: Element) -> bool:
        """Put *view* into the modal that `open` has opened; False when that was closed before."""
        return self.opened is not None and await _filled(self.client, self.opened, view)

    async def tell(self, told: Told) -> None:
        """Tell whoever pressed, where they look; should that fail, in their own conversation."""
        await self.ack()
        try:
            await self._tell_there(told)
        except SlackApiError as error:
            log.info("a click is answered elsewhere", extra={"cause": _code(error)})
            await self.client.chat_postMessage(channel=self.pressed.user, **said(told))

    async def _tell_there(self, told: Told) -> None:
        view = told_modal(told.title, told.message)
        pressed = self.pressed
        if self.opened is not None:
            await self.client.views_update(view_id=self.opened, view=view)
        elif pressed.place is Place.MODAL and pressed.view is not None:
            await self.client.views_update(view_id=pressed.view, view=view)
        elif pressed.place is Place.HOME:
            await self.client.views_open(trigger_id=pressed.trigger, view=view)
        else:
            await self.client.chat_postEphemeral(
                channel=pressed.channel or pressed.user, user=pressed.user, **said(told)
            )


Handle: TypeAlias = Callable[[Clicked], Awaitable[None]]


def answered(office: Office, handle: Handle) -> Callable[..., Awaitable[None]]:
    """Return *handle* as a listener of Bolt: whatever happens, whoever pressed is told."""

    async def listener(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        try:
            pressed = parse_pressed(body)
        except KeyturnError:
            await ack()
            log.warning("a click in an unknown form")
            return
        clicked = Clicked(office=office, body=body, pressed=pressed, acknowledge=ack, client=client)
        try:
            async with acknowledged_in_time(clicked.ack):
                await handle(clicked)
        except KeyturnError as error:
            await clicked.tell(told_why(error))
        except Exception:
            await clicked.tell(Told(NOT_RECORDED_YET, chat_words.WENT_WRONG))
            raise

    return listener


@asynccontextmanager
async def acknowledged_in_time(ack: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Do *ack* while the body is still at work, if that takes long; the body goes on."""

    async def late() -> None:
        await asyncio.sleep(ANSWERED_WITHIN_S)
        await ack()

    waiting = asyncio.create_task(late())
    try:
        yield
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def after(
    office: Office,
    known: Known,
    about: About,
    *,
    pressed: Pressed | None = None,
    outcome: core.Pressed | None = None,
) -> None:
    """Bring what the person sees up to date; what a commit changes comes by delivery."""
    keeper, person = office.cards, known.person
    if pressed is not None and pressed.place is Place.MESSAGE and pressed.channel and pressed.ts:
        await keeper.adopt(pressed.channel, pressed.ts, about.proposal, person.id)
    if isinstance(outcome, core.NotRecorded):
        await keeper.refresh(about.proposal, person.id)
    await keeper.home(person, known.identity)


def time_left(began_at: float) -> float:
    """Return for how many seconds a commit may be waited for, of a click that came then."""
    used_s = asyncio.get_running_loop().time() - began_at
    return max(RECORDED_WITHIN_S - used_s, _LEAST_S)


def said(told: Told) -> dict[str, Any]:
    """Return *told* as a message: what it repeats of others is in its blocks alone."""
    return {"text": words.ANSWERED, "blocks": told_blocks(told.message)}


async def open_early(client: AsyncWebClient, trigger: str, title: str) -> str | None:
    """Open a modal before its content is known; return its id, None when that did not succeed.

    It comes before the acknowledgement, so it may neither fail nor take long.
    """
    try:
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            return await _opened(client.views_open, trigger, opening_modal(title))
    except (SlackApiError, ClientError, TimeoutError) as error:
        log.warning("slack opens no modal", extra={"error": type(error).__name__})
        return None


async def fill_with(
    client: AsyncWebClient, view_id: str, make: Callable[[], Awaitable[Element]]
) -> None:
    """Put what *make* returns into a modal, or why there is nothing."""
    try:
        view = await make()
    except KeyturnError as error:
        told = told_why(error)
        view = told_modal(told.title, told.message)
    except Exception:
        await _filled(client, view_id, told_modal(NOT_RECORDED_YET, chat_words.WENT_WRONG))
        raise
    await _filled(client, view_id, view)


async def _opened(
    open_view: Callable[..., Awaitable[Any]], trigger: str, view: Element
) -> str | None:
    try:
        answer = await open_view(trigger_id=trigger, view=view)
    except SlackApiError as error:
        if _code(error) in _TOO_LATE:
            return None
        raise
    return str(answer["view"]["id"])


async def _filled(client: AsyncWebClient, view_id: str, view: Element) -> bool:
    try:
        await client.views_update(view_id=view_id, view=view)
    except SlackApiError as error:
        if _code(error) != "not_found":
            raise
        return False
    return True


def _code(error: SlackApiError) -> str:
    return str(error.response.get("error", "unknown"))
