"""What an agent's webhook is sent, and how the agent knows that Keyturn sent it.

Messages and signatures are those of Standard Webhooks (https://www.standardwebhooks.com). A message
says which proposal changed, and nothing of its content: the agent reads that with its own token.
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.core.canonical import canonical
from bot.core.ids import EffectId
from bot.core.leaf import timestamp
from bot.core.news import News

SECRET_ENTROPY_BYTES: Final = 32

_PREFIX: Final = "whsec_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """``id`` and ``body`` are the same whenever the same news is sent again."""

    id: str
    body: bytes

    def headers(self, secrets: Sequence[str], *, at: datetime) -> Mapping[str, str]:
        """Return the headers of one attempt at *at*, signed with each of *secrets*."""
        seconds = int(at.timestamp())
        return {
            "content-type": "application/json",
            "webhook-id": self.id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": " ".join(
                signature(secret, id=self.id, seconds=seconds, body=self.body) for secret in secrets
            ),
        }


def message_of(news: News, *, effect: EffectId) -> Message:
    """Return what is sent about *news*; *effect* is the work of sending exactly that."""
    body = canonical(
        {
            "type": "proposal.changed",
            "timestamp": timestamp(news.at),
            "data": {
                "proposal": news.proposal,
                "state": news.state.value,
                "cursor": str(news.cursor),
            },
        }
    )
    return Message(id=effect, body=body)


def spell_secret(entropy: bytes) -> str:
    """Return the secret of *entropy* as receivers expect it."""
    return _PREFIX + base64.b64encode(entropy[:SECRET_ENTROPY_BYTES]).decode()


def signature(secret: str, *, id: str, seconds: int, body: bytes) -> str:
    """Return one signature of Standard Webhooks, version 1: HMAC-SHA256."""
    key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    signed = f"{id}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
