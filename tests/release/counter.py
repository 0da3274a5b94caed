"""A bank's counter: an office whose one verb is released to resource servers, behind sockets."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.core.actors import OPERATOR, ResourceServer
from bot.core.canonical import Json
from bot.core.ids import ProposalId
from bot.core.proposal import Proposal
from bot.core.states import State
from bot.core.verbs import Release
from bot.ports.queries import Leaves
from bot.testing.notebook import WRITE, Notebook
from tests.http.served import Reply, Served, note, serve

AUDIENCE = "https://pay.example"
VERB = replace(WRITE, can_look_up=False, release=Release(audience=AUDIENCE, report_within_s=60))

HOLD = f"""
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect: {{hold: {{release: ["{AUDIENCE}"], use_by: 15m}}}}
"""
ALLOW = f"""
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect: {{allow: {{release: ["{AUDIENCE}"]}}}}
"""
FOUR_EYES = f"""
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect:
      hold:
        mode: four_eyes
        approvers: ["group:security"]
        count: 1
        release: ["{AUDIENCE}"]
"""
HOLD_ONLY = """
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect: {hold: {}}
"""


@dataclass(slots=True, kw_only=True)
class Counter:
    """``server`` is the resource server that is meant, with its ``token``."""

    served: Served
    server: ResourceServer
    token: str

    async def propose(self, text: str = "hello") -> Reply:
        return await self.served.propose(note(text, mode="release", audience=AUDIENCE))

    async def approved(self, text: str = "hello") -> Proposal:
        """Return a proposal that its person has approved."""
        office = self.served.office
        proposed = await self.propose(text)
        assert proposed.status == 202, proposed.raw
        proposal = await office.now(ProposalId(proposed.body["id"]))
        await office.press(proposal)
        found = await office.now(proposal.id)
        assert found.state is State.APPROVED
        return found

    async def grant_of(self, proposal: ProposalId) -> Reply:
        return await self.served.ask("POST", f"/v1/proposals/{proposal}/grant")

    async def granted(self, text: str = "hello") -> tuple[Proposal, str]:
        """Return a released proposal and its grant."""
        proposal = await self.approved(text)
        taken = await self.grant_of(proposal.id)
        assert taken.status == 200, taken.raw
        return await self.served.office.now(proposal.id), taken.body["grant"]

    async def redeem(
        self,
        grant: str,
        proposal: Proposal,
        *,
        token: str | None = None,
        key: str | None = None,
        action_digest: str | None = None,
    ) -> Reply:
        body = {"grant": grant, "action_digest": action_digest or proposal.action_digest}
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.served.ask(
            "POST",
            "/v1/grants/redeem",
            token=self.token if token is None else token,
            headers=headers,
            body=body,
        )

    async def report(
        self, proposal: ProposalId, result: str, *, token: str | None = None, **more: Any
    ) -> Reply:
        return await self.served.ask(
            "POST",
            f"/v1/proposals/{proposal}/outcome",
            token=self.token if token is None else token,
            body={"result": result, **more},
        )

    async def another_server(self, name: str, audience: str) -> str:
        _, token = await self.served.office.resource_servers.create(
            OPERATOR, name=name, audience=audience
        )
        return token

    async def refusals(self) -> list[Json]:
        """Return why grants were refused, in the order of the log."""
        leaves = await self.served.office.store.read(Leaves())
        return [json.loads(leaf.body)["why"] for leaf in leaves if leaf.type == "grant.refused"]


@asynccontextmanager
async def open_counter(folder: Path, *, policy: str = HOLD, **more: Any) -> AsyncIterator[Counter]:
    async with serve(folder, policy=policy, notebook=Notebook(verb=VERB), **more) as served:
        server, token = await served.office.resource_servers.create(
            OPERATOR, name="bank", audience=AUDIENCE
        )
        yield Counter(served=served, server=server, token=token)
