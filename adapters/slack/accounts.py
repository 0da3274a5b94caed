"""Accounts as Slack tells them, and why one of them may not act here."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.slack.client import Wire
from adapters.slack.errors import APP_REMOVED, SlackBusy, SlackRefused, SlackUnclear
from adapters.slack.removal import Removal
from adapters.slack.workspaces import Workspace

#: How old an answer of Slack may be before it is asked again.
FRESH_S: Final = 60.0
#: How old it may be when Slack cannot be asked. A change of the account is told by an event.
KNOWN_S: Final = 3600.0
_ASK_S: Final = 1.0
_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """``id`` is the one that is the same in every workspace of a Grid organisation."""

    id: str
    local_id: str
    team: str | None
    enterprise: str | None
    name: str
    email: str
    is_email_confirmed: bool
    is_deleted: bool
    is_bot: bool
    is_guest: bool
    is_stranger: bool
    is_invited: bool

    def why_not(self, workspace: Workspace) -> str | None:
        """Return why this account may not act in *workspace*; None when it may."""
        if self.is_deleted:
            return "This Slack account is deactivated. Nothing was recorded."
        if self.is_bot:
            return "Programs cannot decide here. Nothing was recorded."
        if self.is_stranger or not self._belongs_to(workspace):
            return (
                "This Slack account belongs to another organisation, "
                "so it cannot decide here. Nothing was recorded."
            )
        if self.is_guest:
            return "Guest accounts cannot decide here. Nothing was recorded."
        if self.is_invited:
            return "This Slack account has not joined the workspace yet. Nothing was recorded."
        return None

    def _belongs_to(self, workspace: Workspace) -> bool:
        if workspace.enterprise is not None:
            return self.enterprise == workspace.enterprise
        return self.team == workspace.team and self.enterprise is None


def account_of(user: Mapping[str, Any]) -> Account:
    """Return the account in *user*, an object of ``users.info``.

    Whoever is not said to be active, no bot and no guest is refused. The other flags Slack sends
    of those alone who have them.
    """
    profile = user.get("profile") or {}
    enterprise = user.get("enterprise_user") or {}

    def says(name: str) -> bool:
        return user.get(name) is True

    def denies(name: str) -> bool:
        return user.get(name) is False

    return Account(
        id=str(enterprise.get("id") or user.get("id") or ""),
        local_id=str(user.get("id") or ""),
        team=user.get("team_id"),
        enterprise=enterprise.get("enterprise_id"),
        name=str(profile.get("display_name") or user.get("real_name") or ""),
        email=str(profile.get("email") or ""),
        is_email_confirmed=says("is_email_confirmed"),
        is_deleted=not denies("deleted"),
        # is_app_user is no sign of a bot: Slack sets it for people who authorised an app, too.
        is_bot=not denies("is_bot") or says("is_workflow_bot") or says("is_connector_bot"),
        is_guest=not (denies("is_restricted") and denies("is_ultra_restricted")),
        is_stranger=says("is_stranger"),
        is_invited=says("is_invited_user"),
    )


class Accounts:
    """Asks Slack about accounts, and remembers what it said for a minute."""

    def __init__(
        self, wire: Wire, removal: Removal, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._wire = wire
        self._removal = removal
        self._now = now
        self._seen: dict[tuple[str, str], tuple[float, Account]] = {}

    async def get(self, workspace: Workspace, user: str) -> Account | None:
        """Return the account *user* as it is in *workspace*; None where there is none.

        Raises:
            SlackBusy: Slack cannot say, and said nothing in the last hour.
            SlackUnclear: the same.
        """
        place = workspace.name, user
        at, seen = self._seen.get(place, (float("-inf"), None))
        age_s = self._now() - at
        if seen is not None and age_s < FRESH_S:
            return seen
        try:
            async with asyncio.timeout(_ASK_S):
                told = await self._wire.read(workspace.token, "users.info", user=user)
        except SlackRefused as error:
            if error.code in {"user_not_found", "user_not_visible"}:
                self._seen.pop(place, None)
                return None
            if error.code in APP_REMOVED:
                await self._removal.certain(workspace)
            raise SlackUnclear(f"Slack refused users.info ({error.code}).") from None
        except (SlackBusy, SlackUnclear, TimeoutError):
            if seen is not None and age_s < KNOWN_S:
                return seen
            raise SlackUnclear("Slack does not say who this is.") from None
        account = account_of(told.get("user") or {})
        self._keep(place, account)
        return account

    async def with_email(self, workspace: Workspace, email: str) -> Account | None:
        """Return the one account of *workspace* whose verified address is *email*.

        Raises:
            SlackBusy: not now.
            SlackUnclear: the same.
        """
        try:
            told = await self._wire.read(workspace.token, "users.lookupByEmail", email=email)
        except SlackRefused:
            return None
        account = account_of(told.get("user") or {})
        is_theirs = account.email.casefold() == email.casefold() and account.is_email_confirmed
        if not is_theirs or account.why_not(workspace) is not None:
            return None
        return account

    def forget(self, user: str) -> None:
        """Ask Slack anew about *user*, by whichever of its ids it is known."""
        for place, (_, account) in list(self._seen.items()):
            if user in {place[1], account.id, account.local_id}:
                del self._seen[place]

    def _keep(self, place: tuple[str, str], account: Account) -> None:
        if len(self._seen) >= _KEPT:
            self._seen.pop(next(iter(self._seen)))
        self._seen[place] = self._now(), account
