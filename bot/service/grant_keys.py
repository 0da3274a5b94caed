"""The keys that sign grants: every one of them is published, the newest signs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from bot.core.canonical import Json, canonical, parse
from bot.core.errors import InvalidInput, Unavailable
from bot.core.grant_claims import Presented, presented

TYPE: Final = "keyturn-grant+jwt"
ALGORITHM: Final = "Ed25519"  # RFC 9864; "EdDSA" is deprecated there
MAX_GRANT_CHARS: Final = 16_384

SEED_BYTES: Final = 32

_CURVE_PRIVATE_PREFIX: Final = bytes.fromhex("302e020100300506032b657004220420")  # RFC 8410


class GrantKeys:
    """Ed25519 keys from their seeds of ``SEED_BYTES``, oldest first; the last one signs."""

    def __init__(self, seeds: Sequence[bytes]) -> None:
        self._keys: dict[str, OKPKey] = {}
        for seed in seeds:
            self.add(seed)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def newest(self) -> str:
        """The name of the key that signs now.

        Raises:
            Unavailable: there is none.
        """
        if not self._keys:
            raise Unavailable(
                "There is no key to sign grants with.",
                remedy="Tell the operator: `keyturn serve --init` makes one.",
            )
        return next(reversed(self._keys))

    def add(self, seed: bytes) -> str:
        """Sign with the key of *seed* from now on; return its name (RFC 7638 thumbprint)."""
        key = OKPKey.import_key(_CURVE_PRIVATE_PREFIX + seed)
        name = key.thumbprint()
        self._keys.pop(name, None)
        self._keys[name] = key
        return name

    def sign(self, claims: Mapping[str, Json], *, key: str) -> str:
        """Return the token of *claims*: the same bytes for the same claims and key.

        Raises:
            Unavailable: the key is no longer there.
        """
        found = self._keys.get(key)
        if found is None:
            raise Unavailable(
                "The key of this grant is gone.", remedy="Propose it again: it gets a new grant."
            )
        header = {"typ": TYPE, "alg": ALGORITHM, "kid": key}
        return jws.serialize_compact(header, canonical(claims), found, algorithms=[ALGORITHM])

    def read(self, token: str) -> Presented | None:
        """Return what *token* says and whether we have signed it; None when it is no token."""
        if len(token) > MAX_GRANT_CHARS or not token.isascii():
            return None
        try:
            unverified = jws.extract_compact(token.encode())
            claims = parse(unverified.payload)
        except (JoseError, InvalidInput, ValueError):
            return None
        if not isinstance(claims, dict):
            return None
        return presented(claims, genuine=self._is_genuine(token, unverified.headers()))

    def jwks(self) -> Mapping[str, Any]:
        """Return every public key as a JWK set (RFC 7517), oldest first."""
        return {
            "keys": [
                {
                    **cast("dict[str, Any]", key.as_dict(private=False)),
                    "kid": name,
                    "alg": ALGORITHM,
                    "use": "sig",
                }
                for name, key in self._keys.items()
            ]
        }

    def _is_genuine(self, token: str, header: Mapping[str, Any]) -> bool:
        kid = header.get("kid")
        key = self._keys.get(kid) if isinstance(kid, str) else None
        # The header is checked whole: what else it might ask for is not for it to choose.
        if key is None or dict(header) != {"typ": TYPE, "alg": ALGORITHM, "kid": kid}:
            return False
        try:
            jws.deserialize_compact(token, key, algorithms=[ALGORITHM])
        except (JoseError, ValueError):
            return False
        return True
