"""One card for each request, whatever the Connector does, and that card comes to be true."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.teams.patience import Patient
from adapters.teams.pressable import Verb
from adapters.teams.testing import Activity, Trouble
from bot.core.card import Button
from bot.core.notice import Notice, Topic
from bot.core.states import State
from bot.ports.chat import NotDeliveredNow, Undeliverable
from bot.testing.chat import Play
from tests.teams.stage import NOW, TeamsSeat, TeamsStage, stage_of

#: Surely nothing was done: tried again with the same key.
BUSY = [Trouble.THROTTLED, Trouble.PRECONDITION]
#: Nobody knows, and in the second half of them it was.
NOT_DONE = [Trouble.DROPPED_BEFORE, Trouble.FAILED_BEFORE, Trouble.HANGS_BEFORE]
DONE = [Trouble.DROPPED_AFTER, Trouble.FAILED_AFTER, Trouble.TIMED_OUT, Trouble.HANGS_AFTER]


@pytest.fixture
async def stage() -> AsyncIterator[TeamsStage]:
    async with stage_of(call_s=1.5) as stage:
        stage.identities.enroll = stage.enroll
        yield stage


def forget_pauses(stage: TeamsStage) -> None:
    """Have the time pass that the Connector named."""
    transport = stage.chat._parts.transport
    assert isinstance(transport, Patient)
    transport._not_before.clear()


def sends(stage: TeamsStage) -> int:
    return len(stage.teams.called("send"))


async def lost_card(stage: TeamsStage, play: Play, trouble: Trouble) -> tuple[TeamsSeat, Activity]:
    """Post a card whose confirmation is lost, and return it as its person has it."""
    seat = await stage.seat(play.dana.id)
    stage.teams.faults.plant("send", trouble)
    with pytest.raises(Undeliverable) as told:
        await play.post(play.proposal(1))
    assert told.value.reason == "unclear"
    stage.teams.faults.clear()
    return seat, seat.card(play.proposal(1).id)


# What is refused for good

REFUSALS = {
    "BotNotInConversationRoster": (403, "not_installed"),
    "ConversationBlockedByUser": (403, "blocked_by_user"),
    "BotDisabledByAdmin": (403, "disabled_by_admin"),
    "MessageWritesBlocked": (403, "writes_blocked"),
    "Forbidden": (403, "forbidden"),
    "BotNotRegistered": (401, "app_not_registered"),
    "Unauthorized": (401, "not_authorized"),
    "ConversationNotFound": (404, "not_found"),
    "BadArgument": (400, "refused"),
    "SomethingNew": (400, "refused"),
    "Gone": (410, "refused"),
}


@pytest.mark.parametrize("operation", ["create", "send"])
@pytest.mark.parametrize("code", REFUSALS)
async def test_a_refusal_for_good_says_why(stage: TeamsStage, operation: str, code: str) -> None:
    status, reason = REFUSALS[code]
    play = Play(stage)
    # What is refused may be asked once more in another chat, and is refused there too.
    stage.teams.faults.refuse(operation, status, code, times=3)
    with pytest.raises(Undeliverable) as told:
        await play.post(play.proposal(1))
    assert told.value.reason == reason
    assert str(told.value).endswith(".")
    assert "eyJ" not in str(told.value)
    seat = await stage.seat(play.dana.id)
    assert await seat.cards() == []
    # What was refused is in no doubt: once it is set right, the card is posted.
    stage.teams.faults.clear()
    await play.post(play.proposal(1))
    assert len(await seat.cards()) == 1


@pytest.mark.parametrize("barred", ["ConversationBlockedByUser", "BotDisabledByAdmin"])
async def test_what_a_person_or_an_admin_has_barred_is_asked_once(
    stage: TeamsStage, barred: str
) -> None:
    play = Play(stage)
    seat = await stage.seat(play.dana.id)
    await play.post(play.proposal(1))
    seat.hand.chat.barred = barred
    calls = len(stage.teams.calls)
    with pytest.raises(Undeliverable):
        await play.post(play.proposal(2))
    assert len(stage.teams.calls) == calls + 1


async def test_a_code_inside_of_another_is_found(stage: TeamsStage) -> None:
    play = Play(stage)
    stage.teams.faults.refuse(
        "send", 403, "Forbidden", message='{"subCode": "ConversationBlockedByUser"}'
    )
    with pytest.raises(Undeliverable) as told:
        await play.post(play.proposal(1))
    assert told.value.reason == "blocked_by_user"


async def test_a_wrong_password_is_told_without_it(stage: TeamsStage) -> None:
    stage.chat._parts.credentials.forget("https://api.botframework.com/.default")
    stage.teams.issuer.entra_refuses = {"error": "invalid_client", "error_codes": [7000215]}
    play = Play(stage)
    with pytest.raises(Undeliverable) as told:
        await play.post(play.proposal(1))
    assert told.value.reason == "not_authorized"
    assert "doctor teams" in str(told.value)


async def test_a_token_that_is_taken_no_more_is_replaced(stage: TeamsStage) -> None:
    play = Play(stage)
    stage.teams.issuer.tokens.clear()
    with pytest.raises(Undeliverable):
        await play.post(play.proposal(1))
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    assert len(await seat.cards()) == 1


# What is surely not done


@pytest.mark.parametrize("operation", ["create", "send"])
@pytest.mark.parametrize("trouble", BUSY)
async def test_what_was_surely_not_done_is_tried_again(
    stage: TeamsStage, operation: str, trouble: Trouble
) -> None:
    play = Play(stage)
    stage.teams.faults.plant(operation, trouble)
    with pytest.raises(NotDeliveredNow):
        await play.post(play.proposal(1))
    forget_pauses(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    assert len(await seat.cards()) == 1


@pytest.mark.parametrize("trouble", [*BUSY, *NOT_DONE, *DONE])
async def test_a_chat_may_be_asked_for_any_number_of_times(
    stage: TeamsStage, trouble: Trouble
) -> None:
    play = Play(stage)
    stage.teams.faults.plant("create", trouble)
    with pytest.raises(NotDeliveredNow):
        await play.post(play.proposal(1))
    stage.teams.faults.clear()
    forget_pauses(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    assert len(await seat.cards()) == 1


@pytest.mark.parametrize("trouble", [*BUSY, *NOT_DONE])
async def test_who_teams_does_not_know_just_now_is_shown_it_later(
    stage: TeamsStage, trouble: Trouble
) -> None:
    play = Play(stage)
    # What can be repeated without harm is repeated once by the client itself.
    stage.teams.faults.plant("member", trouble, times=2)
    with pytest.raises(NotDeliveredNow):
        await play.post(play.proposal(1))
    stage.teams.faults.clear()
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    assert len(await seat.cards()) == 1


async def test_the_time_that_the_connector_names_is_kept_to(stage: TeamsStage) -> None:
    play = Play(stage)
    await stage.seat(play.dana.id)
    stage.teams.faults.plant("send", Trouble.THROTTLED, retry_after_s=30)
    with pytest.raises(NotDeliveredNow) as told:
        await play.post(play.proposal(1))
    assert told.value.retry_after_s == 30
    with pytest.raises(NotDeliveredNow) as told:
        await play.post(play.proposal(1))
    assert 25 < told.value.retry_after_s <= 30
    assert sends(stage) == 1


async def test_one_who_is_throttled_does_not_hold_up_another(stage: TeamsStage) -> None:
    play = Play(stage)
    stage.teams.faults.plant("send", Trouble.THROTTLED, retry_after_s=3600)
    with pytest.raises(NotDeliveredNow):
        await play.post(play.proposal(1))
    await stage.seat(play.mira.id)
    proposal = play.proposal(2)
    stage.desk.hold(proposal, approvers=[play.mira.id])
    card = stage.desk.card_for(play.mira.id, proposal.id, max_chars=2_400)
    ref = await stage.chat.post(card, play.mira.id, key="mira")
    assert ref.person == play.mira.id


async def test_without_a_time_it_is_tried_again_soon(stage: TeamsStage) -> None:
    play = Play(stage)
    stage.teams.faults.plant("send", Trouble.THROTTLED, retry_after_s=None)
    with pytest.raises(NotDeliveredNow) as told:
        await play.post(play.proposal(1))
    assert 1 <= told.value.retry_after_s <= 10


# What may have been done


@pytest.mark.parametrize("trouble", [*NOT_DONE, *DONE])
async def test_a_card_that_may_be_there_is_not_sent_again(
    stage: TeamsStage, trouble: Trouble
) -> None:
    play = Play(stage)
    seat = await stage.seat(play.dana.id)
    stage.teams.faults.plant("send", trouble)
    for _ in range(3):
        with pytest.raises(Undeliverable) as told:
            await play.post(play.proposal(1))
        assert told.value.reason == "unclear"
    stage.teams.faults.clear()
    await stage.teams.until(lambda: sends(stage) == 1)
    assert len(await seat.cards()) <= 1


async def test_a_card_that_was_begun_before_a_crash_is_not_sent_again(stage: TeamsStage) -> None:
    play = Play(stage)
    fault = stage.teams.faults.plant("send", Trouble.HANGS_AFTER)
    stage.desk.hold(play.proposal(1))
    await stage.seat(play.dana.id)
    card = stage.desk.card_for(play.dana.id, play.proposal(1).id, max_chars=2_400)
    posting = asyncio.create_task(stage.chat.post(card, play.dana.id, key="one"))
    await fault.met.wait()
    posting.cancel()
    await asyncio.gather(posting, return_exceptions=True)
    with pytest.raises(Undeliverable) as told:
        await stage.chat.post(card, play.dana.id, key="one")
    assert told.value.reason == "unclear"
    assert sends(stage) == 1


@pytest.mark.parametrize("trouble", DONE)
async def test_a_click_on_a_lost_card_counts_and_finds_it_again(
    stage: TeamsStage, trouble: Trouble
) -> None:
    play = Play(stage)
    seat, lost = await lost_card(stage, play, trouble)
    await seat.press(play.proposal(1).id, Button.APPROVE)
    assert len(stage.desk.clicks) == 1
    await stage.teams.until(lambda: Button.APPROVE not in seat.screen(lost).buttons)
    await stage.teams.until(lambda: lost.updates > 0)
    # It is known by now: no second one is sent, and what changes is shown on it.
    ref = await play.post(play.proposal(1))
    assert sends(stage) == 1
    await play.move(ref, 1, State.SUCCEEDED)
    assert "Done" in seat.screen(lost).text


async def test_a_look_at_a_lost_card_decides_nothing_and_finds_it_again(stage: TeamsStage) -> None:
    play = Play(stage)
    seat, lost = await lost_card(stage, play, Trouble.DROPPED_AFTER)
    delivery = await seat.hand.refresh(lost)
    assert delivery.card is not None
    assert stage.desk.clicks == []
    await stage.teams.until(lambda: lost.updates > 0)
    ref = await play.post(play.proposal(1))
    await play.move(ref, 1, State.WITHDRAWN)
    assert "Taken back" in seat.screen(lost).text


async def test_a_copy_of_a_card_elsewhere_is_not_kept_up_to_date(stage: TeamsStage) -> None:
    play = Play(stage)
    ref = await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    group = stage.teams.world.add_chat(
        "groupChat", tenant=stage.teams.tenant, members={seat.hand.account.user}
    )
    copied = stage.teams.world.keep(group, seat.card(play.proposal(1).id).content)
    await seat.hand.press(copied, Verb.APPROVE)
    await play.move(ref, 1, State.REJECTED)
    assert copied.updates == 0
    assert stage.desk.clicks == []


async def test_an_activity_that_is_sent_again_is_answered_again_and_counts_once(
    stage: TeamsStage,
) -> None:
    play = Play(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    pressing = seat.hand.pressing(seat.card(play.proposal(1).id), Verb.APPROVE)
    first = await seat.hand.send(pressing)
    again = await seat.hand.send(pressing)
    assert first.body == again.body
    assert len(stage.desk.clicks) == 1


# What is shown comes to be true


@pytest.mark.parametrize("trouble", [*BUSY, *NOT_DONE, *DONE])
async def test_a_change_that_failed_is_made_when_it_is_tried_again(
    stage: TeamsStage, trouble: Trouble
) -> None:
    play = Play(stage)
    ref = await play.post(play.proposal(1))
    stage.teams.faults.plant("update", trouble, times=2)
    with pytest.raises(NotDeliveredNow):
        await play.move(ref, 1, State.REJECTED)
    stage.teams.faults.clear()
    forget_pauses(stage)
    await stage.chat.replace(ref, play.shown(play.dana, 1))
    seen = await play.card_of(play.dana, 1)
    assert "Rejected" in seen.text
    assert Button.APPROVE not in seen.buttons


async def test_a_change_that_is_there_already_is_not_sent(stage: TeamsStage) -> None:
    play = Play(stage)
    ref = await play.post(play.proposal(1))
    await play.move(ref, 1, State.REJECTED)
    calls = len(stage.teams.called("update"))
    await stage.chat.replace(ref, play.shown(play.dana, 1))
    assert len(stage.teams.called("update")) == calls


async def test_an_old_change_that_comes_late_does_not_undo_a_newer_one(stage: TeamsStage) -> None:
    play = Play(stage)
    ref = await play.post(play.proposal(1))
    pending = play.shown(play.dana, 1)
    stage.clock.advance(5)
    await play.move(ref, 1, State.APPROVED)
    approved = play.shown(play.dana, 1)
    stage.clock.advance(5)
    await play.move(ref, 1, State.SUCCEEDED)
    calls = len(stage.teams.called("update"))
    for older in (approved, pending, approved):
        await stage.chat.replace(ref, older)
    assert len(stage.teams.called("update")) == calls


async def test_what_teams_misses_for_a_moment_is_asked_once_more(stage: TeamsStage) -> None:
    play = Play(stage)
    ref = await play.post(play.proposal(1))
    stage.teams.faults.refuse("update", 404, "ActivityNotFoundInConversation")
    await play.move(ref, 1, State.REJECTED)
    assert "Rejected" in (await play.card_of(play.dana, 1)).text


@pytest.mark.parametrize("barred", [None, "ConversationBlockedByUser"])
async def test_a_card_that_is_gone_is_given_up(stage: TeamsStage, barred: str | None) -> None:
    play = Play(stage)
    seat = await stage.seat(play.dana.id)
    ref = await play.post(play.proposal(1))
    if barred is None:
        seat.card(play.proposal(1).id).is_deleted = True
    seat.hand.chat.barred = barred
    with pytest.raises(Undeliverable) as told:
        await play.move(ref, 1, State.REJECTED)
    assert told.value.reason == "gone"
    assert sends(stage) == 1


async def test_a_card_is_changed_though_nothing_is_known_of_it_any_more(stage: TeamsStage) -> None:
    play = Play(stage)
    ref = await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    account = seat.hand.account
    await stage.shelf.delete("teams_card", f"{play.proposal(1).id}/{play.dana.id}/{ref.where}")
    await stage.shelf.delete("teams_chat", f"{account.tenant}/{account.user}")
    await play.move(ref, 1, State.REJECTED)
    assert "Rejected" in (await play.card_of(play.dana, 1)).text
    assert await play.post(replace(play.proposal(1))) == ref


@pytest.mark.parametrize(
    ("status", "code"),
    [(413, "MessageSizeTooBig"), (413, "RequestEntityTooLarge"), (400, "BadSyntax")],
)
async def test_a_card_that_teams_will_not_show_is_shown_without_approve(
    stage: TeamsStage, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    play = Play(stage)
    stage.teams.faults.refuse("send", status, code)
    ref = await play.post(play.proposal(1))
    seen = await play.card_of(play.dana, 1)
    assert Button.APPROVE not in seen.buttons
    assert "web inbox" in seen.text
    assert sends(stage) == 2
    stage.teams.faults.refuse("update", status, code)
    await play.move(ref, 1, State.REJECTED)
    assert Button.REJECT not in (await play.card_of(play.dana, 1)).buttons
    assert [one.levelno for one in caplog.records if "without Approve" in one.message] == [
        logging.ERROR
    ] * 2


# Channels

NOTICE = Notice(
    topic=Topic.HALT,
    title="Stopped: every agent",
    lines=("By Dana.",),
    at=NOW,
)


async def test_a_channel_is_told_once_for_each_key(stage: TeamsStage) -> None:
    channel = stage.teams.add_channel("Operations")
    place = f"{stage.teams.tenant}/{channel.id}"
    for _ in range(2):
        await stage.chat.announce(NOTICE, place=place, key="one")
    (told,) = [one for one in stage.teams.world.activities if one.chat == channel.id]
    assert "Stopped: every agent" in str(told.card)
    await stage.chat.announce(NOTICE, place=place, key="two")
    assert len([one for one in stage.teams.world.activities if one.chat == channel.id]) == 2


@pytest.mark.parametrize("trouble", [*BUSY, *NOT_DONE])
async def test_a_channel_that_was_not_told_is_told_later(
    stage: TeamsStage, trouble: Trouble
) -> None:
    channel = stage.teams.add_channel("Operations")
    place = f"{stage.teams.tenant}/{channel.id}"
    stage.teams.faults.plant("create", trouble)
    with pytest.raises(NotDeliveredNow):
        await stage.chat.announce(NOTICE, place=place, key="one")
    stage.teams.faults.clear()
    forget_pauses(stage)
    await stage.chat.announce(NOTICE, place=place, key="one")
    assert [one for one in stage.teams.world.activities if one.chat == channel.id]


@pytest.mark.parametrize("place", ["", "19:abc@thread.tacv2", "x/19:abc@thread.tacv2"])
async def test_what_is_no_channel_is_not_told(stage: TeamsStage, place: str) -> None:
    with pytest.raises(Undeliverable) as told:
        await stage.chat.announce(NOTICE, place=place, key="one")
    assert told.value.reason == "not_found"
    assert stage.teams.calls == []


async def test_a_channel_without_the_app_is_not_told(stage: TeamsStage) -> None:
    channel = stage.teams.add_channel("Operations", has_bot=False)
    with pytest.raises(Undeliverable) as told:
        await stage.chat.announce(NOTICE, place=f"{stage.teams.tenant}/{channel.id}", key="one")
    assert told.value.reason == "not_installed"
