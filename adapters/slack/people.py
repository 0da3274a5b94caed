"""Who acts: a payload that Slack signed names an account, and this says whose it is."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from adapters.slack.accounts import Account, Accounts
from adapters.slack.errors import SlackBusy, SlackUnclear
from adapters.slack.inbound import Clicker, parse_clicker
from adapters.slack.workspaces import Workspace, Workspaces
from bot.core.errors import Conflict, KeyturnError, NotAuthenticated, NotFound
from bot.core.identified import Identified, Known, Refused, Unlinked
from bot.core.identity import ChatIdentity
from bot.core.ids import PersonId
from bot.ports.desk import Desk
from bot.ports.identities import Identities

log = logging.getLogger("keyturn.slack")

ELSEWHERE: Final = (
    "Keyturn answers only in the Slack workspaces that its admins named, and this is none of "
    "them. Nothing was recorded."
)
_OUTSIDER: Final = (
    "This Slack account belongs to another organisation, so it cannot decide here. "
    "Nothing was recorded."
)
_NOT_NOW: Final = (
    "Slack does not confirm who you are just now. Nothing was recorded. Try again in a minute."
)
_GONE: Final = "You are no longer registered in Keyturn. Nothing was recorded. Ask an admin."


class People:
    """Trusts ids that Slack proves, and never a name, an address or a flag of Slack's admins."""

    def __init__(
        self,
        *,
        chat: str,
        workspaces: Workspaces,
        accounts: Accounts,
        identities: Identities,
        links_by_email: bool,
    ) -> None:
        self._chat = chat
        self._workspaces = workspaces
        self._accounts = accounts
        self._identities = identities
        self._links_by_email = links_by_email

    async def who(self, body: Mapping[str, Any], desk: Desk) -> Identified:
        """Return who is behind *body*, a payload that is known to come from Slack."""
        try:
            return await self._who(parse_clicker(body), desk)
        except NotAuthenticated:
            return Refused(message=_GONE)
        except (SlackBusy, SlackUnclear):
            return Refused(message=_NOT_NOW)
        except KeyturnError as error:
            return Refused(message=f"{error.message} Nothing was recorded.")

    async def _who(self, clicker: Clicker, desk: Desk) -> Identified:
        workspace = await self._workspaces.of(enterprise=clicker.enterprise, team=clicker.team)
        if workspace is None:
            return Refused(message=ELSEWHERE)
        is_of_another = clicker.user_team not in {None, clicker.team, clicker.enterprise}
        if clicker.is_shared or (is_of_another and clicker.enterprise is None):
            return Refused(message=_OUTSIDER)
        account = await self._accounts.get(workspace, clicker.user)
        if account is None:
            return Refused(message=_OUTSIDER)
        refusal = account.why_not(workspace)
        if refusal is not None:
            return Refused(message=refusal)
        identity = self.identity(workspace, account)
        person = await desk.person_of(identity)
        if person is None and self._links_by_email:
            found = await self._person_with(account, identity)
            person = None if found is None else await desk.person_of(identity)
        if person is None:
            return Unlinked(identity=identity)
        return Known(person=person, identity=identity)

    def identity(self, workspace: Workspace, account: Account) -> ChatIdentity:
        return ChatIdentity(chat=self._chat, tenant=workspace.tenant, user=account.id)

    async def reach(self, person: PersonId) -> tuple[Workspace, ChatIdentity] | None:
        """Return where *person* can be shown something; None when no account is linked.

        Of several accounts the one linked last that may still decide; a person may leave a
        workspace and stay in another.

        Raises:
            SlackBusy: not now.
            SlackUnclear: the same.
        """
        known = [
            (workspace, identity)
            for identity in await self._identities.of(person, self._chat)
            if (workspace := await self._workspaces.in_tenant(identity.tenant)) is not None
        ]
        for workspace, identity in known if len(known) > 1 else ():
            account = await self._accounts.get(workspace, identity.user)
            if account is not None and account.why_not(workspace) is None:
                return workspace, identity
        if known or not self._links_by_email:
            return known[0] if known else None
        email = await self._identities.email(person)
        for workspace in await self._workspaces.all() if email else []:
            account = await self._accounts.with_email(workspace, email or "")
            if account is None:
                continue
            identity = self.identity(workspace, account)
            if await self._link(person, identity):
                return workspace, identity
        return None

    async def is_linked(self, person: PersonId) -> bool:
        """Return whether *person* has an account in Slack, wherever that is."""
        return bool(await self._identities.of(person, self._chat))

    async def _person_with(self, account: Account, identity: ChatIdentity) -> PersonId | None:
        if not account.email or not account.is_email_confirmed:
            return None
        person = await self._identities.person_with_email(account.email)
        if person is None or not await self._link(person, identity):
            return None
        return person

    async def _link(self, person: PersonId, identity: ChatIdentity) -> bool:
        try:
            await self._identities.link_by_email(person, identity)
        except (Conflict, NotFound):
            log.warning("not linked by e-mail", extra={"person": person, "account": identity.user})
            return False
        return True
