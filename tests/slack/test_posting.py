"""One card for each request, whatever Slack does on the way, and that card comes to be true."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.slack.testing import BOT_SCOPES, Mode, Trouble
from bot.core.card import Button
from bot.core.states import State
from bot.ports.chat import CardRef, NotDeliveredNow, Undeliverable
from bot.testing.chat import Play
from tests.slack.stage import SlackSeat, SlackStage, screen_of, stage_of


@pytest.fixture
async def stage() -> AsyncIterator[SlackStage]:
    async with stage_of(Mode.SOCKET, call_s=0.5) as stage:
        stage.identities.enroll = stage.enroll
        yield stage


async def in_a_known_conversation(play: Play, stage: SlackStage) -> SlackSeat:
    """Have Dana's conversation with the app be one in which a card is already."""
    other = play.proposal(2)
    stage.desk.hold(other)
    card = stage.desk.card_for(play.dana.id, other.id, max_chars=3000)
    await stage.chat.post(card, play.dana.id, key=f"another {other.id}")
    return await stage.seat(play.dana.id)


def may_not_look(stage: SlackStage) -> None:
    """Have an admin take away the permission by which cards are found again."""
    stage.slack.token.scopes = BOT_SCOPES - {"im:history"}


async def posted_in_the_end(play: Play, stage: SlackStage, *, tries: int = 5) -> CardRef:
    """Post as the outbox does: again with the same key until it is taken."""
    for _ in range(tries):
        try:
            return await play.post(play.proposal(1))
        except NotDeliveredNow:
            continue
    raise AssertionError("it was never posted")


NOTHING_DONE = [Trouble.DROPPED_BEFORE, Trouble.FAILED_BEFORE, Trouble.HANGS_BEFORE]
DONE = [Trouble.DROPPED_AFTER, Trouble.FAILED_AFTER, Trouble.HANGS_AFTER]


@pytest.mark.parametrize("trouble", [*NOTHING_DONE, *DONE])
@pytest.mark.parametrize("known_by", ["a card", "opening the app"])
async def test_a_lost_answer_leaves_one_card(
    stage: SlackStage, trouble: Trouble, known_by: str
) -> None:
    play = Play(stage)
    if known_by == "a card":
        seat = await in_a_known_conversation(play, stage)
    else:
        seat = await stage.seat(play.dana.id)
        assert (await seat.hand.open_home(tab="messages")).is_acked
        await stage.slack.until(lambda: stage.slack.called("users.info"))
    stage.slack.faults.plant("chat.postMessage", trouble)
    with pytest.raises(NotDeliveredNow):
        await play.post(play.proposal(1))
    stage.slack.faults.clear()
    ref = await posted_in_the_end(play, stage)
    theirs = [seen for seen in await seat.cards() if seen.proposal == play.proposal(1).id]
    assert len(theirs) == 1
    await play.move(ref, 1, State.REJECTED)
    assert "Rejected" in screen_of(seat.card(play.proposal(1).id)).text


async def test_a_card_whose_answer_was_lost_is_found_under_many_newer_ones(
    stage: SlackStage,
) -> None:
    play = Play(stage)
    seat, proposal = await in_a_known_conversation(play, stage), play.proposal(1)
    stage.slack.faults.plant("chat.postMessage", Trouble.DROPPED_AFTER)
    with pytest.raises(NotDeliveredNow):
        await play.post(proposal)
    lost = seat.card(proposal.id)
    stage.clock.advance(6 * 3600)
    for _ in range(450):
        stage.slack.world.messages.append(
            replace(lost, ts=stage.slack.world.new_ts(), metadata=None)
        )
    assert (await play.post(proposal)).where.endswith(lost.ts)
    assert len(stage.slack.called("conversations.history")) == 3


