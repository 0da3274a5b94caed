"""Enterprise Grid: accounts are of the organisation, seen from one of its workspaces."""

from adapters.slack.pressable import ActionId
from adapters.slack.testing import FakeSlack, Mode
from bot.core.actors import OPERATOR
from bot.core.states import State
from tests.slack.slack_house import SlackCard, SlackHouse, SlackHouseSeat
from tests.slack.slack_office import open_slack_office
from tests.slack.stage import SlackSeat


async def test_an_account_of_the_organisation_decides_by_its_one_id() -> None:
    def grid(slack: FakeSlack) -> None:
        slack.team.enterprise = "E0GRID"
        slack.world.tokens[slack.bot_token].enterprise = "E0GRID"

    async with open_slack_office(Mode.HTTP, section={"team": "E0GRID"}, prepare=grid) as office_:
        house, office, slack = SlackHouse(office_), office_.office, office_.slack
        away = slack.add_team("Second floor", enterprise="E0GRID")
        mira = await office_.hire("Mira", team=away, global_id="W0MIRA")
        agent, _ = await office.agents.create(
            OPERATOR,
            name="second",
            owner=mira.id,
            purpose="Writes notes",
            principals=[mira.id],
            verbs=["note.*"],
        )
        proposal = await office.propose(agent=agent)
        seat = SlackSeat(slack.hand(office_.hand(mira).account, team=slack.team))
        (card,) = await slack.until(seat.hand.messages)
        abroad = slack.add_team("Abroad", enterprise="E0OTHER")
        outsider = slack.add_account("Mira", team=abroad)
        stranger = SlackHouseSeat(slack.hand(outsider, team=slack.team))
        assert await (await stranger.click(SlackCard(card))).send()
        assert house.slowest_s < house.answer_within_s
        assert (await office.now(proposal.id)).state is State.PENDING
        assert (await seat.hand.press(card, ActionId.APPROVE)).is_acked
        assert (await office.until(proposal.id)).state is State.SUCCEEDED
