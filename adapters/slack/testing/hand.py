"""The hand of one account: what it can press, type and open, and what it is shown for it."""

import copy
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.slack.testing import payloads
from adapters.slack.testing.deliveries import Delivery, Kind, Retry
from adapters.slack.testing.world import Account, Channel, Json, Message, Team

if TYPE_CHECKING:
    from adapters.slack.testing.slack import FakeSlack


class NothingToPress(AssertionError):
    """What was to be pressed is not on the screen."""


@dataclass(slots=True)
class Hand:
    """``team`` is the workspace in which the account sits now."""

    slack: "FakeSlack"
    account: Account
    team: Team

    # What is on the screen

    @property
    def dm(self) -> Channel:
        return self.slack.world.dm(self.account.id, self.team.id)

    def messages(self) -> list[Message]:
        """Return the bot's messages in the DM that are there for good, oldest first."""
        return [m for m in self.slack.world.messages if m.channel == self.dm.id and not m.seen_by]

    def whispers(self) -> list[Message]:
        """Return what only this account saw, anywhere, oldest first."""
        return [m for m in self.slack.world.messages if m.seen_by == self.account.id]

    @property
    def modal(self) -> Json | None:
        """The modal on top, if one is open."""
        open_ = self.slack.screens.modals.get(self.account.id)
        return open_[-1] if open_ else None

    @property
    def home(self) -> Json | None:
        return self.slack.world.homes.get(self.account.id)

    # What it does

    async def press(
        self,
        message: Message,
        action_id: str,
        *,
        option: str | None = None,
        value: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> Delivery:
        """Press what has *action_id* on *message*, wherever that message is.

        *value* puts other text into the button than is there, as nobody but Slack could.
        """
        payload = self.pressing(message, action_id, option=option, value=value, values=values)
        return await self.slack.deliver(Kind.INTERACTIVE, payload)

    def pressing(
        self,
        message: Message,
        action_id: str,
        *,
        option: str | None = None,
        value: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> Json:
        """Return what pressing would send, to be sent later, twice, or from an old card."""
        action = _action(message.blocks, action_id, option=option)
        if value is not None:
            (action.get("selected_option") or action)["value"] = value
        return payloads.block_actions(
            account=self.account,
            team=self.team,
            action=action,
            trigger_id=self.slack.screens.new_trigger(self.account.id),
            response_url=self.slack.new_response_url(self.account.id, message),
            message=copy.deepcopy(message),
            channel=self.slack.world.channels[message.channel],
            values=values,
            is_org_install=self.slack.is_org_install(self.team),
        )

    async def press_in_view(
        self,
        view: Json,
        action_id: str,
        *,
        option: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> Delivery:
        """Press something in a modal or on Home."""
        payload = payloads.block_actions(
            account=self.account,
            team=self.team,
            action=_action(view["blocks"], action_id, option=option),
            trigger_id=self.slack.screens.new_trigger(self.account.id),
            response_url="",
            view=view,
            values=values,
            is_org_install=self.slack.is_org_install(self.team),
        )
        return await self.slack.deliver(Kind.INTERACTIVE, payload)

    async def submit(self, typed: Mapping[str, Any] | None = None) -> Delivery:
        """Submit the modal on top with *typed*: by action_id, text or the value of an option.

        Slack's own answer to it is applied: errors stay in ``said``, views are put in place.
        """
        view = self.modal
        if view is None:
            raise NothingToPress("no modal is open")
        delivery = await self.slack.deliver(
            Kind.INTERACTIVE,
            payloads.view_submission(
                account=self.account,
                team=self.team,
                view=view,
                values=view_values(view, typed or {}),
                trigger_id=self.slack.screens.new_trigger(self.account.id),
                is_org_install=self.slack.is_org_install(self.team),
            ),
        )
        if delivery.is_acked:
            self.slack.screens.answer(self.account.id, view, delivery.said)
        return delivery

    async def close_modal(self) -> Delivery | None:
        """Close the modal on top; the app hears of it where it wants to."""
        view = self.modal
        if view is None:
            raise NothingToPress("no modal is open")
        self.slack.screens.modals[self.account.id].remove(view)
        if not view["notify_on_close"]:
            return None
        payload = payloads.view_closed(account=self.account, team=self.team, view=view)
        return await self.slack.deliver(Kind.INTERACTIVE, payload)

    async def command(self, text: str, *, name: str = "/keyturn", channel: str = "") -> Delivery:
        """Type a slash command; what the app acknowledges with is shown to this account."""
        place = self.slack.world.channels[channel] if channel else self.dm
        delivery = await self.slack.deliver(
            Kind.COMMAND,
            payloads.command(
                account=self.account,
                team=self.team,
                channel=place,
                name=name,
                text=text,
                trigger_id=self.slack.screens.new_trigger(self.account.id),
                response_url=self.slack.new_response_url(self.account.id, None, channel=place.id),
                is_org_install=self.slack.is_org_install(self.team),
            ),
        )
        if delivery.is_acked and delivery.said:
            self.slack.show(self.account.id, place.id, delivery.said)
        return delivery

    async def shortcut(self, callback_id: str) -> Delivery:
        return await self.slack.deliver(
            Kind.INTERACTIVE,
            payloads.shortcut(
                account=self.account,
                team=self.team,
                callback_id=callback_id,
                trigger_id=self.slack.screens.new_trigger(self.account.id),
                is_org_install=self.slack.is_org_install(self.team),
            ),
        )

    async def open_home(self, *, retry: Retry | None = None, tab: str = "home") -> Delivery:
        happened: Json = {
            "type": "app_home_opened",
            "user": self.account.id,
            "channel": self.dm.id,
            "tab": tab,
            "event_ts": "1763000000.000300",
        }
        if tab == "home" and self.home is not None:
            happened["view"] = self.home
        return await self.slack.event(happened, team=self.team, retry=retry)


def elements_of(blocks: list[Json]) -> Iterator[tuple[str, Json]]:
    """Yield every element that can be pressed, with the id of its block."""
    for number, block in enumerate(blocks):
        inside = [*block.get("elements", []), block.get("accessory"), block.get("element")]
        for element in inside:
            if isinstance(element, dict) and "action_id" in element:
                yield block.get("block_id", f"b{number}"), element


def _action(blocks: list[Json], action_id: str, *, option: str | None) -> Json:
    for block_id, element in elements_of(blocks):
        if element["action_id"] != action_id:
            continue
        if option is None:
            return payloads.pressed(element, block_id=block_id)
        for one in element.get("options", []):
            if one["value"].startswith(option):
                return payloads.pressed(element, block_id=block_id, option=copy.deepcopy(one))
    raise NothingToPress(f"{action_id} {option or ''} is not there")


def view_values(view: Json, typed: Mapping[str, Any]) -> Json:
    """Return the state of *view* after *typed* was typed into it, by action_id."""
    values: Json = {}
    for block_id, element in elements_of(view["blocks"]):
        given = typed.get(element["action_id"])
        values.setdefault(block_id, {})[element["action_id"]] = _state(element, given)
    unknown = set(typed) - {action_id for inputs in values.values() for action_id in inputs}
    if unknown:
        raise NothingToPress(f"no input {sorted(unknown)}")
    return values


def _state(element: Json, given: Any) -> Json:
    kind = element["type"]
    if kind == "plain_text_input":
        return {"type": kind, "value": given or None}
    if kind in {"static_select", "radio_buttons"}:
        options = {option["value"]: option for option in element["options"]}
        chosen = options.get(given) or element.get("initial_option")
        return {"type": kind, "selected_option": chosen}
    if kind in {"checkboxes", "multi_static_select"}:
        given = given or []
        chosen = [option for option in element["options"] if option["value"] in given]
        return {"type": kind, "selected_options": chosen}
    if kind in {"conversations_select", "channels_select"}:
        name = "selected_conversation" if kind.startswith("conv") else "selected_channel"
        return {"type": kind, name: given or element.get(f"initial_{name.split('_')[1]}")}
    return {"type": kind}


def new_event_id() -> str:
    return f"Ev{secrets.token_hex(5).upper()}"
