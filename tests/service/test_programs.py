"""What an admin does to the tokens of agents and resource servers."""

from datetime import timedelta

import pytest

from bot.core.actors import OPERATOR
from bot.core.errors import InvalidInput
from bot.ports.queries import TokensOf
from tests.service.office import Office, open_office

HOUR_S = 3600


async def _valid(office: Office, holder: str) -> int:
    # Each step is a microsecond after the one before it, even while the clock stands.
    now = office.clock.now() + timedelta(seconds=1)
    tokens = await office.gate.store.read(TokensOf(holder))
    return sum(token.is_valid(now) for token in tokens)


async def test_revoking_an_agent_ends_the_tokens_that_still_worked_in_an_overlap() -> None:
    async with open_office() as office:
        agent = office.agent.id
        await office.agents.rotate(OPERATOR, agent, overlap_s=HOUR_S)
        assert await _valid(office, agent) == 2

        await office.agents.revoke(OPERATOR, agent, reason="Gone.")

        assert await _valid(office, agent) == 0


async def test_revoking_a_resource_server_ends_the_tokens_that_still_worked_in_an_overlap() -> None:
    async with open_office() as office:
        servers = office.resource_servers
        server, _ = await servers.create(OPERATOR, name="till", audience="https://till.example")
        await servers.rotate(OPERATOR, server.id, overlap_s=HOUR_S)
        assert await _valid(office, server.id) == 2

        await servers.revoke(OPERATOR, server.id, reason="Gone.")

        assert await _valid(office, server.id) == 0


async def test_renewing_again_never_lengthens_an_overlap() -> None:
    async with open_office() as office:
        agent = office.agent.id
        await office.agents.rotate(OPERATOR, agent, overlap_s=60)
        await office.agents.rotate(OPERATOR, agent, overlap_s=HOUR_S)
        assert await _valid(office, agent) == 3

        office.clock.advance(60)

        assert await _valid(office, agent) == 2


@pytest.mark.parametrize("overlap_s", [-1, 30 * 24 * 3600 + 1])
async def test_an_overlap_of_more_than_thirty_days_or_less_than_none_is_refused(
    overlap_s: int,
) -> None:
    async with open_office() as office:
        with pytest.raises(InvalidInput, match="overlap"):
            await office.agents.rotate(OPERATOR, office.agent.id, overlap_s=overlap_s)
