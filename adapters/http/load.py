"""From the section in ``keyturn.yaml`` to a connector, or to everything that is wrong with it."""

import ssl
from collections.abc import Callable, Mapping
from typing import Final, cast

from aiohttp.abc import AbstractResolver
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from adapters.http.client import Client
from adapters.http.config import ConnectorSection, CredentialSection, VerbSection
from adapters.http.connector import HttpConnector
from adapters.http.credential import Credential, credential_of
from adapters.http.plan import Plan, plan_verb
from bot.core.canonical import Digest, digest_of
from bot.core.credential import credential_in
from bot.core.errors import SettingsInvalid
from bot.core.section_problems import words_for
from bot.core.verbs import Undo, Verb
from bot.ports.clock import Clock

#: Raised whenever the same section would be sent, shown or judged in another way than before.
VERSION: Final = 1


def create(
    name: str,
    section: Mapping[str, object],
    *,
    secrets: Callable[[str], str],
    clock: Clock,
    resolver: AbstractResolver | None = None,
    tls: ssl.SSLContext | None = None,
) -> HttpConnector:
    """Return the connector *name* as *section* declares it; nothing is asked of the target yet.

    *secrets* returns the credential under a reference. *resolver* and *tls* are for targets that
    the system's own do not know.

    Raises:
        SettingsInvalid: with everything that is wrong, each with its place.
    """
    place = f"connectors.{name}"
    problems: list[str] = []
    parsed: ConnectorSection | None = None
    try:
        parsed = ConnectorSection.model_validate(section)
    except ValidationError as error:
        problems += _in_words(error, section, place)
    plans = _plans(section, place, problems)
    credential = credential_in(
        section,
        CredentialSection.model_validate,
        secrets=secrets,
        use=credential_of,
        place=place,
        problems=problems,
    )
    if parsed is not None:
        problems += _header_clashes(parsed, credential, place)
    if parsed is None or problems:
        raise SettingsInvalid(f"The connector {name} cannot be used.", problems=problems)
    client = Client(
        base_url=parsed.base_url,
        headers=parsed.headers,
        credential=credential,
        allow_private=parsed.allow_private,
        max_response_bytes=parsed.max_response_bytes,
        resolver=resolver,
        tls=tls,
    )
    return HttpConnector(
        name=name,
        verbs={verb: _verb(name, verb, plan, parsed) for verb, plan in plans.items()},
        plans=plans,
        client=client,
        timeout_s=parsed.timeout_s,
        clock=clock,
    )


def _verb(connector: str, name: str, plan: Plan, shared: ConnectorSection) -> Verb:
    section = plan.section
    return Verb(
        name=name,
        connector=connector,
        kind=section.kind,
        summary=section.summary,
        params_schema=plan.params.closed,
        resources=tuple(section.resources or [plan.resource.glob]),
        idempotent=section.idempotency is not None,
        can_look_up=section.lookup is not None,
        settles_after_s=section.settles_after_s,
        config_digest=_digest(connector, name, section, shared),
        inspects=bool(section.inspect),
        undo=None
        if section.undo is None
        else Undo(verb=section.undo.verb, window_s=section.undo.window_s),
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


def _plans(section: Mapping[str, object], place: str, problems: list[str]) -> dict[str, Plan]:
    """Plan each verb that is well-formed, also where another one is not."""
    plans: dict[str, Plan] = {}
    verbs = section.get("verbs")
    for name, raw in verbs.items() if isinstance(verbs, Mapping) else ():
        try:
            verb = VerbSection.model_validate(raw)
        except ValidationError:
            continue  # told with the whole section
        planned = plan_verb(verb, place=f"{place}.verbs.{_step(name)}")
        if isinstance(planned, Plan):
            plans[str(name)] = planned
        else:
            problems += planned
    return plans


def _header_clashes(
    section: ConnectorSection, credential: Credential | None, place: str
) -> list[str]:
    static = {header.lower() for header in section.headers}
    problems: list[str] = []
    if credential is not None and credential.header.lower() in static:
        problems.append(f"{place}.headers: {credential.header} carries the credential: remove it")
    taken = static | ({credential.header.lower()} if credential is not None else set())
    for name, verb in section.verbs.items():
        if verb.idempotency is not None and verb.idempotency.header.lower() in taken:
            problems.append(
                f"{place}.verbs.{_step(name)}.idempotency: this header carries something else"
            )
    return problems


def _in_words(error: ValidationError, section: Mapping[str, object], place: str) -> list[str]:
    told: dict[str, list[str]] = {}
    for detail in error.errors(include_url=False):
        told.setdefault(_place(detail, section, place), []).append(words_for(detail))
    # Of the alternatives of a union, the one that was meant is wrong further inside.
    return [
        f"{where}: {', or '.join(dict.fromkeys(words))}"
        for where, words in told.items()
        if not any(other.startswith((f"{where}.", f"{where}[")) for other in told)
    ]


def _place(detail: ErrorDetails, section: object, place: str) -> str:
    """Return the place of a problem; steps that pydantic adds for its unions are left out."""
    node = section
    for at, step in enumerate(detail["loc"], start=1):
        if isinstance(node, Mapping) and step in node:
            node = cast("Mapping[str | int, object]", node)[step]
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
            place += f"[{step}]"
            continue
        elif not (at == len(detail["loc"]) and detail["type"] == "missing"):
            continue
        place += f".{_step(step)}"
    return place


def _step(step: object) -> str:
    written = str(step)
    return f'"{written}"' if "." in written else written
