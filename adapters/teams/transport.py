"""What this folder asks of the Bot Connector: the port behind which the SDK sits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The personal chat of one account with the bot, and where it is reached."""

    #: Entra's id of the organisation that the account is of.
    tenant: str
    #: Entra's object id of the account, in lower case.
    user: str
    #: ``a:...``
    conversation: str
    service_url: str
    #: ``28:<app id>``
    bot: str
    #: ``29:...``, what Teams itself calls the account; None where it has not told.
    mri: str | None = None


class NotGenuine(Exception):
    """The request does not prove that the Bot Connector sent it; the message is for the log."""


class ConnectorRefused(Exception):
    """The Connector understood, did nothing, and would answer the same again."""

    def __init__(self, *, status: int, code: str, message: str = "") -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        #: The innermost code: ``BotNotInConversationRoster`` inside ``Forbidden``.
        self.code = code
        #: The Connector's words: for the log, never for a card.
        self.message = message


class ConnectorBusy(Exception):
    """Surely nothing was done, and it is worth trying again after ``retry_after_s``."""

    def __init__(self, message: str = "", *, retry_after_s: float) -> None:
        super().__init__(message or "The Bot Connector asks to wait.")
        self.retry_after_s = retry_after_s


class ConnectorUnclear(Exception):
    """It may have been done: the reply was lost, or the Connector failed on the way."""


class Transport(Protocol):
    """Speaks to the Bot Connector as the bot, and knows its requests from others'.

    An implementation MUST send the bot's token to admitted hosts only, MUST NOT send anything
    again by itself, and MUST NOT stall the event loop.

    All but ``authenticate`` raise:
        ConnectorRefused: for good.
        ConnectorBusy: not now; surely not done.
        ConnectorUnclear: perhaps done.
    """

    async def authenticate(
        self, activity: Mapping[str, Any], authorization: str | None
    ) -> Mapping[str, Any]:
        """Return the claims of the token in the header *authorization*, checked for *activity*.

        Raises:
            NotGenuine: for whatever reason, and nothing else.
        """
        ...

    async def begin(self, *, tenant: str, user: str, service_url: str) -> Conversation:
        """Return the personal chat with *user*, an object id; asking again returns the same."""
        ...

    async def send(self, to: Conversation, activity: Mapping[str, Any]) -> str:
        """Return the id under which *activity* can be updated."""
        ...

    async def update(
        self, to: Conversation, activity_id: str, activity: Mapping[str, Any]
    ) -> None: ...

    async def post_in_channel(
        self, *, tenant: str, service_url: str, channel: str, activity: Mapping[str, Any]
    ) -> str:
        """Begin a thread in *channel* (``19:...@thread.tacv2``), and return its activity id."""
        ...

    async def member(self, of: Conversation, user: str) -> Mapping[str, Any] | None:
        """Return what Teams says of *user*, as it says it; None where it knows no such member."""
        ...

    async def close(self) -> None: ...
