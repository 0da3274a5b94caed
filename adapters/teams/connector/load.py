"""From the section in ``keyturn.yaml`` to a connector, or to everything that is wrong with it."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from pydantic import ValidationError

from adapters.teams.activity import GUID
from adapters.teams.connector.client import Client
from adapters.teams.connector.config import ConnectorSection, CredentialSection
from adapters.teams.connector.connector import TeamsConnector
from adapters.teams.connector.params import Deed, Reader
from adapters.teams.connector.place import SCHEME
from adapters.teams.credentials import (
    Certificate,
    Credentials,
    ManagedIdentity,
    Password,
    Proof,
)
from bot.core.canonical import digest_of
from bot.core.credential import CredentialRefused, kept_under, one_line
from bot.core.errors import SettingsInvalid
from bot.core.section_problems import read_section
from bot.core.verbs import Undo, Verb
from bot.ports.clock import Clock

#: Raised whenever the same section would be sent, shown or judged in another way than before.
VERSION: Final = 1

_GUID: Final = "write the id as Entra shows it, 8-4-4-4-12 hexadecimal digits"
_PATTERNS: Final = {"app_id": _GUID, "tenant": _GUID}


def create(
    name: str,
    section: Mapping[str, object],
    *,
    secrets: Callable[[str], str],
    clock: Clock,
) -> TeamsConnector:
    """Return the connector *name* as *section* declares it; Teams is asked nothing yet.

    Raises:
        SettingsInvalid: with everything that is wrong, each with its place.
    """
    parsed, proof = read(name, section, secrets=secrets)
    reader = Reader(prefix=parsed.prefix)
    tokens = Credentials(
        app_id=parsed.app_id, tenant=parsed.tenant, proof=proof, login_url=parsed.login_url
    )
    return TeamsConnector(
        name=name,
        verbs=_verbs(name, parsed, reader),
        reader=reader,
        client=Client(service_url=parsed.service_url, tokens=tokens),
        app_id=parsed.app_id,
        tenant=parsed.tenant,
        undo_window_s=parsed.undo_window_s,
        timeout_s=parsed.timeout_s,
        clock=clock,
    )


def read(
    name: str, section: Mapping[str, object], *, secrets: Callable[[str], str]
) -> tuple[ConnectorSection, Proof]:
    """Return what *section* says of the connector *name*, and its credential.

    Raises:
        SettingsInvalid: with everything that is wrong, each with its place.
    """
    place = f"connectors.{name}"
    problems: list[str] = []
    parsed = read_section(
        ConnectorSection, section, place=place, problems=problems, patterns=_PATTERNS
    )
    proof = _proof(section, place, secrets, problems)
    if parsed is None or proof is None or problems:
        raise SettingsInvalid(f"The connector {name} cannot be used.", problems=problems)
    return parsed, proof


def _verbs(connector: str, section: ConnectorSection, reader: Reader) -> dict[str, Verb]:
    # What the app tells about itself changes nothing that is sent, shown or judged.
    shared = section.model_dump(mode="json", exclude={"package"})
    config_digest = digest_of({"version": VERSION, "connector": connector, "section": shared})
    return {
        name: Verb(
            name=name,
            connector=connector,
            kind=deed.kind,
            summary=deed.summary,
            params_schema=reader.schemas[deed],
            resources=(f"{SCHEME}*",),
            idempotent=deed.may_repeat,
            inspects=True,
            config_digest=config_digest,
            undo=_undo(deed, section, reader),
        )
        for name, deed in reader.deeds.items()
    }


def _undo(deed: Deed, section: ConnectorSection, reader: Reader) -> Undo | None:
    if deed.undone_by is None:
        return None
    return Undo(verb=reader.name_of(deed.undone_by), window_s=section.undo_window_s)


def _proof(
    section: Mapping[str, object],
    place: str,
    secrets: Callable[[str], str],
    problems: list[str],
) -> Proof | None:
    try:
        found = CredentialSection.model_validate(section.get("credential"))
    except ValidationError:
        return None  # that is told with the whole section
    if found.managed_identity:
        return ManagedIdentity()
    key = "app_password" if found.certificate is None else "certificate"
    return kept_under(
        found.app_password or found.certificate or "",
        secrets=secrets,
        use=_password if found.certificate is None else _certificate,
        place=f"{place}.credential.{key}",
        problems=problems,
    )


def _password(secret: str) -> Proof:
    value = one_line(secret, called="client secret")
    if re.fullmatch(GUID, value):
        # Entra shows both side by side, and the id is the one that can be copied later.
        raise CredentialRefused("this is the id of a client secret, and its value is needed")
    return Password(value)


def _certificate(secret: str) -> Proof:
    try:
        return Certificate(secret)
    except ValueError as error:
        raise CredentialRefused(str(error)) from None
