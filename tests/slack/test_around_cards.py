"""Notices to channels, the Home tab, and what Slack tells about accounts."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.slack.pressable import ActionId
from adapters.slack.testing import BOT_SCOPES, FakeSlack, Mode, Retry, Trouble, texts_of
from bot.core.notice import Notice, Topic
from bot.core.states import State
from bot.ports.chat import NotDeliveredNow, Undeliverable
from bot.testing.chat import Play
from tests.slack.stage import NOW, SlackStage, stage_of

NOTICE = Notice(
    topic=Topic.HALT,
    title="Everything is stopped",
    lines=("Dana stopped all agents.", "Reason: <!channel> *look* & see"),
    at=NOW,
)


@pytest.fixture
async def stage() -> AsyncIterator[SlackStage]:
    async with stage_of(Mode.SOCKET, call_s=1.0) as stage:
        stage.identities.enroll = stage.enroll
        yield stage


async def test_a_channel_is_told_once_for_each_key(stage: SlackStage) -> None:
    channel = stage.slack.add_channel("ops")
    for _ in range(3):
        await stage.chat.announce(NOTICE, place=channel.id, key="halt 1")
    await stage.chat.announce(NOTICE, place=channel.id, key="halt 2")
    told = [m for m in stage.slack.world.messages if m.channel == channel.id]
    assert len(told) == 2
    said = "\n".join(texts_of(told[0].blocks))
    assert "Everything is stopped" in said
    assert "Reason: <!channel> *look* & see" in said
    assert "<!channel>" not in told[0].text
    kinds = {block["text"]["type"] for block in told[0].blocks if block["type"] == "section"}
    assert kinds == {"plain_text"}


async def test_a_channel_without_the_app_is_told_of_as_that(stage: SlackStage) -> None:
    channel = stage.slack.add_channel("ops", has_bot=False)
    with pytest.raises(Undeliverable) as told:
        await stage.chat.announce(NOTICE, place=channel.id, key="k")
    assert told.value.reason == "not_in_channel"
    stage.slack.faults.plant("chat.postMessage", Trouble.RATE_LIMITED, retry_after_s=9)
    with pytest.raises(NotDeliveredNow) as later:
        await stage.chat.announce(NOTICE, place=channel.id, key="k")
    assert later.value.retry_after_s == 9


async def test_home_shows_what_waits_and_follows_what_happens(stage: SlackStage) -> None:
    play = Play(stage)
    seat = await stage.seat(play.dana.id)
    delivery = await seat.hand.open_home()
    assert delivery.is_acked
    await stage.slack.until(lambda: seat.hand.home)
    ref = await play.post(play.proposal(1))
    await stage.slack.until(lambda: "Publish an answer" in str(seat.hand.home))
    await play.move(ref, 1, State.REJECTED)
    await stage.slack.until(lambda: "Rejected" in str(seat.hand.home))


async def test_home_is_not_published_for_who_never_opened_it(stage: SlackStage) -> None:
    play = Play(stage)
    ref = await play.post(play.proposal(1))
    await play.move(ref, 1, State.REJECTED)
    seat = await stage.seat(play.dana.id)
    await seat.hand.open_home(tab="messages")
    assert stage.slack.called("views.publish") == []


async def test_many_changes_publish_a_home_a_few_times(stage: SlackStage) -> None:
    play = Play(stage)
    seat = await stage.seat(play.dana.id)
    await seat.hand.open_home()
    await stage.slack.until(lambda: seat.hand.home)
    ref = await play.post(play.proposal(1))
    for step in range(60):
        stage.clock.advance(1)
        await play.move(ref, 1, State.REJECTED if step % 2 else State.EXPIRED)
    await stage.slack.until(lambda: "Rejected" in str(seat.hand.home))
    assert len(stage.slack.called("views.publish")) < 40


async def test_an_event_that_is_delivered_again_is_harmless(stage: SlackStage) -> None:
    play = Play(stage)
    seat = await stage.seat(play.dana.id)
    for number in range(3):
        retry = Retry(number=number, reason="timeout") if number else None
        assert (await seat.hand.open_home(retry=retry)).is_acked
    await stage.slack.until(lambda: seat.hand.home)


async def test_what_slack_tells_of_an_account_counts_at_once(stage: SlackStage) -> None:
    play = Play(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    card = seat.card(play.proposal(1).id)
    seat.hand.account.deleted = True
    changed = {"type": "user_change", "user": {"id": seat.hand.account.id}}
    assert (await stage.slack.event(changed)).is_acked
    asked = len(stage.slack.called("users.info"))
    told = await seat.told(seat.hand.press(card, ActionId.APPROVE))
    assert "deactivated" in told
    assert stage.desk.clicks == []
    assert len(stage.slack.called("users.info")) == asked + 1


async def test_a_person_who_left_is_told_so(stage: SlackStage) -> None:
    play = Play(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    del stage.desk.people[play.dana.id]
    card = seat.hand.messages()[0]
    told = await seat.told(seat.hand.press(card, ActionId.APPROVE))
    assert "no longer registered" in told
    assert stage.desk.clicks == []
    assert stage.clock.now() - NOW == timedelta()


async def test_a_token_that_is_none_any_more_is_seen_before_a_card_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def revoke(slack: FakeSlack) -> None:
        slack.token.is_revoked = True

    async with stage_of(Mode.SOCKET, prepare=revoke) as stage:
        await stage.slack.until(lambda: stage.slack.called("auth.test"))
    assert "in no workspace that may decide" in caplog.text


async def test_a_permission_that_is_missing_is_named_before_a_card_needs_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def take_away(slack: FakeSlack) -> None:
        slack.token.scopes = BOT_SCOPES - {"im:history"}

    async with stage_of(Mode.HTTP, prepare=take_away) as stage:
        # Over HTTP there is nothing to wait for once that is said.
        await stage.chat.run(stage.desk)
    told = [one.__dict__ for one in caplog.records if "lacks permissions" in one.getMessage()]
    assert told[0]["missing"] == ["im:history"]
