"""From the section in ``keyturn.yaml`` to the chat, or to everything that is wrong with it."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pydantic import ValidationError

from adapters.teams.admission import Admission
from adapters.teams.cards import Cards
from adapters.teams.chat import TeamsChat
from adapters.teams.config import ChatSection
from adapters.teams.credentials import (
    Certificate,
    Credentials,
    ManagedIdentity,
    Password,
    Proof,
)
from adapters.teams.graph import Graph
from adapters.teams.groups import TeamsGroups
from adapters.teams.hosts import ServiceHosts
from adapters.teams.installing import Installing
from adapters.teams.keeper import Keeper, Pace
from adapters.teams.members import Members
from adapters.teams.parts import Parts
from adapters.teams.patience import Patient
from adapters.teams.people import People
from adapters.teams.posts import COPIES, Posts
from adapters.teams.reaching import Reaching
from adapters.teams.references import References
from adapters.teams.sdk import BotBuilderTransport
from adapters.teams.signing_keys import SigningKeys
from adapters.teams.turns import Turns
from adapters.teams.wire import CALL_S, Wire
from bot.card_copies import Copies
from bot.core.errors import SettingsInvalid
from bot.ports.clock import Clock
from bot.ports.identities import Identities
from bot.ports.shelf import Shelf

_GUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_NO_INBOX: Final = (
    "the web inbox is missing: cards in Teams lead there for what does not fit on them. "
    "Add `web: {}` under chats"
)


def create(
    name: str,
    section: Mapping[str, object],
    *,
    shelf: Shelf,
    clock: Clock,  # noqa: ARG001 - every chat is made with the same
    identities: Identities,
    web_url: str | None,
    secrets: Callable[[str], str],
    pace: Pace | None = None,
    call_s: float = CALL_S,
) -> TeamsChat:
    """Return the chat *name* as *section* declares it; Teams is asked nothing yet.

    *pace* and *call_s* are for tests.

    Raises:
        SettingsInvalid: with everything that is wrong, each with its place.
    """
    parsed, proof, problems = _read(name, section, secrets)
    if web_url is None:
        problems.append(f"chats.{name}: {_NO_INBOX}")
    if parsed is None or proof is None or problems:
        raise SettingsInvalid(f"The chat {name} cannot be used.", problems=problems)
    return TeamsChat(
        name,
        _parts(
            name,
            parsed,
            proof,
            shelf=shelf,
            identities=identities,
            web_url=web_url,
            pace=pace or Pace(),
            call_s=call_s,
        ),
    )


def read(
    name: str, section: Mapping[str, object], *, secrets: Callable[[str], str]
) -> tuple[ChatSection, Proof]:
    """Return what *section* says of the chat *name*, and its credential.

    Raises:
        SettingsInvalid: with everything that is wrong, each with its place.
    """
    parsed, proof, problems = _read(name, section, secrets)
    if parsed is None or proof is None or problems:
        raise SettingsInvalid(f"The chat {name} cannot be used.", problems=problems)
    return parsed, proof


def _read(
    name: str, section: Mapping[str, object], secrets: Callable[[str], str]
) -> tuple[ChatSection | None, Proof | None, list[str]]:
    place = f"chats.{name}"
    problems: list[str] = []
    parsed: ChatSection | None = None
    try:
        parsed = ChatSection.model_validate(section)
    except ValidationError as error:
        problems += _in_words(error, place)
    return parsed, _proof(place, section, secrets, problems), problems


def _parts(
    name: str,
    parsed: ChatSection,
    proof: Proof,
    *,
    shelf: Shelf,
    identities: Identities,
    web_url: str | None,
    pace: Pace,
    call_s: float,
) -> Parts:
    wire = Wire(call_s=call_s)
    credentials = Credentials(
        app_id=parsed.app_id, tenant=parsed.tenant, proof=proof, login_url=parsed.login_url
    )
    keys = SigningKeys(parsed.metadata_url, wire.session)
    hosts = ServiceHosts(parsed.hosts, service_url=parsed.service_url)
    transport = Patient(
        BotBuilderTransport(credentials=credentials, keys=keys, hosts=hosts, wire=wire)
    )
    graph_wire = Wire(call_s=call_s)
    graph = Graph(parsed.graph_url, tokens=credentials, wire=graph_wire)
    references = References(shelf)
    installing = None
    if parsed.install_for_people and parsed.catalog_app_id is not None:
        installing = Installing(graph, tenant=parsed.tenant, app=parsed.catalog_app_id, shelf=shelf)
    reaching = Reaching(
        transport, references, service_url=parsed.service_url, installing=installing
    )
    members = Members(transport)
    turns = Turns()
    people = People(chat=name, tenants=parsed.people_of, members=members, identities=identities)
    cards = Cards(
        chat=name,
        bot=f"28:{parsed.app_id}",
        tenant=parsed.tenant,
        transport=transport,
        reaching=reaching,
        people=people,
        members=members,
        references=references,
        identities=identities,
        posts=Posts(shelf),
        copies=Copies(shelf, kind=COPIES),
        turns=turns,
        web_url=web_url,
    )
    return Parts(
        shelf=shelf,
        transport=transport,
        wire=graph_wire,
        credentials=credentials,
        keys=keys,
        admission=Admission(app_id=parsed.app_id, tenants=parsed.people_of, hosts=hosts),
        references=references,
        members=members,
        people=people,
        cards=cards,
        turns=turns,
        keeper=Keeper(
            chat=name,
            cards=cards,
            transport=transport,
            reaching=reaching,
            references=references,
            pace=pace,
        ),
        groups=TeamsGroups(
            chat=name,
            tenant=parsed.tenant,
            graph=graph,
            references=references,
            identities=identities,
        ),
        service_url=parsed.service_url,
        public_path=parsed.public_path,
        web_url=web_url,
    )


def _proof(
    place: str,
    section: Mapping[str, object],
    secrets: Callable[[str], str],
    problems: list[str],
) -> Proof | None:
    """Return what the section gives; None where it gives nothing, which is told with the whole."""
    found: Proof | None = ManagedIdentity() if section.get("managed_identity") is True else None
    for key in ("app_password", "certificate"):
        where, reference = f"{place}.{key}", section.get(key)
        if not isinstance(reference, str) or not reference:
            continue
        try:
            value = secrets(reference)
        except SettingsInvalid as error:
            problems += [f"{where}: {problem}" for problem in error.problems or [error.message]]
            continue
        try:
            found = _password(value) if key == "app_password" else Certificate(value)
        except ValueError as error:
            problems.append(f"{where}: what is kept there is not such a credential: {error}")
    return found


def _password(value: str) -> Password:
    if _GUID.fullmatch(value):
        # Entra shows both side by side, and the id is the one that can be copied later.
        raise ValueError("it is the id of a client secret, and its value is needed")
    if len(value) < 16 or re.search(r"\s", value):
        raise ValueError("the value of a client secret has some 40 characters and no spaces")
    return Password(value)


def _in_words(error: ValidationError, place: str) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_input=False):
        where = place
        for step in detail["loc"]:
            where += f"[{step}]" if isinstance(step, int) else f".{step}"
        match detail["type"]:
            case "missing":
                words = "this is missing: add it"
            case "extra_forbidden":
                words = "there is no such key here: remove it, or correct its spelling"
            case "string_pattern_mismatch" if detail["loc"][0] != "public_path":
                words = (
                    "write the id that Entra shows, such as 0a1b2c3d-0000-4000-8000-00000000b07a"
                )
            case "string_pattern_mismatch":
                words = "write a path such as /teams, in small letters"
            case "value_error":
                words = detail["msg"].removeprefix("Value error, ")
            case _:
                words = detail["msg"].replace("Input should be", "this should be")
        yield f"{where}: {words}"
