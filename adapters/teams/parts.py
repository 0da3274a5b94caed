"""What the chat is made of: built once from the settings, before anything is connected."""

from dataclasses import dataclass

from adapters.teams.admission import Admission
from adapters.teams.cards import Cards
from adapters.teams.credentials import Credentials
from adapters.teams.groups import TeamsGroups
from adapters.teams.keeper import Keeper
from adapters.teams.members import Members
from adapters.teams.people import People
from adapters.teams.references import References
from adapters.teams.signing_keys import SigningKeys
from adapters.teams.transport import Transport
from adapters.teams.turns import Turns
from adapters.teams.wire import Wire
from bot.ports.shelf import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """``wire`` is what Graph is asked through; the Connector is behind ``transport``."""

    shelf: Shelf
    transport: Transport
    wire: Wire
    credentials: Credentials
    keys: SigningKeys
    admission: Admission
    references: References
    members: Members
    people: People
    cards: Cards
    turns: Turns
    keeper: Keeper
    groups: TeamsGroups
    service_url: str
    public_path: str
    web_url: str | None

    async def close(self) -> None:
        await self.keeper.close()
        await self.members.close()
        await self.transport.close()
        await self.wire.close()
