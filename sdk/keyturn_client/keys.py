"""The gate's public keys: fetched when they are needed, kept for a while."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from keyturn_client.errors import GateUnreachable, Refused
from keyturn_client.gate import Gate

KEEP_S: Final = 300.0
#: A kid that is not known asks for the keys anew, but no more often than this.
ASK_AGAIN_AFTER_S: Final = 5.0


class Keys:
    """Ed25519 keys by their ``kid``; *clock* is monotonic, in seconds."""

    def __init__(self, gate: Gate, *, clock: Callable[[], float]) -> None:
        self._gate = gate
        self._clock = clock
        self._known: Mapping[str, OKPKey] = {}
        self._asked_at: float | None = None
        self._asking = asyncio.Lock()

    async def find(self, kid: str) -> OKPKey | None:
        """Return the key called *kid*, or None when the gate does not publish it.

        Raises:
            GateUnreachable: the keys cannot be had.
        """
        async with self._asking:
            known = self._known.get(kid)
            too_old = KEEP_S if known is not None else ASK_AGAIN_AFTER_S
            if self._asked_at is not None and self._clock() - self._asked_at < too_old:
                return known
            self._known = await self._fetch()
            self._asked_at = self._clock()
            return self._known.get(kid)

    async def _fetch(self) -> Mapping[str, OKPKey]:
        try:
            found = await self._gate.ask("GET", "/.well-known/jwks.json", with_token=False)
        except Refused as error:
            raise GateUnreachable("The gate does not publish its keys.") from error
        return read_keys(found)


def read_keys(published: Mapping[str, Any]) -> Mapping[str, OKPKey]:
    """Return the Ed25519 keys of a JWK set; others are left out.

    Raises:
        GateUnreachable: it is not a JWK set.
    """
    keys = published.get("keys")
    if not isinstance(keys, list):
        raise GateUnreachable("What the gate publishes as its keys is not a JWK set.")
    found: dict[str, OKPKey] = {}
    for key in keys:
        if not isinstance(key, dict) or (key.get("kty"), key.get("crv")) != ("OKP", "Ed25519"):
            continue
        kid = key.get("kid")
        try:
            if isinstance(kid, str):
                found[kid] = OKPKey.import_key(key)
        except (JoseError, ValueError, TypeError):
            continue
    return found