async def test_what_is_older_than_the_card_is_not_looked_through(stage: SlackStage) -> None:
    play = Play(stage)
    seat = await in_a_known_conversation(play, stage)
    earlier = seat.hand.messages()[0]
    for _ in range(450):
        stage.slack.world.messages.append(
            replace(earlier, ts=stage.slack.world.new_ts(), metadata=None)
        )
    stage.clock.advance(24 * 3600)
    stage.slack.faults.plant("chat.postMessage", Trouble.DROPPED_BEFORE)
    with pytest.raises(NotDeliveredNow):
        await play.post(play.proposal(1))
    await play.post(play.proposal(1))
    assert len(stage.slack.called("conversations.history")) == 1


@pytest.mark.parametrize("trouble", [*NOTHING_DONE, *DONE])
@pytest.mark.parametrize("why", ["missing_scope", "not_confirmed"])
async def test_where_nobody_can_look_a_card_is_not_sent_again(
    stage: SlackStage, trouble: Trouble, why: str
) -> None:
    play = Play(stage)
    seat = await stage.seat(play.dana.id)
    if why == "missing_scope":
        await in_a_known_conversation(play, stage)
        may_not_look(stage)
    stage.slack.faults.plant("chat.postMessage", trouble)
    with pytest.raises(NotDeliveredNow):
        await play.post(play.proposal(1))
    stage.slack.faults.clear()
    for _ in range(3):
        with pytest.raises(Undeliverable) as told:
            await play.post(play.proposal(1))
        assert told.value.reason == why
    assert [seen.proposal for seen in await seat.cards()].count(play.proposal(1).id) <= 1
    assert ("im:history" in str(told.value)) == (why == "missing_scope")


async def test_a_lost_card_shows_what_became_of_it_when_its_conversation_is_opened(
    stage: SlackStage,
) -> None:
    play = Play(stage)
    seat = await stage.seat(play.dana.id)
    stage.slack.faults.plant("chat.postMessage", Trouble.DROPPED_AFTER)
    with pytest.raises(NotDeliveredNow):
        await play.post(play.proposal(1))
    with pytest.raises(Undeliverable):
        await play.post(play.proposal(1))
    stage.desk.proposals[play.proposal(1).id] = replace(
        play.proposal(1), state=State.REJECTED, changed_at=stage.clock.now()
    )
    await seat.hand.open_home(tab="messages")
    (lost,) = seat.hand.messages()
    await stage.slack.until(lambda: "Rejected" in screen_of(lost).text)


async def test_a_lost_card_that_is_pressed_comes_true(stage: SlackStage) -> None:
    play = Play(stage)
    seat = await stage.seat(play.dana.id)
    stage.slack.faults.plant("chat.postMessage", Trouble.DROPPED_AFTER)
    with pytest.raises(NotDeliveredNow):
        await play.post(play.proposal(1))
    with pytest.raises(Undeliverable):
        await play.post(play.proposal(1))
    # To press it they open the conversation, and by that it is known.
    await seat.hand.open_home(tab="messages")
    await stage.slack.until(lambda: stage.slack.called("users.info"))
    (lost,) = seat.hand.messages()
    assert await seat.told(seat.hand.press(lost, "keyturn.approve"))
    assert len(stage.desk.clicks) == 1
    await stage.slack.until(lambda: Button.APPROVE not in screen_of(lost).buttons)


async def test_a_rate_limit_says_when_to_try_again_and_is_kept_to(stage: SlackStage) -> None:
    play = Play(stage)
    await stage.seat(play.dana.id)
    stage.slack.faults.plant("chat.postMessage", Trouble.RATE_LIMITED, retry_after_s=30)
    with pytest.raises(NotDeliveredNow) as told:
        await play.post(play.proposal(1))
    assert told.value.retry_after_s == 30
    with pytest.raises(NotDeliveredNow) as told:
        await play.post(play.proposal(1))
    assert 25 < told.value.retry_after_s <= 30
    # The second time Slack was not asked.
    assert len(stage.slack.called("chat.postMessage")) == 0


