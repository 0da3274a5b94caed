"""Nothing is silent, nothing is late, and nobody is shown what is not theirs any more."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.slack.accounts import account_of
from adapters.slack.pressable import STOP_SHORTCUT, ActionId
from adapters.slack.testing import ACK_S, Mode, Trouble, texts_of
from bot.core.card import Button
from bot.core.states import State
from bot.testing.chat import Play
from tests.chats.house import hold_commits
from tests.slack.slack_office import open_slack_office
from tests.slack.stage import SlackSeat, SlackStage, screen_of, stage_of


@pytest.fixture(params=list(Mode))
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[SlackStage]:
    async with stage_of(request.param, call_s=1.0) as stage:
        stage.identities.enroll = stage.enroll
        yield stage


async def modal_of(seat: SlackSeat, title: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        modal = seat.hand.modal
        if modal is None or modal["title"]["text"] != title or "One moment" in str(modal):
            return None
        return modal

    return await seat.slack.until(found)


@pytest.mark.parametrize("trouble", [Trouble.FAILED_BEFORE, Trouble.RATE_LIMITED])
async def test_a_stop_that_slack_opens_no_modal_for_is_answered_in_time(
    stage: SlackStage, trouble: Trouble
) -> None:
    seat = await stage.seat(Play(stage).dana.id)
    stage.slack.faults.plant("views.open", trouble, times=20, retry_after_s=30)
    typed = await seat.hand.command("stop")
    assert typed.is_acked
    assert "Click again" in "\n".join(texts_of(typed.said["blocks"]))
    assert (await seat.hand.shortcut(STOP_SHORTCUT)).is_acked
    await stage.slack.until(lambda: "Click again" in last_message(seat))


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_stop_that_takes_long_is_answered_in_time_and_then_told(mode: Mode) -> None:
    async with open_slack_office(mode) as house:
        office, seat = house.office, house.seat(house.office.dana)
        await seat.hand.shortcut(STOP_SHORTCUT)
        await modal_of(seat, "Stop")
        free = hold_commits(house.office)
        sent = await seat.hand.submit({"what": office.agent})
        assert sent.acked_after_s is not None
        assert sent.acked_after_s < ACK_S
        assert "not recorded yet" in str(sent.said).lower()
        free.set()
        assert "Stopped" in str(await modal_of(seat, "Recorded"))


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_button_that_takes_long_is_acknowledged_in_time_and_then_told(mode: Mode) -> None:
    async with open_slack_office(mode) as house:
        mira = await house.office.person("mira")
        hand = house.slack.hand(house.slack.add_account("Mira"))
        code = (await house.office.desk.link_code(mira.id, chat="slack")).code
        await hand.command(f"link {code}")
        view = await modal_of(SlackSeat(hand), "Link this account")
        free = hold_commits(house.office)
        assert (await hand.press_in_view(view, ActionId.LINK)).is_acked
        free.set()
        await modal_of(SlackSeat(hand), "Linked")
        assert len(await house.office.desk.identities(mira.id)) == 1


async def test_what_slack_did_not_show_was_not_read(stage: SlackStage) -> None:
    play = Play(stage)
    # More than a card takes, and little enough for one page.
    long = play.of_size(5_000)
    await play.post(long)
    seat = await stage.seat(play.dana.id)
    assert Button.APPROVE not in screen_of(seat.card(long.id)).buttons
    refused = stage.slack.faults.refuse("views.update", "invalid_arguments")
    told = await seat.told(seat.hand.press(seat.card(long.id), ActionId.FULL_VIEW))
    assert refused.met.is_set()
    assert "went wrong" in told
    assert stage.desk.proposals[long.id].views == ()
    assert Button.APPROVE not in screen_of(seat.card(long.id)).buttons
    await seat.hand.press(seat.card(long.id), ActionId.FULL_VIEW)
    await stage.slack.until(lambda: Button.APPROVE in screen_of(seat.card(long.id)).buttons)


async def test_what_goes_wrong_after_the_acknowledgement_tells_nothing_in_the_log(
    stage: SlackStage, caplog: pytest.LogCaptureFixture
) -> None:
    play = Play(stage)
    unheard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: unheard.append(told))
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    stage.slack.faults.refuse("views.update", "secret_words_of_slack")
    await seat.told(seat.hand.press(seat.card(play.proposal(1).id), ActionId.FULL_VIEW))
    for _ in range(100):
        await asyncio.sleep(0)
    gc.collect()
    assert "a slack listener failed" in caplog.text
    assert unheard == []
    assert "secret_words_of_slack" not in caplog.text


async def test_home_is_not_published_to_an_account_that_is_unlinked_meanwhile(
    stage: SlackStage,
) -> None:
    play, seat = await with_home(stage)
    busy = stage.slack.faults.plant("views.publish", Trouble.RATE_LIMITED)
    await play.post(play.proposal(1))
    await busy.met.wait()
    stage.identities.enroll = lambda _: None
    stage.desk.links.clear()
    before = len(stage.slack.called("views.publish"))
    await everything_is_tried(stage)
    assert len(stage.slack.called("views.publish")) == before
    assert "Publish an answer" not in str(seat.hand.home)


async def test_home_is_not_published_to_an_account_that_became_a_guests(stage: SlackStage) -> None:
    play, seat = await with_home(stage)
    ref = await play.post(play.proposal(1))
    await stage.slack.until(lambda: "Publish an answer" in str(seat.hand.home))
    seat.hand.account.is_restricted = True
    await stage.slack.event({"type": "user_change", "user": {"id": seat.hand.account.id}})
    before = len(stage.slack.called("views.publish"))
    await play.move(ref, 1, State.REJECTED)
    await everything_is_tried(stage)
    assert len(stage.slack.called("views.publish")) == before


async def test_a_link_that_is_confirmed_twice_is_told_as_a_link_twice(stage: SlackStage) -> None:
    play = Play(stage)
    stage.identities.enroll = lambda _: None
    stranger = stage.stranger("Dana")
    code = (await stage.desk.link_code(play.dana.id, chat="slack")).code
    await stranger.hand.command(f"link {code}")
    view = await modal_of(stranger, "Link this account")
    for _ in range(2):
        assert (await stranger.hand.press_in_view(view, ActionId.LINK)).is_acked
        await modal_of(stranger, "Linked")
    assert list(stage.desk.links.values()) == [play.dana.id]


@pytest.mark.parametrize("tokens", [{"oauth": ["U1"], "bot": []}, {"bot": ["U2"]}, None])
async def test_only_the_apps_own_token_being_revoked_removes_the_app(
    stage: SlackStage, tokens: dict[str, list[str]] | None
) -> None:
    revoked = {"type": "tokens_revoked"} | ({} if tokens is None else {"tokens": tokens})
    play = Play(stage)
    await play.post(play.proposal(1))
    asked = len(stage.slack.called("auth.test"))
    await stage.slack.event(revoked)
    seat = await stage.seat(play.dana.id)
    await seat.told(seat.hand.press(seat.card(play.proposal(1).id), ActionId.APPROVE))
    is_asked_again = len(stage.slack.called("auth.test")) > asked
    assert is_asked_again == (tokens is None or bool(tokens["bot"]))


def test_an_account_that_is_not_said_to_be_active_and_a_persons_counts_as_neither() -> None:
    whole = {"id": "U1", "team_id": "T1", "deleted": False, "is_bot": False}
    assert not account_of(whole).is_deleted
    for name in ("deleted", "is_bot"):
        rest = {key: value for key, value in whole.items() if key != name}
        assert account_of(rest).is_deleted or account_of(rest).is_bot


async def with_home(stage: SlackStage) -> tuple[Play, SlackSeat]:
    play = Play(stage)
    seat = await stage.seat(play.dana.id)
    await seat.hand.open_home()
    await stage.slack.until(lambda: seat.hand.home)
    return play, seat


async def everything_is_tried(stage: SlackStage) -> None:
    """Wait until nothing is to be done in the background any more."""
    keeper = stage.chat._parts.keeper
    while keeper._tasks:
        await asyncio.gather(*keeper._tasks, return_exceptions=True)


def last_message(seat: SlackSeat) -> str:
    return "\n".join(texts_of(seat.hand.messages()[-1].blocks)) if seat.hand.messages() else ""
