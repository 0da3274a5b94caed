"""What the chat is made of: built once from the settings, before anything is connected."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow

from adapters.slack.accounts import Accounts
from adapters.slack.app import build_app
from adapters.slack.cards import Cards
from adapters.slack.client import Wire
from adapters.slack.directory import SlackGroups
from adapters.slack.keeper import Keeper
from adapters.slack.listeners.office import Office
from adapters.slack.people import People
from adapters.slack.removal import Removal
from adapters.slack.transport_socket import SocketTimes
from adapters.slack.workspaces import Workspaces
from bot.ports.shelf import Shelf


# Without slots: `flow` is made once, later.
@dataclass(frozen=True, kw_only=True)
class Parts:
    """``app_token`` is None in HTTP mode, ``signing_secret`` "" where nothing is signed."""

    wire: Wire
    shelf: Shelf
    workspaces: Workspaces
    removal: Removal
    accounts: Accounts
    people: People
    cards: Cards
    keeper: Keeper
    groups: SlackGroups
    make_flow: Callable[[], AsyncOAuthFlow]
    offers_install: bool
    public_path: str
    web_url: str | None
    socket_times: SocketTimes
    app_token: str | None = field(repr=False)
    signing_secret: str = field(repr=False)

    @cached_property
    def flow(self) -> AsyncOAuthFlow:
        """The flow that installs the app; made inside the running loop."""
        return self.make_flow()

    def build_app(self, office: Office) -> AsyncApp:
        return build_app(
            wire=self.wire,
            workspaces=self.workspaces,
            office=office,
            signing_secret=self.signing_secret,
            flow=self.flow,
        )

    # Implements adapters.slack.listeners.office.Lifecycle.

    async def removed(self, *, enterprise: str | None, team: str | None) -> None:
        await self.removal.told(enterprise=enterprise, team=team)

    async def changed(self, *, team: str | None, user: str) -> None:  # noqa: ARG002
        self.accounts.forget(user)
