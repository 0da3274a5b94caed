"""Workspaces that are named may install the app; nobody else's token is ever kept."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession, DummyCookieJar

from adapters.slack.installing import MOST_BEGUN
from adapters.slack.pressable import ActionId, Callback
from adapters.slack.testing import BOT_SCOPES, FakeSlack, Mode, Team, Token
from bot.core.actors import Role
from bot.core.notice import Notice, Topic
from bot.core.states import State
from bot.ports.chat import NotDeliveredNow, Undeliverable
from bot.service.reading import DeliveryState, delivery_of
from bot.testing.chat import Play
from tests.slack.slack_office import open_slack_office
from tests.slack.stage import NOW, SlackSeat, SlackStage, stage_of

NAMED = "T0NAMED"
OTHER = "T0OTHER"


def installs(slack: FakeSlack) -> None:
    """Have a workspace that is named in the settings, and none where the app is yet."""
    slack.world.teams[NAMED] = Team(id=NAMED, name="Named")
    slack.world.tokens.clear()


SECTION = {
    "bot_token": None,
    "team": None,
    "teams": [NAMED],
    "client_id": "env:CLIENT_ID",
    "client_secret": "env:CLIENT_SECRET",
}


@pytest.fixture(params=list(Mode))
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[SlackStage]:
    async with stage_of(request.param, prepare=installs, **SECTION) as stage:
        yield stage


class Browser:
    """Follows nothing by itself and shows its cookies to whom it is told to."""

    def __init__(self, stage: SlackStage) -> None:
        self._stage = stage
        self.cookies: dict[str, str] = {}

    async def get(self, path: str) -> tuple[int, str, str]:
        """Return the status, where it leads and the text of *path*."""
        async with (
            ClientSession(cookie_jar=DummyCookieJar(), cookies=None) as http,
            http.get(
                f"{self._stage.url}{path}",
                allow_redirects=False,
                headers={"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())},
            ) as answer,
        ):
            self.cookies |= {name: morsel.value for name, morsel in answer.cookies.items()}
            return answer.status, answer.headers.get("Location", ""), await answer.text()

    async def install(self, token: Token) -> tuple[int, str]:
        """Install the app as somebody of *token*'s workspace does; return how that ended."""
        _, authorize, _ = await self.get("/slack/install")
        back = self._stage.slack.consent(authorize, token, installer="U0ADMIN")
        status, _, text = await self.get(path_of(back))
        return status, words_of(text)


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def words_of(page: str) -> str:
    return re.sub("<[^>]*>", " ", page)


def kept(stage: SlackStage) -> Mapping[tuple[str, str], object]:
    return {key: item for key, item in stage.shelf._items.items() if key[0] == "slack_install"}


async def test_a_named_workspace_installs_it_and_its_people_are_reached(stage: SlackStage) -> None:
    team = stage.slack.world.teams[NAMED]
    status, words = await Browser(stage).install(stage.slack.new_token(team))
    assert (status, "installed" in words) == (200, True)
    play = Play(stage)
    account = stage.slack.add_account("Dana", team=team)
    stage.link(play.dana.id, account, team=team)
    await play.post(play.proposal(1))
    seat = SlackSeat(stage.slack.hand(account))
    assert len(seat.hand.messages()) == 1
    assert await seat.told(seat.hand.press(seat.hand.messages()[0], ActionId.APPROVE))
    assert [click.person for click in stage.desk.clicks] == [play.dana.id]


async def test_it_leads_to_slack_and_asks_for_little(stage: SlackStage) -> None:
    status, where, _ = await Browser(stage).get("/slack/install")
    assert status == 302
    assert where.startswith(f"{stage.slack.url}/oauth/v2/authorize?")
    assert "scope=chat:write,commands,im:history,users:read,users:read.email&" in where
    assert "user_scope=&" in f"{where}&"


