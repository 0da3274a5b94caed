"""What the bot under test loads by name, like anybody's plug-in: a connector and a chat."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bot.core.card import Button, Card
from bot.core.ids import PersonId, ProposalId
from bot.core.notice import Notice
from bot.core.pressed import Recorded
from bot.ports.chat import CardRef, Undeliverable
from bot.ports.clock import Clock
from bot.ports.desk import Click, Desk
from bot.secret_refs import Secrets
from bot.testing.notebook import Notebook

_MAX_CHARS = 4_000


def notebook(
    name: str,  # noqa: ARG001 - the port of a plug-in
    section: Mapping[str, object],  # noqa: ARG001 - as above
    *,
    secrets: Secrets,  # noqa: ARG001 - as above
    clock: Clock,  # noqa: ARG001 - as above
) -> Notebook:
    """Return a connector that reaches nothing: what it costs is what Keyturn costs."""
    return Notebook()


def clicks(name: str, section: Mapping[str, object], surroundings: object) -> "Clicks":  # noqa: ARG001 - the port of a plug-in
    return Clicks(name=name, socket=Path(str(section["socket"])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clicks:
    """Shows nothing; takes one click a line on a unix socket, as a chat's own socket sends them.

    A line is a person, a proposal, the digits of its digest and a button. The answer is a line
    that says whether the desk has recorded it.
    """

    name: str
    socket: Path
    max_chars: int = _MAX_CHARS

    async def post(self, card: Card, to: PersonId, *, key: str) -> CardRef:  # noqa: ARG002 - nobody reads here
        raise Undeliverable("Nobody reads here.", reason="not_linked")

    async def replace(self, ref: CardRef, card: Card) -> None:
        """Nothing is shown."""

    async def announce(self, notice: Notice, *, place: str, key: str) -> None:  # noqa: ARG002 - nobody reads here
        raise Undeliverable("Nobody reads here.", reason="no_channels")

    async def run(self, desk: Desk) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            async for line in reader:
                person, proposal, digest_prefix, button = line.decode().split()
                pressed = await desk.press(
                    Click(
                        person=PersonId(person),
                        chat=self.name,
                        proposal=ProposalId(proposal),
                        digest_prefix=digest_prefix,
                        button=Button(button),
                        note="Not now.",
                    )
                )
                said = "recorded" if isinstance(pressed, Recorded) else str(pressed)
                writer.write(f"{said}\n".encode())
            writer.close()

        server = await asyncio.start_unix_server(serve, self.socket)
        async with server:
            await server.serve_forever()

    def routes(self, desk: Desk) -> Sequence[web.RouteDef]:  # noqa: ARG002 - clicks come by socket
        return ()

    async def close(self) -> None:
        """There is nothing to end."""
