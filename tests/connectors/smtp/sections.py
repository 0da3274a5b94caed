"""Sections of ``keyturn.yaml``, and a mail, that the tests of the connector share."""

import base64
import hashlib
import ssl
from collections.abc import Mapping
from typing import Any

from adapters.smtp import SmtpConnector, create
from adapters.smtp.client import Resolver
from bot.core.canonical import Json
from bot.core.proposal import Action
from bot.system_clock import SystemClock
from tests.connectors.smtp.post_office import SECRET, USER


def keep(reference: str) -> str:
    """Resolve every reference to the one secret of the tests."""
    return SECRET


def section(**changed: Any) -> dict[str, Any]:
    """Return a section with keys replaced; one given as None is left out."""
    made: dict[str, Any] = {
        "type": "smtp",
        "host": "mx.example.org",
        "allow_private": True,
        "credential": {"user": USER, "reference": "env:MAIL_PASSWORD"},
        "from": [USER],
        "own_domains": ["example.org"],
        "timeout_s": 5,
        **changed,
    }
    return {key: value for key, value in made.items() if value is not None}


async def here(_host: str) -> list[str]:
    return ["127.0.0.1"]


def connect(
    made: Mapping[str, Any], *, tls: ssl.SSLContext | None = None, resolver: Resolver = here
) -> SmtpConnector:
    return create("mail", made, secrets=keep, clock=SystemClock(), resolver=resolver, tls=tls)


def attachment(name: str, type: str, content: bytes) -> dict[str, Json]:
    return {
        "name": name,
        "type": type,
        "sha256": hashlib.sha256(content).hexdigest(),
        "content_base64": base64.b64encode(content).decode(),
    }


def mail(**params: Any) -> Action:
    """Return a mail to Ana with params replaced; one given as None is left out."""
    made = {"to": ["ana@example.org"], "subject": "Hello", "text": "Hello\n", **params}
    return Action(
        verb="mail.send",
        resource=f"mail:{USER}",
        params={key: value for key, value in made.items() if value is not None},
    )