@pytest.mark.parametrize("trouble", [*NOTHING_DONE, *DONE, Trouble.RATE_LIMITED])
async def test_a_change_that_failed_is_made_when_it_is_tried_again(
    stage: SlackStage, trouble: Trouble
) -> None:
    play = Play(stage)
    ref = await play.post(play.proposal(1))
    stage.slack.faults.plant("chat.update", trouble)
    with pytest.raises(NotDeliveredNow):
        await play.move(ref, 1, State.REJECTED)
    stage.slack.faults.clear()
    if trouble is Trouble.RATE_LIMITED:
        stage.chat._parts.wire._not_before.clear()
    await stage.chat.replace(ref, play.shown(play.dana, 1))
    seen = await play.card_of(play.dana, 1)
    assert "Rejected" in seen.text
    assert Button.APPROVE not in seen.buttons


async def test_an_old_change_that_comes_late_does_not_undo_a_newer_one(stage: SlackStage) -> None:
    play = Play(stage)
    ref = await play.post(play.proposal(1))
    pending = play.shown(play.dana, 1)
    stage.clock.advance(5)
    await play.move(ref, 1, State.APPROVED)
    approved = play.shown(play.dana, 1)
    stage.clock.advance(5)
    await play.move(ref, 1, State.SUCCEEDED)
    calls = len(stage.slack.called("chat.update"))
    for older in (approved, pending, approved):
        await stage.chat.replace(ref, older)
    assert len(stage.slack.called("chat.update")) == calls


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_blocks_too_long"])
async def test_a_card_that_slack_will_not_show_is_shown_without_approve(
    stage: SlackStage, error: str
) -> None:
    play = Play(stage)
    stage.slack.faults.refuse("chat.postMessage", error)
    ref = await play.post(play.proposal(1))
    seen = await play.card_of(play.dana, 1)
    assert Button.APPROVE not in seen.buttons
    assert "web inbox" in seen.text
    stage.slack.faults.refuse("chat.update", error)
    await play.move(ref, 1, State.REJECTED)
    assert Button.REJECT not in (await play.card_of(play.dana, 1)).buttons


REFUSALS = {
    "messages_tab_disabled": "messages_tab_disabled",
    "missing_scope": "missing_scope",
    "channel_not_found": "not_found",
    "user_disabled": "inactive",
    "cannot_dm_bot": "not_a_person",
    "token_revoked": "app_removed",
    "account_inactive": "app_removed",
    "something_new": "refused",
}


@pytest.mark.parametrize(("error", "reason"), REFUSALS.items())
async def test_a_refusal_for_good_says_why(stage: SlackStage, error: str, reason: str) -> None:
    play = Play(stage)
    stage.slack.faults.refuse("chat.postMessage", error)
    with pytest.raises(Undeliverable) as told:
        await play.post(play.proposal(1))
    assert told.value.reason == reason
    assert "xox" not in str(told.value)
    # What was refused is not in doubt: once it is set right, the card comes.
    await play.post(play.proposal(1))
    assert (await play.card_of(play.dana, 1)).proposal == play.proposal(1).id


@pytest.mark.parametrize("error", ["message_not_found", "cant_update_message"])
async def test_a_card_that_is_gone_is_given_up(stage: SlackStage, error: str) -> None:
    play = Play(stage)
    ref = await play.post(play.proposal(1))
    stage.slack.faults.refuse("chat.update", error)
    with pytest.raises(Undeliverable):
        await play.move(ref, 1, State.REJECTED)


@pytest.mark.parametrize(
    "flags",
    [
        {"deleted": True},
        {"is_bot": True},
        {"is_restricted": True},
        {"is_ultra_restricted": True},
        {"is_stranger": True},
        {"is_invited_user": True},
    ],
    ids=lambda flags: next(iter(flags)),
)
async def test_who_may_not_decide_is_not_shown_what_is_to_be_decided(
    stage: SlackStage, flags: dict[str, bool]
) -> None:
    play = Play(stage)
    seat = await stage.seat(play.dana.id)
    for name, value in flags.items():
        setattr(seat.hand.account, name, value)
    with pytest.raises(Undeliverable) as told:
        await play.post(play.proposal(1))
    assert told.value.reason == "account_refused"
    assert stage.slack.called("chat.postMessage") == []


