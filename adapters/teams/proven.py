"""Tokens that were proven a moment ago: the Connector sends each one with many activities."""

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

#: A key that was withdrawn meanwhile is trusted so much longer, and no more.
TRUSTED_S: Final = 30.0
_KEPT: Final = 256


class Proven:
    """Remembers claims by the token and what it was checked against; never past their end."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._now = now
        self._wall = wall
        self._claims: dict[bytes, tuple[Mapping[str, Any], float]] = {}

    def claims(self, *checked: str) -> Mapping[str, Any] | None:
        found = self._claims.get(_name(checked))
        return None if found is None or self._now() >= found[1] else found[0]

    def keep(self, claims: Mapping[str, Any], *checked: str) -> None:
        ends = claims.get("exp")
        if not isinstance(ends, int | float) or ends < self._wall() + TRUSTED_S:
            return
        while len(self._claims) >= _KEPT:
            del self._claims[next(iter(self._claims))]
        self._claims[_name(checked)] = claims, self._now() + TRUSTED_S


def _name(checked: tuple[str, ...]) -> bytes:
    return hashlib.sha256("\0".join(checked).encode("utf-8", "surrogatepass")).digest()
