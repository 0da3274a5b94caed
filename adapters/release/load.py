"""From the section in ``keyturn.yaml`` to a connector, or to everything that is wrong with it."""

from collections.abc import Callable, Mapping
from typing import Final

from pydantic import ValidationError

from adapters.release.config import ConnectorSection, VerbSection
from adapters.release.connector import ReleaseConnector
from bot.core.canonical import Digest, digest_of
from bot.core.errors import SettingsInvalid
from bot.core.section_problems import problems_in
from bot.core.verbs import Release, Verb
from bot.ports.clock import Clock

#: Raised whenever the same section would be shown or judged in another way than before.
VERSION: Final = 1


def create(
    name: str,
    section: Mapping[str, object],
    *,
    secrets: Callable[[str], str],  # noqa: ARG001 - it needs no credential
    clock: Clock,  # noqa: ARG001 - it does nothing
) -> ReleaseConnector:
    """Return the connector *name* as *section* declares it.

    Raises:
        SettingsInvalid: with everything that is wrong, each with its place.
    """
    try:
        parsed = ConnectorSection.model_validate(section)
    except ValidationError as error:
        raise SettingsInvalid(
            f"The connector {name} cannot be used.",
            problems=list(problems_in(error, f"connectors.{name}")),
        ) from error
    return ReleaseConnector(
        name=name,
        audience=parsed.audience,
        verbs={verb: _verb(name, verb, own, parsed) for verb, own in parsed.verbs.items()},
        says=parsed.verbs,
    )


def _verb(connector: str, name: str, section: VerbSection, shared: ConnectorSection) -> Verb:
    return Verb(
        name=name,
        connector=connector,
        kind=section.kind,
        summary=section.summary,
        params_schema=section.params,
        resources=tuple(section.resources),
        config_digest=_digest(connector, name, section, shared),
        release=Release(audience=shared.audience, report_within_s=shared.report_within_s),
    )


def _digest(connector: str, name: str, section: VerbSection, shared: ConnectorSection) -> Digest:
    return digest_of(
        {
            "version": VERSION,
            "connector": connector,
            "shared": shared.model_dump(mode="json", exclude={"verbs"}),
            "name": name,
            "verb": section.model_dump(mode="json"),
        }
    )