async def test_a_workspace_that_is_not_named_is_refused_and_its_token_given_back(
    stage: SlackStage,
) -> None:
    token = stage.slack.new_token(stage.slack.add_team("Elsewhere"))
    status, words = await Browser(stage).install(token)
    assert (status, "not installed" in words) == (403, True)
    assert kept(stage) == {}
    assert token.is_revoked


async def test_an_installation_without_a_permission_is_refused_and_its_token_given_back(
    stage: SlackStage,
) -> None:
    team = stage.slack.world.teams[NAMED]
    token = stage.slack.new_token(team, scopes=sorted(BOT_SCOPES - {"im:history"}))
    status, words = await Browser(stage).install(token)
    assert (status, "not installed" in words, "permission im:history" in words) == (403, True, True)
    assert kept(stage) == {}
    assert token.is_revoked


async def test_an_installation_that_another_browser_began_is_refused(stage: SlackStage) -> None:
    begun, other = Browser(stage), Browser(stage)
    _, authorize, _ = await begun.get("/slack/install")
    token = stage.slack.new_token(stage.slack.world.teams[NAMED])
    back = path_of(stage.slack.consent(authorize, token, installer="U0ADMIN"))
    for cookies in ({}, {"slack-app-oauth-state": "another"}):
        other.cookies = cookies
        status, _, text = await other.get(back)
        assert (status, "another browser" in words_of(text)) == (400, True)
    assert kept(stage) == {}


async def test_a_state_works_once_and_for_ten_minutes(stage: SlackStage) -> None:
    browser = Browser(stage)
    team = stage.slack.world.teams[NAMED]
    _, authorize, _ = await browser.get("/slack/install")
    back = path_of(stage.slack.consent(authorize, stage.slack.new_token(team), installer="U0ADMIN"))
    state = dict(browser.cookies)
    assert (await browser.get(back))[0] == 200
    browser.cookies = state
    assert (await browser.get(back))[0] == 401
    _, authorize, _ = await browser.get("/slack/install")
    late = stage.slack.consent(authorize, stage.slack.new_token(team), installer="U0ADMIN")
    stage.clock.advance(601)
    assert (await browser.get(path_of(late)))[0] == 401


async def test_beginning_again_and_again_fills_nothing(stage: SlackStage) -> None:
    browser = Browser(stage)
    begun = [await browser.get("/slack/install") for _ in range(MOST_BEGUN + 5)]
    assert [status for status, _, _ in begun] == [302] * MOST_BEGUN + [429] * 5
    assert "Wait ten minutes" in words_of(begun[-1][2])
    states = [key for key in stage.shelf._items if key[0] == "slack_oauth_state"]
    assert len(states) == MOST_BEGUN
    # Those whose ten minutes are over do not count.
    stage.clock.advance(601)
    token = stage.slack.new_token(stage.slack.world.teams[NAMED])
    assert (await browser.install(token))[0] == 200


async def test_saying_no_installs_nothing(stage: SlackStage) -> None:
    status, _, text = await Browser(stage).get("/slack/oauth?error=access_denied&state=x")
    assert (status, "did not allow" in words_of(text)) == (200, True)
    assert kept(stage) == {}


async def test_a_code_that_slack_does_not_know_is_refused_and_not_logged(
    stage: SlackStage, caplog: pytest.LogCaptureFixture
) -> None:
    browser = Browser(stage)
    _, authorize, _ = await browser.get("/slack/install")
    token = stage.slack.new_token(stage.slack.world.teams[NAMED])
    back = path_of(stage.slack.consent(authorize, token, installer="U0ADMIN"))
    code = re.search("code=([0-9a-f]+)", back)
    assert code is not None
    stage.slack.installing._codes.clear()
    status, _, text = await browser.get(back)
    assert (status, "did not accept" in words_of(text)) == (401, True)
    assert code[1] not in caplog.text


