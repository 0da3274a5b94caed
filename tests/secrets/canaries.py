"""Secrets that belong to nobody: each is of a kind that people hand out, and can be found again.

They are put together from parts, so that nothing here looks like a live credential. Every one of
them holds a mark, at its beginning and at its end where it is long enough.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.core.tokens import TokenKind, spell_token

#: In every alphabet that has the lower hexadecimal digits; of no other meaning.
HEAD = "c0ffee5ec7e7"
TAIL = "7e7ce5eeff0c"
#: In base32.
UPPER = "CQNQRY27"
#: Part of every password that only its place gives away.
WORD = "c0ffee5e"

_MIXED = "aB3dE5gH7jK9mN2pQ4rS6tU8vW1xY0zA"
_HEX = "0123456789abcdef"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def _some(alphabet: str, count: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(count))


def _mixed(length: int) -> str:
    return HEAD + _some(_MIXED, length - len(HEAD + TAIL)) + TAIL


def _hex(length: int) -> str:
    return HEAD + _some(_HEX, length - len(HEAD + TAIL)) + TAIL


def _digits(length: int) -> str:
    return _some("123456789", length)


def _private_key() -> str:
    begin, end = ("-----" + word + " RSA PRIVATE " + "KEY-----" for word in ("BEGIN", "END"))
    return f"{begin}\n{_mixed(64)}\n{end}"


def _own(kind: TokenKind) -> Callable[[], str]:
    # The mark is in the checksum's way, so it is found by its value: see Canary.
    return lambda: spell_token(kind, secrets.token_bytes(24))


#: By the name that the detector has for the kind.
KINDS: Mapping[str, Callable[[], str]] = {
    "private_key": _private_key,
    "age_key": lambda: "AGE-SECRET-" + "KEY-1" + UPPER + _some("QPZRY9X8GF2TVDW0", 50),
    "jwt": lambda: "ey" + "J" + _mixed(30) + ".ey" + "J" + _mixed(40) + "." + _mixed(43),
    "aws_access_key": lambda: "AK" + "IA" + UPPER + _some(_BASE32, 8),
    "aws_secret_key": lambda: "aws_secret_" + "access_key = " + _mixed(40),
    "github": lambda: "gh" + "p_" + _mixed(36),
    "gitlab": lambda: "gl" + "pat-" + _mixed(26),
    "slack": lambda: "xo" + "xb-" + _digits(12) + "-" + _mixed(30),
    "slack_webhook": lambda: "https://hooks.slack" + ".com/services/T0000/B0000/" + _mixed(32),
    "teams_webhook": lambda: "https://x.webhook.office" + ".com/webhookb2/" + _hex(64),
    "discord_webhook": lambda: (
        "https://discord.com/api" + "/webhooks/" + _digits(18) + "/" + _mixed(68)
    ),
    "discord": lambda: _mixed(24) + "." + _some(_MIXED, 6) + "." + _mixed(27),
    "google_api_key": lambda: "AI" + "za" + _mixed(35),
    "google_oauth": lambda: "GOC" + "SPX-" + _mixed(28),
    "google_service_account": lambda: (
        '{"type": "service_' + 'account", "private_' + 'key_id": "' + _hex(40) + '"}'
    ),
    "azure_storage": lambda: "Account" + "Key=" + _mixed(86) + "==",
    "azure_signature": lambda: "https://x.blob.core.example/c?sv=1&" + "sig=" + _mixed(43) + "%3D",
    "azure_client_secret": lambda: "abc" + "8Q" + "~" + _mixed(34),
    "stripe": lambda: "sk_" + "live_" + _mixed(32),
    "webhook_signing": lambda: "wh" + "sec_" + _mixed(32),
    "anthropic": lambda: "sk-" + "ant-api03-" + _mixed(80),
    "openai": lambda: "sk-" + "proj-" + _mixed(48),
    "npm": lambda: "np" + "m_" + _mixed(36),
    "pypi": lambda: "py" + "pi-AgE" + _mixed(90),
    "twilio": lambda: "S" + "K" + _hex(32),
    "sendgrid": lambda: "S" + "G." + _some(_MIXED, 22) + "." + _mixed(43),
    "mailgun": lambda: "ke" + "y-" + _hex(32),
    "mailchimp": lambda: _hex(32) + "-u" + "s12",
    "telegram": lambda: _digits(9) + ":A" + "A" + _mixed(33),
    "heroku": lambda: "HR" + "KU-" + _mixed(36),
    "hugging_face": lambda: "h" + "f_" + _mixed(34),
    "digitalocean": lambda: "dop" + "_v1_" + _hex(64),
    "shopify": lambda: "shp" + "at_" + _hex(32),
    "docker_hub": lambda: "dckr" + "_pat_" + _mixed(30),
    "vault": lambda: "hv" + "s." + _mixed(90),
    "atlassian": lambda: "ATA" + "TT3" + _mixed(90),
    "grafana": lambda: "gl" + "sa_" + _mixed(34),
    "linear": lambda: "lin_" + "api_" + _mixed(40),
    "notion": lambda: "nt" + "n_" + _mixed(46),
    "databricks": lambda: "da" + "pi" + _hex(32),
    "authorization_header": lambda: "Authorization: " + "Bearer " + _mixed(40),
    "password_in_url": lambda: "postgres://app:" + _mixed(30) + "@db.example/x",
    "assigned_password": lambda: "pass" + "word=" + _mixed(28),
    "keyturn": _own(TokenKind.AGENT),
}


@dataclass(frozen=True, slots=True)
class Canary:
    """One secret, and where it was put."""

    kind: str
    value: str

    @property
    def core(self) -> str:
        """The part that is secret whatever it is sent as."""
        for mark in (HEAD, UPPER):
            at = self.value.find(mark)
            if at >= 0:
                return self.value[at : at + 24]
        return self.value[8:]


def canary(kind: str) -> Canary:
    """Return a new secret of *kind*."""
    return Canary(kind, KINDS[kind]())


def opaque(label: str) -> str:
    """Return a password that no pattern knows, with the mark."""
    return f"{label}-{_mixed(40)}"


def name_of(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:12]
