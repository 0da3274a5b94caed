"""Installing the app in several workspaces: Bolt's flow over our shelf, for named tenants alone."""

import asyncio
import logging
import secrets
from html import escape
from typing import Final
from urllib.parse import urljoin

from slack_bolt.error import BoltError
from slack_bolt.oauth.async_callback_options import (
    AsyncCallbackOptions,
    AsyncFailureArgs,
    AsyncSuccessArgs,
)
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from adapters.slack.client import Wire
from adapters.slack.errors import SlackBusy, SlackRefused, SlackUnclear
from adapters.slack.logs import quiet
from adapters.slack.manifest import SCOPES, lacking
from adapters.slack.workspaces import InstalledWorkspaces, Workspace
from bot.ports.shelf import Shelf

log = logging.getLogger("keyturn.slack")

_STATES: Final = "slack_oauth_state"
STATE_S: Final = 600
#: How many installations may be begun at a time: anybody who reaches the page can begin one.
MOST_BEGUN: Final = 200

_NOT_INSTALLED: Final = "Keyturn was not installed"
_REFUSALS: Final = {
    "access_denied": "You did not allow it, so nothing was installed.",
    "invalid_browser": "This was begun in another browser. Begin again in this one.",
    "invalid_state": "This took longer than ten minutes, or was used before. Begin again.",
    "missing_code": "Slack sent no code. Begin again.",
    "invalid_code": "Slack did not accept the code. Begin again.",
}


class _NotTaken(BoltError):
    """Slack installed the app, and we do not keep it; the message is for whoever installed it."""


class _TooManyBegun(Exception):
    """As many installations are begun as may be."""


class StateBook(AsyncOAuthStateStore):
    """States of installations that were begun: each works once, for ten minutes."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._counting = asyncio.Lock()

    @property
    def logger(self) -> logging.Logger:
        return quiet("oauth", logging.ERROR)

    async def async_issue(self, *args: object, **kwargs: object) -> str:  # noqa: ARG002
        state = secrets.token_urlsafe(32)
        async with self._counting:
            if len(await self._shelf.list(_STATES)) >= MOST_BEGUN:
                raise _TooManyBegun
            await self._shelf.put(_STATES, state, b"1", ttl_s=STATE_S)
        return state

    async def async_consume(self, state: str) -> bool:
        return await self._shelf.take(_STATES, state) is not None


class InstallationBook(AsyncInstallationStore):
    """Gives Bolt what InstalledWorkspaces keeps, and keeps what Bolt's flow brings."""

    def __init__(self, installed: InstalledWorkspaces, wire: Wire) -> None:
        self._installed = installed
        self._wire = wire

    @property
    def logger(self) -> logging.Logger:
        return quiet("oauth", logging.ERROR)

    async def async_save(self, installation: Installation) -> None:
        enterprise, team = installation.enterprise_id, installation.team_id
        if installation.is_enterprise_install:
            team = None
        token, scopes = installation.bot_token or "", frozenset(installation.bot_scopes or ())
        refusal = self._why_not(enterprise=enterprise, team=team, scopes=scopes)
        if refusal is not None:
            log.warning("refused an installation", extra={"enterprise": enterprise, "team": team})
            await self._give_back(token)
            raise _NotTaken(refusal)
        await self._installed.keep(
            Workspace(
                token=token,
                team=team,
                enterprise=enterprise,
                bot_user=installation.bot_user_id or "",
                bot=installation.bot_id,
                scopes=scopes,
            )
        )
        log.info("the slack app was installed", extra={"enterprise": enterprise, "team": team})

    async def async_find_bot(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        is_enterprise_install: bool | None = False,
    ) -> Bot | None:
        found = await self._installed.of(
            enterprise=enterprise_id, team=None if is_enterprise_install else team_id
        )
        if found is None:
            return None
        return Bot(
            bot_token=found.token,
            bot_id=found.bot or "",
            bot_user_id=found.bot_user,
            enterprise_id=found.enterprise,
            team_id=found.team,
            bot_scopes=sorted(found.scopes),
            is_enterprise_install=found.team is None,
            installed_at=0.0,
        )

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        await self._installed.removed(enterprise=enterprise_id, team=team_id)

    def _why_not(
        self, *, enterprise: str | None, team: str | None, scopes: frozenset[str]
    ) -> str | None:
        if not self._installed.admits(enterprise=enterprise, team=team):
            return "This workspace is not one that Keyturn's admins named in chats.slack.teams."
        missing = lacking(scopes)
        if missing:
            return (
                f"The app was not given the permission {', '.join(missing)}. Ask whoever made the "
                "app to add it under OAuth & Permissions, then begin again."
            )
        return None

    async def _give_back(self, token: str) -> None:
        try:
            await self._wire.read(token, "auth.revoke")
        except (SlackRefused, SlackBusy, SlackUnclear):
            log.warning("a token that was refused could not be revoked")


