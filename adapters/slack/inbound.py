"""What a verified payload says, in our values: the few fields we use, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.core.errors import InvalidInput

SlackId = Annotated[str, StringConstraints(pattern="^[A-Z][A-Z0-9]{1,30}$")]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class _Account(_Part):
    id: SlackId
    team_id: SlackId | None = None


class _Named(_Part):
    id: SlackId
    enterprise_id: SlackId | None = None


class _Container(_Part):
    type: str = ""
    channel_id: SlackId | None = None
    message_ts: str | None = None


class _Choice(_Part):
    value: str = ""


class _Action(_Part):
    action_id: str
    value: str | None = None
    selected_option: _Choice | None = None


class _Answer(_Part):
    value: str | None = None
    selected_option: _Choice | None = None
    selected_options: list[_Choice] | None = None
    selected_conversation: str | None = None


class _State(_Part):
    values: dict[str, dict[str, _Answer]] = Field(default_factory=dict)


class _View(_Part):
    id: str
    type: str = ""
    hash: str | None = None
    callback_id: str = ""
    private_metadata: str = ""
    state: _State = Field(default_factory=_State)


class _Clicked(_Part):
    user: _Account
    team: _Named | None = None
    container: _Container = Field(default_factory=_Container)
    trigger_id: str = ""
    actions: Annotated[list[_Action], Field(min_length=1)]
    view: _View | None = None


class _Sent(_Part):
    user: _Account
    trigger_id: str = ""
    view: _View


class _Shortcut(_Part):
    user: _Account
    trigger_id: str = ""


class _Typed(_Part):
    user_id: SlackId
    text: str = ""
    trigger_id: str = ""
    channel_id: SlackId | None = None
    channel_name: str = ""


class _HomeOpened(_Part):
    user: SlackId
    tab: str = ""
    channel: SlackId | None = None


class _Event(_Part):
    event: _HomeOpened


class _ChangedAccount(_Part):
    id: SlackId
    team_id: SlackId | None = None


class _Changed(_Part):
    user: _ChangedAccount


class _ChangedEvent(_Part):
    event: _Changed


class _Tokens(_Part):
    bot: list[str] | None = None


class _Ended(_Part):
    tokens: _Tokens = Field(default_factory=_Tokens)


class _EndedEvent(_Part):
    event: _Ended


class _Envelope(_Part):
    team_id: SlackId | None = None
    enterprise_id: SlackId | None = None


@unique
class Place(StrEnum):
    """Where a button stands, which decides how its click is answered."""

    MESSAGE = "message"
    MODAL = "modal"
    HOME = "home"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A button that somebody pressed: who, where, and what it carries.

    ``channel`` and ``ts`` are of the message, ``view`` and ``view_hash`` of the modal or Home.
    """

    user: str
    place: Place
    trigger: str
    action: str
    value: str | None
    channel: str | None = None
    ts: str | None = None
    view: str | None = None
    view_hash: str | None = None
    metadata: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A modal that somebody sent, with what they filled in, by the name of the block."""

    user: str
    callback: str
    view: str
    metadata: str
    answers: Mapping[str, str]
    chosen: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A slash command. ``channel_name`` is empty where Slack hides it."""

    user: str
    text: str
    trigger: str
    channel: str | None
    channel_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The app, opened on its Home or another tab; ``channel`` is the DM with who opened it."""

    user: str
    is_home: bool
    channel: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clicker:
    """Which account acts, as Slack says it: all of it, for whoever checks it.

    ``team`` is the workspace where it happened, ``user_team`` the one the account is of, and
    ``enterprise`` the organisation around the workspace. ``is_shared`` says that it happened
    where people of other organisations are, too.
    """

    user: str
    user_team: str | None
    team: str | None
    enterprise: str | None
    is_shared: bool


def parse_pressed(body: Mapping[str, Any]) -> Pressed:
    """Return the click in *body*, a payload of type ``block_actions``.

    Raises:
        InvalidInput: it has not the shape that Slack documents.
    """
    clicked = _parsed(_Clicked, body)
    action, view = clicked.actions[0], clicked.view
    place = Place.MESSAGE
    if view is not None:
        place = Place.HOME if view.type == "home" else Place.MODAL
    chosen = action.selected_option
    return Pressed(
        user=clicked.user.id,
        place=place,
        trigger=clicked.trigger_id,
        action=action.action_id,
        value=action.value if chosen is None else chosen.value,
        channel=clicked.container.channel_id,
        ts=clicked.container.message_ts,
        view=None if view is None else view.id,
        view_hash=None if view is None else view.hash,
        metadata="" if view is None else view.private_metadata,
    )


def parse_submitted(body: Mapping[str, Any]) -> Submitted:
    """Return what was sent with *body*, a payload of type ``view_submission``.

    Raises:
        InvalidInput: as for :func:`parse_pressed`.
    """
    sent = _parsed(_Sent, body)
    answers: dict[str, str] = {}
    chosen: dict[str, tuple[str, ...]] = {}
    for block, elements in sent.view.state.values.items():
        for answer in elements.values():
            option = answer.selected_option.value if answer.selected_option else None
            answers[block] = answer.value or option or answer.selected_conversation or ""
            chosen[block] = tuple(choice.value for choice in answer.selected_options or ())
    return Submitted(
        user=sent.user.id,
        callback=sent.view.callback_id,
        view=sent.view.id,
        metadata=sent.view.private_metadata,
        answers=answers,
        chosen=chosen,
    )


def parse_trigger(body: Mapping[str, Any]) -> tuple[str, str]:
    """Return the user and the trigger of a shortcut.

    Raises:
        InvalidInput: as for :func:`parse_pressed`.
    """
    shortcut = _parsed(_Shortcut, body)
    return shortcut.user.id, shortcut.trigger_id


def parse_typed(body: Mapping[str, Any]) -> Typed:
    """Return the slash command in *body*.

    Raises:
        InvalidInput: as for :func:`parse_pressed`.
    """
    typed = _parsed(_Typed, body)
    return Typed(
        user=typed.user_id,
        text=typed.text,
        trigger=typed.trigger_id,
        channel=typed.channel_id,
        channel_name=typed.channel_name,
    )


def parse_home_opened(body: Mapping[str, Any]) -> Opened:
    """Return who opened the app, and where.

    Raises:
        InvalidInput: as for :func:`parse_pressed`.
    """
    opened = _parsed(_Event, body).event
    return Opened(user=opened.user, is_home=opened.tab == "home", channel=opened.channel)


def parse_changed(body: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return the team and the account that a ``user_change`` event is about.

    Raises:
        InvalidInput: as for :func:`parse_pressed`.
    """
    changed = _parsed(_ChangedEvent, body).event.user
    return changed.team_id or _parsed(_Envelope, body).team_id, changed.id


