"""Ids as people read them: by handle."""

from collections.abc import Iterable, Mapping
from typing import Self

from bot.cli.admin import Admin


class People:
    """Everybody who is registered, by id."""

    def __init__(self, handles: Mapping[str, str]) -> None:
        self._handles = handles

    @classmethod
    async def of(cls, api: Admin) -> Self:
        found = await api.get("people")
        return cls({person["id"]: person["handle"] for person in found["people"]})

    def name(self, id: str) -> str:
        return self._handles.get(id, id)

    def names(self, ids: Iterable[str]) -> str:
        return " ".join(map(self.name, ids))

    def actor(self, actor: str | None) -> str:
        """Return whom ``person:ID`` or ``system:PART`` names."""
        kind, _, who = (actor or "").partition(":")
        return self.name(who) if kind == "person" else who or kind