@pytest.mark.parametrize("how", ["revoke", "uninstall"])
async def test_where_it_was_removed_nobody_is_reached_until_it_is_installed_again(
    stage: SlackStage, how: str
) -> None:
    team = stage.slack.world.teams[NAMED]
    token = stage.slack.new_token(team)
    await Browser(stage).install(token)
    play = Play(stage)
    stage.link(play.dana.id, stage.slack.add_account("Dana", team=team), team=team)
    ref = await play.post(play.proposal(1))
    delivery = await getattr(stage.slack, how)(token)
    assert delivery.is_acked
    with pytest.raises(Undeliverable):
        await play.move(ref, 1, State.REJECTED)
    calls = len(stage.slack.called("chat.postMessage"))
    card = play.shown(play.dana, 1)
    with pytest.raises(Undeliverable):
        await stage.chat.post(card, play.dana.id, key="again")
    assert len(stage.slack.called("chat.postMessage")) == calls
    await Browser(stage).install(stage.slack.new_token(team))
    await stage.chat.post(card, play.dana.id, key="again")


async def test_what_slack_tells_of_an_earlier_installation_ends_no_later_one(
    stage: SlackStage,
) -> None:
    team = stage.slack.world.teams[NAMED]
    earlier, later = stage.slack.new_token(team), stage.slack.new_token(team)
    for token in (earlier, later):
        await Browser(stage).install(token)
    assert (await stage.slack.revoke(earlier)).is_acked
    play = Play(stage)
    stage.link(play.dana.id, stage.slack.add_account("Dana", team=team), team=team)
    await play.post(play.proposal(1))
    assert stage.slack.called("chat.postMessage")[-1].bearer == later.value


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("known_by", ["an event", "a refused call"])
async def test_what_waits_in_a_removed_slack_is_asked_in_the_next_chat(
    mode: Mode, known_by: str
) -> None:
    async with open_slack_office(mode) as house:
        office = house.office
        waits, decided = [await office.propose(key, key=key) for key in ("k1", "k2")]
        await house.approve(office.dana, await house.card(decided))
        await office.until(decided.id)
        await house.card(waits)
        assert (await office.until_delivered(waits.id)).reached == {office.dana.id}
        if known_by == "an event":
            await house.slack.revoke(house.slack.token)
        else:
            house.slack.token.is_revoked = True
            await office.until_delivered((await office.propose("more", key="k3")).id)
        async with asyncio.timeout(10):
            async for _ in office.store.watch(0):
                now = await office.now(waits.id)
                if len(now.deliveries) == 2:
                    break
        assert [d.chat for d in now.deliveries] == ["slack", "silent"]
        assert [d.lost_at is None for d in now.deliveries] == [False, True]
        assert [d.lost_at for d in (await office.now(decided.id)).deliveries] == [None]
        types = await office.leaf_types(waits.id)
        assert types == ["proposal.submitted", "card.posted", "card.lost", "card.posted"]


async def test_what_waits_in_a_removed_slack_and_nowhere_else_is_told_as_undeliverable() -> None:
    async with open_slack_office(Mode.HTTP) as house:
        office = house.office
        office.chat.fail_with = Undeliverable("There is nobody.", reason="gone")
        waits = await office.propose(key="k1")
        await house.card(waits)
        assert delivery_of(await office.until_delivered(waits.id)) is DeliveryState.DELIVERED
        await house.slack.revoke(house.slack.token)
        async with asyncio.timeout(10):
            async for _ in office.store.watch(0):
                if delivery_of(await office.now(waits.id)) is DeliveryState.UNDELIVERABLE:
                    break
        assert (await office.leaf_types(waits.id))[-2:] == ["card.lost", "card.undeliverable"]


