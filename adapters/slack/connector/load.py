"""From the section in ``keyturn.yaml`` to a connector, or to everything that is wrong with it."""

from collections.abc import Callable, Mapping
from typing import Final

from adapters.slack.connector.client import Client, Token
from adapters.slack.connector.config import ConnectorSection, CredentialSection
from adapters.slack.connector.connector import SlackConnector
from adapters.slack.connector.params import Deed, Reader
from adapters.slack.connector.place import SCHEME
from bot.core.canonical import digest_of
from bot.core.credential import CredentialRefused, credential_in, one_line
from bot.core.errors import SettingsInvalid
from bot.core.section_problems import read_section
from bot.core.verbs import Undo, Verb
from bot.ports.clock import Clock

#: Raised whenever the same section would be sent, shown or judged in another way than before.
VERSION: Final = 1

#: Tokens of Slack that are no app's own.
_OTHERS: Final = {
    "xapp-": "an app-level token, which cannot write",
    "xoxp-": "a person's token: what it writes would seem to come from that person",
    "xoxc-": "taken from a browser: what it writes would seem to come from a person",
    "xoxs-": "taken from a browser: what it writes would seem to come from a person",
}


def create(
    name: str,
    section: Mapping[str, object],
    *,
    secrets: Callable[[str], str],
    clock: Clock,
) -> SlackConnector:
    """Return the connector *name* as *section* declares it; Slack is asked nothing yet.

    Raises:
        SettingsInvalid: with everything that is wrong, each with its place.
    """
    place = f"connectors.{name}"
    problems: list[str] = []
    parsed = read_section(
        ConnectorSection,
        section,
        place=place,
        problems=problems,
        patterns={"team": "write the id of the workspace, which begins with T"},
    )
    token = credential_in(
        section,
        CredentialSection.model_validate,
        secrets=secrets,
        use=lambda _, secret: _bot_token(secret),
        place=place,
        problems=problems,
    )
    if parsed is None or token is None or problems:
        raise SettingsInvalid(f"The connector {name} cannot be used.", problems=problems)
    reader = Reader(team=parsed.team, prefix=parsed.prefix, mentions=parsed.mentions)
    return SlackConnector(
        name=name,
        verbs=_verbs(name, parsed, reader),
        reader=reader,
        client=Client(api_url=parsed.api_url, token=token),
        team=parsed.team,
        undo_window_s=parsed.undo_window_s,
        timeout_s=parsed.timeout_s,
        clock=clock,
    )


def _verbs(connector: str, section: ConnectorSection, reader: Reader) -> dict[str, Verb]:
    shared = section.model_dump(mode="json")
    config_digest = digest_of({"version": VERSION, "connector": connector, "section": shared})
    return {
        name: Verb(
            name=name,
            connector=connector,
            kind=deed.kind,
            summary=deed.summary,
            params_schema=reader.schemas[deed],
            resources=(f"{SCHEME}{section.team}/*",),
            can_look_up=True,
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


def _bot_token(secret: str) -> Token:
    value = one_line(secret, called="token")
    for beginning, what in _OTHERS.items():
        if value.startswith(beginning):
            raise CredentialRefused(f"this is {what}. Keep the app's bot token there (xoxb-…)")
    return Token(value)
