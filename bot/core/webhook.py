"""Where an agent wants to be told that something has happened."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import SplitResult, urlsplit

from bot.core.ids import WebhookSecretId
from bot.core.ip_address import is_disguised, is_literal, why_refused

MAX_URL_CHARS: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSecret:
    """What is known of a signing secret; it is kept on the shelf. It signs until ``ends_at``."""

    id: WebhookSecretId
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """``secrets`` are oldest to newest. ``stopped`` says why nothing is sent any more."""

    url: str
    secrets: tuple[WebhookSecret, ...]
    stopped: str | None = None

    def signing(self, now: datetime) -> tuple[WebhookSecretId, ...]:
        """Return the secrets that sign at *now*, the newest first."""
        return tuple(s.id for s in reversed(self.secrets) if s.ends_at is None or now < s.ends_at)

    def rotated(self, new: WebhookSecretId, *, now: datetime, others_end_at: datetime) -> "Webhook":
        """Return the webhook with a new secret beside those that still sign for a while."""
        ended = (
            replace(old, ends_at=min(old.ends_at or others_end_at, others_end_at))
            for old in self.secrets
        )
        kept = tuple(old for old in ended if old.ends_at is not None and now < old.ends_at)
        return replace(self, secrets=(*kept, WebhookSecret(id=new)), stopped=None)


def why_url_refused(url: str, *, private_hosts: Collection[str]) -> str | None:
    """Return why nothing may be sent to *url*, or None if it may. Names are not looked up here."""
    if len(url) > MAX_URL_CHARS or not url.isascii() or not url.isprintable() or " " in url:
        return f"The address has to be plain ASCII of at most {MAX_URL_CHARS} characters."
    parts = _parts(url)
    host = None if parts is None else parts.hostname
    if parts is None or not host or parts.scheme not in ("http", "https"):
        return "The address has to be like https://agent.your-company.net/keyturn."
    if parts.username is not None or parts.password is not None:
        return "The address carries a credential. What is sent is signed: leave it out."
    if "#" in url:
        return "The address has a part behind #, which is never sent. Leave it out."
    if is_disguised(host):
        return "The host is a number that some systems take for an address. Write it in full."
    is_private = host in private_hosts
    if parts.scheme == "http" and not is_private:
        return "The address is not https, so others could read what is sent."
    if is_literal(host) and (why := why_refused(host, allow_private=is_private)):
        return f"The host is an address {why.partition(':')[0]}."
    return None


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts
