"""Who acts: an activity that the Connector signed names an account; this says whose it is."""

import asyncio
import logging
from typing import Final

from adapters.teams.inbound import Sender
from adapters.teams.members import NOT_SAID, Members
from adapters.teams.transport import Conversation
from bot.core.errors import KeyturnError, NotAuthenticated
from bot.core.identified import Identified, Known, Refused, Unlinked
from bot.core.identity import ChatIdentity
from bot.core.ids import PersonId
from bot.ports.desk import Desk
from bot.ports.identities import Identities

log = logging.getLogger("keyturn.teams")

#: An invoke is answered within a second, whatever else takes its time.
_ASK_S: Final = 0.6

ELSEWHERE: Final = (
    "Keyturn answers only in the organisations that its admins named, and this is none of them. "
    "Nothing was recorded."
)
_NOT_NOW: Final = (
    "Teams does not confirm who you are just now. Nothing was recorded. Try again in a minute."
)
_UNKNOWN: Final = "Teams knows no such account here. Nothing was recorded."
_GONE: Final = "You are no longer registered in Keyturn. Nothing was recorded. Ask an admin."


class People:
    """Trusts the ids that Teams proves, and never a name, an address or a role in Teams."""

    def __init__(
        self,
        *,
        chat: str,
        tenants: frozenset[str],
        members: Members,
        identities: Identities,
        ask_s: float = _ASK_S,
    ) -> None:
        self._chat = chat
        self._tenants = tenants
        self._members = members
        self._identities = identities
        self._ask_s = ask_s

    async def who(self, sender: Sender, desk: Desk) -> Identified:
        """Return who is behind *sender*, of an activity that is known to come from Teams."""
        try:
            return await self._who(sender, desk)
        except NotAuthenticated:
            return Refused(message=_GONE)
        except NOT_SAID as error:
            log.warning("teams does not say who acts", extra={"cause": str(error)})
            return Refused(message=_NOT_NOW)
        except KeyturnError as error:
            return Refused(message=f"{error.message} Nothing was recorded.")

    async def _who(self, sender: Sender, desk: Desk) -> Identified:
        if sender.tenant not in self._tenants:
            return Refused(message=ELSEWHERE)
        async with asyncio.timeout(self._ask_s):
            member = await self._members.get(chat_of(sender))
        if member is None:
            return Refused(message=_UNKNOWN)
        refusal = member.why_not(sender.tenant, sender.user)
        if refusal is not None:
            return Refused(message=refusal)
        identity = ChatIdentity(chat=self._chat, tenant=sender.tenant, user=sender.user)
        person = await desk.person_of(identity)
        if person is None:
            return Unlinked(identity=identity)
        return Known(person=person, identity=identity)

    async def accounts(self, person: PersonId) -> list[ChatIdentity]:
        """Return the accounts under which *person* may decide here, the one linked last first."""
        linked = await self._identities.of(person, self._chat)
        return [identity for identity in linked if identity.tenant in self._tenants]


def chat_of(sender: Sender) -> Conversation:
    """Return where *sender* was seen; their own chat only where they are alone."""
    return Conversation(
        tenant=sender.tenant,
        user=sender.user,
        conversation=sender.conversation,
        service_url=sender.service_url,
        bot=sender.bot,
        mri=sender.mri,
    )