async def test_who_has_no_account_is_reached_in_another_way(stage: SlackStage) -> None:
    stage.identities.enroll = lambda _: None
    play = Play(stage)
    with pytest.raises(Undeliverable) as told:
        await play.post(play.proposal(1))
    assert told.value.reason == "not_linked"
    assert "web inbox" in str(told.value)


class TestByEmail:
    @pytest.fixture
    async def stage(self) -> AsyncIterator[SlackStage]:
        async with stage_of(Mode.SOCKET, link_by_email=True) as stage:
            yield stage

    async def test_a_verified_address_links_once_and_for_good(self, stage: SlackStage) -> None:
        play = Play(stage)
        account = stage.slack.add_account("Dana", email="Dana@Example.net")
        stage.identities.emails[play.dana.id] = "dana@example.net"
        await play.post(play.proposal(1))
        assert stage.desk.links == {
            identity: play.dana.id
            for identity in await stage.identities.of(play.dana.id, "slack")
            if identity.user == account.id
        }
        account.email = "other@example.net"
        stage.desk.hold(play.proposal(2))
        card = stage.desk.card_for(play.dana.id, play.proposal(2).id, max_chars=3000)
        await stage.chat.post(card, play.dana.id, key="two")
        assert len(stage.slack.called("users.lookupByEmail")) == 1

    @pytest.mark.parametrize(
        "flags",
        [
            {"is_email_confirmed": False},
            {"is_restricted": True},
            {"deleted": True},
            {"is_bot": True},
            {"is_invited_user": True},
            {"is_stranger": True},
        ],
        ids=lambda flags: next(iter(flags)),
    )
    async def test_no_other_address_links(self, stage: SlackStage, flags: dict[str, bool]) -> None:
        play = Play(stage)
        stage.slack.add_account("Dana", email="dana@example.net", **flags)
        stage.identities.emails[play.dana.id] = "dana@example.net"
        with pytest.raises(Undeliverable) as told:
            await play.post(play.proposal(1))
        assert told.value.reason == "not_linked"
        assert stage.desk.links == {}

    async def test_nobody_takes_over_an_account_by_an_address(self, stage: SlackStage) -> None:
        play = Play(stage)
        account = stage.slack.add_account("Mira", email="dana@example.net")
        stage.link(play.mira.id, account)
        stage.identities.emails[play.dana.id] = "dana@example.net"
        with pytest.raises(Undeliverable):
            await play.post(play.proposal(1))
        assert set(stage.desk.links.values()) == {play.mira.id}


async def test_a_card_is_found_again_after_a_restart(stage: SlackStage) -> None:
    play = Play(stage)
    ref = await play.post(play.proposal(1))
    await stage.shelf.delete("slack_card", f"{play.proposal(1).id}/{play.dana.id}/{ref.where}")
    await play.move(ref, 1, State.REJECTED)
    assert "Rejected" in (await play.card_of(play.dana, 1)).text
    assert await play.post(replace(play.proposal(1))) == ref


async def test_a_card_that_was_lost_comes_true_though_nothing_is_posted_any_more(
    stage: SlackStage,
) -> None:
    play = Play(stage)
    seat = await in_a_known_conversation(play, stage)
    stage.slack.faults.plant("chat.postMessage", Trouble.DROPPED_AFTER)
    with pytest.raises(NotDeliveredNow):
        await play.post(play.proposal(1))
    stage.desk.proposals[play.proposal(1).id] = replace(
        play.proposal(1), state=State.WITHDRAWN, changed_at=stage.clock.now()
    )
    lost = seat.card(play.proposal(1).id)
    await stage.slack.until(lambda: "Taken back" in screen_of(lost).text)


async def test_of_two_accounts_the_one_that_may_still_decide_is_shown_the_card(
    stage: SlackStage,
) -> None:
    play = Play(stage)
    seat = await stage.seat(play.dana.id)
    stage.link(play.dana.id, stage.slack.add_account("Dana", deleted=True))
    await play.post(play.proposal(1))
    assert [card.proposal for card in await seat.cards()] == [play.proposal(1).id]
