"""A message of an agent, from the proposal to Teams and back, through the gate and its workers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from adapters.teams.connector import create
from adapters.teams.connector.message import text_of
from adapters.teams.testing.channels import FakeChannels, Team, open_channels
from adapters.teams.testing.faults import Trouble
from adapters.teams.testing.issuer import APP_PASSWORD
from bot.core.actors import OPERATOR, Agent
from bot.core.card import Button
from bot.core.proposal import Proposal
from bot.core.states import State
from bot.core.verbs import Reach
from bot.testing.clock import ManualClock
from tests.connectors.teams.sections import action, section
from tests.service.office import Office, open_office

POLICY = """
version: 1
rules:
  - id: answers
    verbs: [teams.post]
    effect: {hold: {mode: confirm, expires: 30m, use_by: 15m}}
"""


@dataclass(frozen=True)
class Acme:
    office: Office
    agent: Agent
    fake: FakeChannels
    team: Team
    place: str

    async def proposed(self, text: str) -> Proposal:
        wanted = action("post", self.place, text=text)
        found = await self.office.propose(agent=self.agent, action=wanted)
        assert found.state is State.PENDING
        return found

    def said(self) -> list[str]:
        activities = self.fake.world.activities
        return [text_of(one.content) for one in activities if not one.is_deleted]


@asynccontextmanager
async def acme() -> AsyncIterator[Acme]:
    async with open_channels() as fake:
        team = fake.channels.add_team("Support", fake.add_people(3))
        channel = fake.channels.add_channel(team, "help")
        made = section(service_url=fake.service_url, login_url=fake.issuer.login_url)
        connector: Any = create("teams", made, secrets=lambda _: APP_PASSWORD, clock=ManualClock())
        try:
            async with open_office(policy=POLICY, notebook=connector) as office:
                agent = await office.agents.bind(
                    OPERATOR, office.agent.id, principals=[office.dana.id], verbs=["teams.*"]
                )
                yield Acme(office, agent, fake, team, f"{team.id}/{channel.id}")
        finally:
            await connector.close()


async def test_an_approved_message_is_posted_once_and_its_undo_deletes_it() -> None:
    async with acme() as at:
        proposal = await at.proposed("The door code is on the wiki.")
        assert proposal.facts.audience.reach is Reach.ORGANISATION
        assert proposal.facts.audience.readers == 3
        assert at.said() == []
        await at.office.press(proposal)
        done = await at.office.until(proposal.id)
        assert done.state is State.SUCCEEDED
        assert at.said() == ["The door code is on the wiki."]
        await at.office.press(done, Button.UNDO)
        await at.fake.desk.until(lambda: at.fake.desk.called("delete"))
        assert at.said() == []
        assert len(at.fake.desk.called("create")) == 1


async def test_nothing_is_posted_when_somebody_joined_after_the_card() -> None:
    async with acme() as at:
        proposal = await at.proposed("For three of us.")
        at.team.members.add(at.fake.add_people(1)[0].user)
        await at.office.press(proposal)
        done = await at.office.until(proposal.id)
        assert done.state is not State.SUCCEEDED
        assert at.said() == []
        assert at.fake.desk.called("create") == []


async def test_a_lost_answer_leaves_it_in_doubt_and_nothing_is_posted_again() -> None:
    async with acme() as at:
        proposal = await at.proposed("Once.")
        at.fake.faults.plant("create", Trouble.DROPPED_AFTER)
        await at.office.press(proposal)
        await at.office.until(proposal.id, State.IN_DOUBT)
        await at.office.press(proposal, Button.SETTLE_DONE, note="It stands there.")
        done = await at.office.until(proposal.id)
        assert done.state is State.SUCCEEDED
        assert at.said() == ["Once."]
        assert len(at.fake.desk.called("create")) == 1