async def test_an_installation_that_ended_while_nobody_listened_is_seen_when_it_is_needed(
    stage: SlackStage,
) -> None:
    team = stage.slack.world.teams[NAMED]
    token = stage.slack.new_token(team)
    await Browser(stage).install(token)
    play = Play(stage)
    stage.link(play.dana.id, stage.slack.add_account("Dana", team=team), team=team)
    token.is_revoked = True
    with pytest.raises(NotDeliveredNow):
        await play.post(play.proposal(1))
    with pytest.raises(Undeliverable) as told:
        await play.post(play.proposal(1))
    assert told.value.reason == "app_removed"
    await asyncio.gather(*stage.chat._parts.removal._going_on.values())
    assert ("cards_lost", ("slack", f"{NAMED}/")) in stage.desk.journal


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_revoked_token_sends_what_comes_to_the_next_chat(
    mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_slack_office(mode) as house:
        office = house.office
        first = await office.propose(key="k1")
        await house.card(first)
        await office.until_delivered(first.id)
        await house.slack.revoke(house.slack.token)
        second = await office.propose("more", key="k2")
        stored = await office.until_delivered(second.id)
        assert [delivery.chat for delivery in stored.deliveries] == ["silent"]
        assert "the slack app was removed" in caplog.text
        assert house.slack.bot_token not in caplog.text
        house.slack.token.is_revoked = False
        third = await office.propose("and more", key="k3")
        assert [d.chat for d in (await office.until_delivered(third.id)).deliveries] == ["slack"]


async def test_a_channel_is_kept_with_its_workspace_and_told_there_alone() -> None:
    section: dict[str, Any] = {**SECTION, "teams": [NAMED, OTHER]}
    async with stage_of(Mode.HTTP, prepare=installs, **section) as stage:
        slack = stage.slack
        slack.world.teams[OTHER] = Team(id=OTHER, name="Other")
        for team in (NAMED, OTHER):
            token = slack.new_token(slack.world.teams[team])
            assert (await Browser(stage).install(token))[0] == 200
        play = Play(stage)
        stage.desk.people[play.dana.id] = replace(play.dana, roles=frozenset({Role.ADMIN}))
        account = slack.add_account("Dana", team=slack.world.teams[OTHER])
        stage.link(play.dana.id, account, team=slack.world.teams[OTHER])
        channel = slack.add_channel("ops", team=slack.world.teams[OTHER])
        channel.members |= {token.bot_user for token in slack.world.tokens.values()}
        hand = slack.hand(account)
        await hand.command("channels", channel=channel.id)
        await slack.until(lambda: hand.modal and hand.modal["callback_id"] == Callback.CHANNELS)
        await hand.submit({"channel": channel.id, "topics": [Topic.HALT]})
        (route,) = stage.desk.routes.values()
        assert route.place == f"{OTHER}/{channel.id}"
        asked = len(slack.called("chat.postMessage"))
        notice = Notice(topic=Topic.HALT, title="Everything is stopped", lines=("So.",), at=NOW)
        await stage.chat.announce(notice, place=route.place, key="k")
        assert len(slack.called("chat.postMessage")) == asked + 1
        assert slack.world.messages[-1].channel == channel.id


@pytest.mark.parametrize("number", [0, 1])
async def test_a_notice_finds_the_workspace_that_has_the_channel(number: int) -> None:
    section: dict[str, Any] = {**SECTION, "teams": [NAMED, OTHER]}
    async with stage_of(Mode.HTTP, prepare=installs, **section) as stage:
        slack = stage.slack
        teams = [slack.world.teams[NAMED], Team(id=OTHER, name="Other")]
        slack.world.teams[OTHER] = teams[1]
        for team in teams:
            assert (await Browser(stage).install(slack.new_token(team)))[0] == 200
        channel = slack.add_channel("ops", team=teams[number])
        channel.members |= {token.bot_user for token in slack.world.tokens.values()}
        notice = Notice(topic=Topic.HALT, title="Everything is stopped", lines=("So.",), at=NOW)
        await stage.chat.announce(notice, place=channel.id, key="k")
        assert [message.channel for message in slack.world.messages] == [channel.id]
