"""One agent and its principal, at a distance of one socket each from the bot."""

import itertools
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from benches.body import submit_body
from benches.deployment import Deployment
from benches.wire import Connection, WrongAnswer, agent_connection
from bot.core.card import Button

_DIGEST_PREFIX_CHARS: Final = 32
_NUMBERS: Final = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A proposal that waits for its principal."""

    id: str
    digest: str

    @property
    def digest_prefix(self) -> str:
        return self.digest.removeprefix("sha256:")[:_DIGEST_PREFIX_CHARS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    connection: Connection

    @classmethod
    @contextmanager
    def of(cls, deployment: Deployment, place: int) -> "Iterator[Agent]":
        with agent_connection(deployment.port, deployment.tokens[place]) as connection:
            yield cls(connection=connection)

    def submit(self) -> Pending:
        number = next(_NUMBERS)
        answer = self.connection.ask(
            "POST", "/v1/proposals", submit_body(number), Idempotency_Key=f"one-{number}"
        )
        proposal = answer.json(202)
        return Pending(id=proposal["id"], digest=proposal["digest"])

    def begin_to_wait(self, proposal: Pending) -> None:
        self.connection.send("GET", f"/v1/proposals/{proposal.id}", Prefer="wait=50")

    def waited(self) -> Any:
        """Return the proposal as it is answered once it is final."""
        return self.connection.receive().json(200)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonInChat:
    """Clicks as a chat's own socket brings them."""

    connection: socket.socket = field(repr=False)
    person: str

    @classmethod
    @contextmanager
    def of(cls, deployment: Deployment, place: int) -> "Iterator[PersonInChat]":
        with deployment.clicking() as connection:
            yield cls(connection=connection, person=deployment.principals[place])

    def begin_to_press(self, button: Button, proposal: Pending) -> None:
        click = f"{self.person} {proposal.id} {proposal.digest_prefix} {button}\n"
        self.connection.sendall(click.encode())

    def pressed(self) -> None:
        """Wait until the click is answered.

        Raises:
            WrongAnswer: it was not recorded.
        """
        said = self.connection.recv(4096).decode().strip()
        if said != "recorded":
            raise WrongAnswer(f"a click was not recorded: {said}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonInBrowser:
    """Clicks on the page of a card, signed in as people sign in."""

    connection: Connection
    secret: str

    @classmethod
    @contextmanager
    def of(cls, deployment: Deployment, place: int) -> "Iterator[PersonInBrowser]":
        origin = f"http://127.0.0.1:{deployment.people_port}"
        headers = {"Origin": origin, "Content-Type": "application/x-www-form-urlencoded"}
        code = deployment.sign_in_link(deployment.principals[place]).partition("#")[2]
        with ExitStack() as closing:
            stranger = closing.enter_context(Connection(deployment.people_port, headers))
            answer = stranger.ask("POST", "/signin", urlencode({"code": code}))
            cookie = answer.headers.get("set-cookie", "").partition(";")[0]
            connection = closing.enter_context(
                Connection(deployment.people_port, {**headers, "Cookie": cookie})
            )
            page = connection.ask("GET", "/").body.decode()
            found = re.search(r'name="form" value="([0-9a-f]{64})"', page)
            if found is None:
                raise WrongAnswer(f"the inbox shows no form ({answer.status}): {page[:300]}")
            yield cls(connection=connection, secret=found[1])

    def begin_to_press(self, button: Button, proposal: Pending) -> None:
        form = {
            "form": self.secret,
            "button": button.value,
            "digest": proposal.digest_prefix,
            "note": "Not now.",
        }
        self.connection.send("POST", f"/proposals/{proposal.id}/press", urlencode(form))

    def pressed(self) -> None:
        """Wait until the click is answered with the way to the next page.

        Raises:
            WrongAnswer: it was not.
        """
        answer = self.connection.receive()
        if answer.status != 303:
            raise WrongAnswer(f"{answer.status} instead of 303: {answer.body[:300]!r}")