def parse_removed(body: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the enterprise and the team whose installation an event is about.

    Raises:
        InvalidInput: as for :func:`parse_pressed`.
    """
    envelope = _parsed(_Envelope, body)
    return envelope.enterprise_id, envelope.team_id


def is_of_people_only(body: Mapping[str, Any]) -> bool:
    """Return whether the tokens that were revoked are those of people, and none of the app's.

    Raises:
        InvalidInput: as for :func:`parse_pressed`.
    """
    return _parsed(_EndedEvent, body).event.tokens.bot == []


def parse_clicker(body: Mapping[str, Any]) -> Clicker:
    """Return which account *body* comes from: of a click, a modal, a shortcut, a command, a Home.

    Raises:
        InvalidInput: it names no account.
    """
    user = body.get("user")
    event = body.get("event")
    is_shared = body.get("is_ext_shared_channel") is True
    if isinstance(user, Mapping):
        account = _parsed(_Account, user)
        team = _of(_Named, body.get("team"))
        enterprise = _of(_Named, body.get("enterprise"))
        return Clicker(
            user=account.id,
            user_team=account.team_id,
            team=None if team is None else team.id,
            enterprise=enterprise.id if enterprise else team.enterprise_id if team else None,
            is_shared=is_shared,
        )
    envelope = _parsed(_Envelope, body)
    name = event.get("user") if isinstance(event, Mapping) else body.get("user_id")
    if isinstance(name, Mapping):
        name = name.get("id")
    return Clicker(
        user=_parsed(_Account, {"id": name}).id,
        user_team=None,
        team=envelope.team_id,
        enterprise=envelope.enterprise_id,
        is_shared=is_shared,
    )


_Model = TypeVar("_Model", bound=_Part)


def _of(model: type[_Model], value: Any) -> _Model | None:
    return _parsed(model, value) if isinstance(value, Mapping) else None


def _parsed(model: type[_Model], body: Mapping[str, Any]) -> _Model:
    try:
        return model.model_validate(dict(body))
    except ValidationError:
        # The payload is not repeated: it may carry what somebody typed.
        raise InvalidInput("Slack sent something in a form that is not known here.") from None
