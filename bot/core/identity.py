"""Who a person is in a chat: ids that the chat proves, never a name or an address."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from bot.core.ids import PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatIdentity:
    """``tenant`` is the organisation in the chat, ``user`` the account within it.

    In Slack the enterprise id where there is one, else the team id; in Teams the Entra tenant.
    """

    chat: str
    tenant: str
    user: str

    @property
    def key(self) -> str:
        return f"{self.chat}/{self.tenant}/{self.user}"


@unique
class LinkedBy(StrEnum):
    CODE = "code"  #: a code of the person, redeemed in the chat
    EMAIL = "email"  #: the address the chat has verified, inside the own organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedIdentity:
    """Belongs to exactly one person while it is linked; a person may have several."""

    identity: ChatIdentity
    person: PersonId
    by: LinkedBy
    linked_at: datetime
