"""Asks Entra about the bots of the connectors that write in Teams."""

from collections.abc import AsyncIterator
from typing import Final

from adapters.teams.credentials import CONNECTOR_SCOPE, Credentials
from adapters.teams.doctor.entra_words import what_entra_says
from adapters.teams.doctor.patient import Around
from adapters.teams.transport import ConnectorBusy, ConnectorRefused
from bot.core.look import Look, fail, ok

_AGAIN: Final = "Try again; if it stays so, look at the address."


async def writers_looks(around: Around, *, chat: str, place: str) -> AsyncIterator[Look]:
    """Yield what Entra says of each; *chat* is the app id of the chat at *place*."""
    for where, writer in around.writers.items():
        if writer.app_id == chat:
            what = f"it is the bot of {place} too"
            remedy = "Register a second bot for it: who can ask must not be able to write."
            yield fail(f"{where}.app_id", what, remedy)
            continue
        credentials = Credentials(
            app_id=writer.app_id,
            tenant=writer.tenant,
            proof=writer.proof,
            login_url=writer.login_url,
        )
        try:
            await credentials.token(CONNECTOR_SCOPE)
            yield ok(f"{where}.credential", "Entra gives a token for it")
        except ConnectorRefused as error:
            key, what, remedy = what_entra_says(error)
            yield fail(f"{where}.{key or 'credential'}", what, remedy)
        except ConnectorBusy:
            yield fail(f"{where}.login_url", "Entra does not answer there", _AGAIN)
        finally:
            await credentials.close()
