"""From the section in ``keyturn.yaml`` to a connector, or to everything that is wrong with it."""

import ssl
from collections.abc import Callable, Mapping
from typing import Final

from adapters.smtp.client import Client, Resolver
from adapters.smtp.config import ConnectorSection, CredentialSection
from adapters.smtp.connector import SmtpConnector
from adapters.smtp.credential import credential_of
from adapters.smtp.params import RESOURCE, MailReader
from bot.core.canonical import digest_of
from bot.core.credential import credential_in
from bot.core.errors import SettingsInvalid
from bot.core.section_problems import read_section
from bot.core.verbs import Kind, Verb
from bot.ports.clock import Clock

#: Raised whenever the same section would be sent, shown or judged in another way than before.
VERSION: Final = 1


def create(
    name: str,
    section: Mapping[str, object],
    *,
    secrets: Callable[[str], str],
    clock: Clock,
    resolver: Resolver | None = None,
    tls: ssl.SSLContext | None = None,
) -> SmtpConnector:
    """Return the connector *name* as *section* declares it; nothing is asked of the server yet.

    *secrets* returns the password under a reference. *resolver* and *tls* are for servers that the
    system's own do not know.

    Raises:
        SettingsInvalid: with everything that is wrong, each with its place.
    """
    place = f"connectors.{name}"
    problems: list[str] = []
    parsed = read_section(ConnectorSection, section, place=place, problems=problems)
    credential = credential_in(
        section,
        CredentialSection.model_validate,
        secrets=secrets,
        use=lambda found, secret: credential_of(found.user, secret),
        place=place,
        problems=problems,
    )
    if parsed is None or problems:
        raise SettingsInvalid(f"The connector {name} cannot be used.", problems=problems)
    reader = MailReader(senders=parsed.senders, max_recipients=parsed.max_recipients)
    client = Client(
        host=parsed.host,
        port=parsed.listens_at,
        security=parsed.security,
        credential=credential,
        allow_private=parsed.allow_private,
        resolver=resolver,
        tls=tls,
    )
    return SmtpConnector(
        verb=_verb(name, parsed, reader),
        reader=reader,
        client=client,
        own_domains=parsed.own_domains,
        from_name=parsed.from_name,
        timeout_s=parsed.timeout_s,
        max_message_bytes=parsed.max_message_bytes,
        clock=clock,
    )


def _verb(connector: str, section: ConnectorSection, reader: MailReader) -> Verb:
    shared = section.model_dump(mode="json", by_alias=True)
    return Verb(
        name=section.verb,
        connector=connector,
        kind=Kind.WRITE,
        summary="Send an e-mail",
        params_schema=reader.schema,
        resources=tuple(f"{RESOURCE}{sender}" for sender in section.senders),
        config_digest=digest_of({"version": VERSION, "connector": connector, "section": shared}),
    )
