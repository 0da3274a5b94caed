"""The keys with which the Bot Connector signs: fetched on the side, by one asker at a time."""

import asyncio
import base64
import binascii
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from adapters.teams.transport import NotGenuine
from bot.core.ip_address import is_loopback

log = logging.getLogger("keyturn.teams")

#: Asked for anew after this, in the background: the old ones serve meanwhile.
FRESH_S: Final = 86_400.0
#: Kept no longer than this when no new ones can be had.
KEPT_S: Final = 5 * 86_400.0
#: A key that nobody knows is looked for at most this often, whoever asks.
LOOK_AGAIN_S: Final = 30.0
#: After a failure nobody waits for the same failure.
_PAUSE_S: Final = 2.0
_FETCH_S: Final = 5.0
_MAX_BYTES: Final = 1_048_576
_MIN_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Speaks for the channels it is endorsed for; the names are what the SDK looks for."""

    public_key: RSAPublicKey
    endorsements: Sequence[str]


class KeysUnavailable(Exception):
    """The keys could not be fetched; the message is for the log."""


class SigningKeys:
    """The keys that the metadata at *url* points to, by their ids."""

    def __init__(
        self,
        url: str,
        session: Callable[[], ClientSession],
        *,
        now: Callable[[], float] = time.monotonic,
        fetch_s: float = _FETCH_S,
    ) -> None:
        self.url = url
        self._session = session
        self._now = now
        self._timeout = ClientTimeout(total=fetch_s)
        self._keys: Mapping[str, SigningKey] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._fetching: asyncio.Task[int] | None = None

    async def get(self, key_id: str | None) -> SigningKey:
        """Return the key *key_id*.

        Raises:
            NotGenuine: there is none, or it cannot be known now.
        """
        if not isinstance(key_id, str) or not key_id:
            raise NotGenuine("no key named")
        if self._age_s() > KEPT_S:
            self._keys = {}
        key = self._keys.get(key_id)
        if key is None:
            await self._look_again()
            key = self._keys.get(key_id)
        elif self._age_s() > FRESH_S and self._now() - self._tried_at > LOOK_AGAIN_S:
            _ = self._begin()
        if key is None:
            raise NotGenuine("unknown key" if self._keys else "the signing keys are not known")
        if not key.endorsements:
            # The SDK would take it for every channel.
            raise NotGenuine("a key without endorsements")
        return key

    async def fetch(self) -> int:
        """Fetch the keys now, or join whoever does, and return how many there are.

        Raises:
            KeysUnavailable: with the reason.
        """
        # Whoever gives up waiting does not end it for the others.
        return await asyncio.shield(self._begin())

    def endorsed(self, channel: str) -> int:
        """Return how many of the keys that are known speak for *channel*."""
        return sum(channel in key.endorsements for key in self._keys.values())

    async def close(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    async def _look_again(self) -> None:
        pause_s = LOOK_AGAIN_S if self._keys else _PAUSE_S
        if self._fetching is None and self._now() - self._tried_at < pause_s:
            return
        with suppress(KeysUnavailable):
            await self.fetch()

    def _begin(self) -> asyncio.Task[int]:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetched())
            self._fetching.add_done_callback(self._ended)
        return self._fetching

    def _ended(self, fetching: asyncio.Task[int]) -> None:
        self._fetching = None
        if not fetching.cancelled() and (error := fetching.exception()) is not None:
            log.warning("the bot connector's keys are out of reach", extra={"why": str(error)})

    async def _fetched(self) -> int:
        self._tried_at = self._now()
        try:
            metadata = await self._read(self.url)
            keys = _keys_of(await self._read(_jwks_uri(metadata)))
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            raise KeysUnavailable(_why(error)) from None
        self._keys, self._fetched_at = keys, self._now()
        return len(keys)

    async def _read(self, url: str) -> Any:
        asking = self._session().get(url, timeout=self._timeout, allow_redirects=False)
        async with asking as answer:
            if answer.status != 200:
                raise ValueError(f"status {answer.status}")
            body = await answer.content.read(_MAX_BYTES)
            if not answer.content.at_eof():
                raise ValueError("too long")
            return orjson.loads(body)

    def _age_s(self) -> float:
        return self._now() - self._fetched_at


def _jwks_uri(metadata: Any) -> str:
    uri = metadata.get("jwks_uri") if isinstance(metadata, dict) else None
    if not isinstance(uri, str):
        raise ValueError("no jwks_uri")  # noqa: TRY004 - all that is wrong here is one error
    parts = urlsplit(uri)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (host == "localhost" or is_loopback(host)):
        raise ValueError("jwks_uri is not https")
    return uri


def _keys_of(jwks: Any) -> Mapping[str, SigningKey]:
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(listed, list):
        raise ValueError("no keys")  # noqa: TRY004 - all that is wrong here is one error
    found = {}
    for entry in listed:
        if isinstance(entry, dict) and isinstance(entry.get("kid"), str):
            key = _key_of(entry)
            if key is not None:
                found[entry["kid"]] = key
    if not found:
        raise ValueError("no key that can be used")
    return found


def _key_of(entry: Mapping[str, Any]) -> SigningKey | None:
    """Return the key of one entry; None when it is of another kind, or too short."""
    if entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
        return None
    try:
        modulus, exponent = _number(entry["n"]), _number(entry["e"])
        public_key = RSAPublicNumbers(exponent, modulus).public_key()
    except (KeyError, TypeError, ValueError):
        return None
    if public_key.key_size < _MIN_BITS:
        return None
    endorsed = entry.get("endorsements")
    names = (
        [name for name in endorsed if isinstance(name, str)] if isinstance(endorsed, list) else []
    )
    return SigningKey(public_key, names)


def _number(text: str) -> int:
    try:
        return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _why(error: Exception) -> str:
    # A client's error quotes addresses; ours say what is wrong.
    return str(error) if type(error) is ValueError else type(error).__name__
