"""Groups that a test can change at any moment."""

from collections.abc import Collection
from dataclasses import dataclass, field

from bot.core.approval import Membership
from bot.core.ids import PersonId


@dataclass(slots=True)
class Groups:
    """Implements :class:`bot.ports.directory.Directory`."""

    members_of: dict[str, frozenset[PersonId]] = field(default_factory=dict)

    async def members(self, groups: Collection[str]) -> Membership:
        return {name: self.members_of[name] for name in groups if name in self.members_of}
