"""The hand of one account: what it can press, type and install, and what it is shown for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.teams.testing import payloads
from adapters.teams.testing.deliveries import Delivery
from adapters.teams.testing.limits import texts_of
from adapters.teams.testing.world import Account, Activity, Chat, Json

if TYPE_CHECKING:
    from adapters.teams.testing.teams import FakeTeams


class NothingToPress(AssertionError):
    """What was to be pressed is not on the screen."""


@dataclass(slots=True)
class Hand:
    teams: "FakeTeams"
    account: Account

    # What is on the screen

    @property
    def chat(self) -> Chat:
        """The personal chat with the bot."""
        return self.teams.world.open_personal(self.account)

    def messages(self) -> list[Activity]:
        """Return what stands in the personal chat, oldest first."""
        return [
            one
            for one in self.teams.world.activities
            if one.chat == self.chat.id and not one.is_deleted
        ]

    def seen(self, message: Activity) -> Json | None:
        """Return the card of *message* as this person sees it now."""
        return message.card_for(self.account.user)

    def text(self, message: Activity) -> str:
        """Return what can be read of *message*."""
        card = self.seen(message)
        return str(message.content.get("text", "")) if card is None else "\n".join(texts_of(card))

    # What it does

    async def press(
        self,
        message: Activity,
        verb: str,
        *,
        typed: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | None = None,
        match: Mapping[str, str] | None = None,
    ) -> Delivery:
        """Press the action *verb* on *message*; the card it is answered with takes its place.

        *match* picks one of several by its data; *data* puts other data into it, as nobody but
        Teams could.
        """
        pressing = self.pressing(message, verb, typed=typed, data=data, match=match)
        return await self.send(pressing, message)

    def pressing(
        self,
        message: Activity,
        verb: str,
        *,
        typed: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | None = None,
        match: Mapping[str, str] | None = None,
    ) -> Json:
        """Return what pressing would send, to be sent later, twice, or from an old card."""
        card = self.seen(message)
        action = _action(card, verb, match or {})
        inputs = _filled(card, action, typed or {})
        changed = action if data is None else {**action, "data": dict(data)}
        return self._invoke(message, payloads.executed(changed, inputs=inputs))

    def inputs(
        self, message: Activity, verb: str, *, match: Mapping[str, str] | None = None
    ) -> list[str]:
        """Return the names of what can be filled in before *verb* is pressed."""
        card = self.seen(message)
        return [one["id"] for one in _inputs_of(card, _action(card, verb, match or {}))]

    async def send(self, pressing: Json, message: Activity | None = None) -> Delivery:
        """Send *pressing*; with *message*, show the answer where that is."""
        delivery = await self.teams.deliveries.deliver(pressing)
        if message is not None and delivery.card is not None:
            message.shown_to[self.account.user] = delivery.card
        await self.teams.desk.tell()
        return delivery

    async def submit(
        self,
        message: Activity,
        verb: str,
        *,
        typed: Mapping[str, str] | None = None,
        match: Mapping[str, str] | None = None,
    ) -> Delivery:
        """Press *verb* in a client that does not know Action.Execute: its fallback is sent."""
        submitting = self.submitting(message, verb, typed=typed, match=match)
        return await self.teams.deliveries.deliver(submitting)

    def submitting(
        self,
        message: Activity,
        verb: str,
        *,
        typed: Mapping[str, str] | None = None,
        match: Mapping[str, str] | None = None,
    ) -> Json:
        """Return what :meth:`submit` would send, to be sent later, twice, or from an old card."""
        card = self.seen(message)
        action = _action(card, verb, match or {})
        fallback = action.get("fallback")
        if not isinstance(fallback, dict) or fallback.get("type") != "Action.Submit":
            raise NothingToPress(f"{verb} has no fallback for old clients")
        return self.activity(
            "message",
            chat=self.teams.world.chats[message.chat],
            value=payloads.submitted(fallback, inputs=_filled(card, action, typed or {})),
            replyToId=message.id,
        )

    async def refresh(self, message: Activity) -> Delivery:
        """Look at *message* again: Teams asks for it where its card names this account."""
        found = (self.seen(message) or {}).get("refresh") or {}
        if self.account.mri not in found.get("userIds", []):
            raise NothingToPress("the card is not asked for anew for this account")
        value = payloads.executed(found["action"], inputs={}, trigger="automatic")
        return await self.send(self._invoke(message, value), message)

    async def type(self, text: str, *, chat: Chat | None = None) -> Delivery:
        """Write *text*, in a group or channel with the mention that it takes there."""
        place = chat or self.chat
        more: Json = {"text": text, "textFormat": "plain"}
        if place.kind != "personal":
            mention = "<at>Keyturn</at>"
            more["text"] = f"{mention} {text}"
            more["entities"] = [
                {
                    "type": "mention",
                    "mentioned": {"id": self.teams.bot, "name": "Keyturn"},
                    "text": mention,
                }
            ]
        return await self.teams.deliveries.deliver(self.activity("message", chat=place, **more))

    async def install(self) -> Delivery:
        """Add the app: the bot is told twice, as Teams does."""
        self.teams.connector.installed.add(self.account.user)
        self.chat.has_bot = True
        self.chat.barred = None
        added = [{"id": self.teams.bot}, self.account.sender]
        await self.teams.deliveries.deliver(self.activity("conversationUpdate", membersAdded=added))
        return await self.teams.deliveries.deliver(
            self.activity("installationUpdate", action="add")
        )

    async def uninstall(self, *, is_told: bool = True) -> Delivery | None:
        """Remove the app; the bot hears of it, unless that is lost."""
        self.teams.connector.installed.discard(self.account.user)
        self.chat.has_bot = False
        if not is_told:
            return None
        return await self.teams.deliveries.deliver(
            self.activity("installationUpdate", action="remove")
        )

    def activity(self, kind: str, *, chat: Chat | None = None, **more: Any) -> Json:
        return payloads.activity(
            kind,
            account=self.account,
            chat=chat or self.chat,
            bot=self.teams.bot,
            service_url=self.teams.service_url,
            **more,
        )

    def _invoke(self, message: Activity, value: Json) -> Json:
        return self.activity(
            "invoke",
            chat=self.teams.world.chats[message.chat],
            name="adaptiveCard/action",
            value=value,
            replyToId=message.id,
        )


def actions_of(card: Any) -> Iterator[Json]:
    """Yield every action that can be pressed now or after opening another; fallbacks are none."""
    if isinstance(card, dict):
        if str(card.get("type", "")).startswith("Action."):
            yield card
        for name, member in card.items():
            if name not in {"data", "fallback", "msteams", "refresh"}:
                yield from actions_of(member)
    elif isinstance(card, list):
        for member in card:
            yield from actions_of(member)


def _action(card: Json | None, verb: str, match: Mapping[str, str]) -> Json:
    for action in actions_of(card):
        data = action.get("data") or {}
        is_it = action["type"] == "Action.Execute" and action.get("verb") == verb
        if is_it and all(data.get(name) == value for name, value in match.items()):
            return action
    raise NothingToPress(f"{verb} is not there")


def _inputs_of(card: Any, action: Json) -> list[Json]:
    """Return the inputs that are sent with *action*: those of its card and of those around it."""
    own = [one for one in _outside_questions(card) if str(one.get("type", "")).startswith("Input.")]
    for asked in actions_of(card):
        inner = asked.get("card")
        if asked["type"] == "Action.ShowCard" and any(one is action for one in actions_of(inner)):
            return [*own, *_inputs_of(inner, action)]
    return own


def _outside_questions(value: Any) -> Iterator[Json]:
    """Yield every element of a card, but of those that open only when they are asked for."""
    if isinstance(value, dict):
        if value.get("type") == "Action.ShowCard":
            return
        yield value
        for name, member in value.items():
            if name not in {"data", "fallback", "msteams", "refresh"}:
                yield from _outside_questions(member)
    elif isinstance(value, list):
        for member in value:
            yield from _outside_questions(member)


def _filled(card: Any, action: Json, typed: Mapping[str, str]) -> dict[str, str]:
    """Return what is sent of the inputs beside *action*.

    Raises:
        NothingToPress: there is no such input, or one that must be filled in is empty.
    """
    inputs = {one["id"]: one for one in _inputs_of(card, action)}
    unknown = set(typed) - set(inputs)
    if unknown:
        raise NothingToPress(f"no input {sorted(unknown)} beside it, but {sorted(inputs)}")
    filled = {name: typed.get(name) or str(one.get("value", "")) for name, one in inputs.items()}
    for name, one in inputs.items():
        if one.get("isRequired") and not filled[name]:
            raise NothingToPress(f"{name} has to be filled in: {one.get('errorMessage')}")
        if len(filled[name]) > int(one.get("maxLength", 1_000_000)):
            raise NothingToPress(f"{name} is too long")
    return filled