class _Flow(AsyncOAuthFlow):
    """Exchanges the code by our own client: the SDK's way ends with aiohttp 4."""

    def __init__(self, wire: Wire, settings: AsyncOAuthSettings) -> None:
        super().__init__(
            client=wire.client(""), logger=quiet("oauth", logging.ERROR), settings=settings
        )
        self._wire = wire

    async def handle_installation(self, request: AsyncBoltRequest) -> BoltResponse:
        try:
            return await super().handle_installation(request)
        except _TooManyBegun:
            log.warning("too many installations are begun", extra={"most": MOST_BEGUN})
            page = _page(
                429,
                "Too many installations are begun",
                "Nothing was installed. Wait ten minutes, then begin again.",
            )
            page.headers["retry-after"] = [str(STATE_S)]
            return page

    async def run_installation(self, code: str) -> Installation | None:
        try:
            told = await self._wire.exchange(
                "oauth.v2.access",
                code=code,
                client_id=self.settings.client_id,
                client_secret=self.settings.client_secret,
                redirect_uri=self.settings.redirect_uri,
            )
            token = str(told.get("access_token"))
            tested = await self._wire.read(token, "auth.test")
        except (SlackRefused, SlackBusy, SlackUnclear) as error:
            log.warning("an installation did not succeed", extra={"cause": str(error)})
            return None
        team, enterprise = told.get("team") or {}, told.get("enterprise") or {}
        return Installation(
            app_id=told.get("app_id"),
            enterprise_id=enterprise.get("id"),
            enterprise_name=enterprise.get("name"),
            team_id=team.get("id"),
            team_name=team.get("name"),
            bot_token=token,
            bot_id=tested.get("bot_id"),
            bot_user_id=told.get("bot_user_id"),
            bot_scopes=told.get("scope") or "",
            user_id=(told.get("authed_user") or {}).get("id") or "",
            is_enterprise_install=told.get("is_enterprise_install") is True,
            token_type=told.get("token_type"),
        )


def build_flow(
    *,
    wire: Wire,
    shelf: Shelf,
    installed: InstalledWorkspaces,
    client_id: str,
    client_secret: str,
    api_url: str,
    install_url: str,
    redirect_url: str,
) -> AsyncOAuthFlow:
    """Return Bolt's flow, told everything explicitly; it asks for no token of a user."""
    settings = AsyncOAuthSettings(
        client_id=client_id,
        client_secret=client_secret,
        scopes=list(SCOPES),
        user_scopes=[],
        redirect_uri=redirect_url,
        install_path=install_url,
        redirect_uri_path=redirect_url,
        authorization_url=urljoin(api_url, "/oauth/v2/authorize"),
        install_page_rendering_enabled=False,
        installation_store=InstallationBook(installed, wire),
        installation_store_bot_only=True,
        state_store=StateBook(shelf),
        state_expiration_seconds=STATE_S,
        callback_options=AsyncCallbackOptions(success=_installed, failure=_not_installed),
        logger=quiet("oauth", logging.ERROR),
    )
    return _Flow(wire, settings)


async def _installed(args: AsyncSuccessArgs) -> BoltResponse:
    name = args.installation.team_name or args.installation.enterprise_name or "this workspace"
    return _page(200, "Keyturn is installed", f"It can now reach people in {name}.")


async def _not_installed(args: AsyncFailureArgs) -> BoltResponse:
    if isinstance(args.error, _NotTaken):
        return _page(403, _NOT_INSTALLED, str(args.error))
    words = _REFUSALS.get(args.reason, "Slack did not complete it. Begin again.")
    return _page(args.suggested_status_code, _NOT_INSTALLED, words)


def _page(status: int, heading: str, words: str) -> BoltResponse:
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" '
        f'content="light dark"><title>{escape(heading)}</title>'
        f"<main><h1>{escape(heading)}</h1><p>{escape(words)}</p></main></html>"
    )
    return BoltResponse(
        status=status, body=page, headers={"Content-Type": "text/html; charset=utf-8"}
    )
