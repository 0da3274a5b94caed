"""Ids in the log as people read them: persons by handle, agents by name."""

from collections.abc import Mapping
from typing import Self

from bot.cli.admin import Admin


class Names:
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    @classmethod
    async def of(cls, api: Admin) -> Self:
        """Return the names of everybody and everything that is registered."""
        people, agents = await api.get("people"), await api.get("agents")
        return cls(
            {
                **{person["id"]: person["handle"] for person in people["people"]},
                **{agent["id"]: agent["name"] for agent in agents["agents"]},
            }
        )

    def name(self, id: str) -> str:
        return self._names.get(id, id)
