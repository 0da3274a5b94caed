"""Everything that can be pressed, typed or sent in Slack besides deciding: it is answered."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.slack.pressable import STOP_SHORTCUT, ActionId
from adapters.slack.testing import elements_of, texts_of
from adapters.slack.testing.deliveries import Kind
from bot.core.actors import Role
from bot.core.card import Button
from bot.core.errors import StoreUnavailable
from bot.core.halts import HaltScope
from bot.core.notice import Topic
from bot.core.pressed import NotYetRecorded
from bot.core.states import State
from bot.testing.chat import Play
from bot.testing.proposals import a_person
from tests.slack.stage import SlackSeat, SlackStage


def words_of(value: Any) -> str:
    return "\n".join(texts_of(value))


async def modal_of(seat: SlackSeat, title: str) -> dict[str, Any]:
    """Return the modal on top, once it is filled and has *title*."""

    def there() -> dict[str, Any] | None:
        modal = seat.hand.modal
        if modal is None or modal["title"]["text"] != title or "One moment" in words_of(modal):
            return None
        return modal

    return await seat.slack.until(there)


async def admin(stage: SlackStage) -> tuple[Play, SlackSeat]:
    play = Play(stage)
    stage.desk.people[play.dana.id] = replace(play.dana, roles=frozenset({Role.ADMIN}))
    return play, await stage.seat(play.dana.id)


def last_whisper(seat: SlackSeat) -> str:
    whisper = seat.hand.whispers()[-1]
    return words_of(whisper.blocks)


async def test_an_action_that_nobody_knows_any_more_says_that_the_card_is_outdated(
    stage: SlackStage,
) -> None:
    play = Play(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    card = seat.card(play.proposal(1).id)
    payload = seat.hand.pressing(card, ActionId.APPROVE)
    payload["actions"][0]["action_id"] = "keyturn.of_yesterday"
    await stage.slack.deliver(Kind.INTERACTIVE, payload)
    await stage.slack.until(lambda: seat.hand.whispers() or None)
    assert "This card is outdated" in last_whisper(seat)
    assert stage.desk.clicks == []


async def test_a_value_of_another_version_decides_nothing_and_says_so(stage: SlackStage) -> None:
    play = Play(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    card = seat.card(play.proposal(1).id)
    await seat.hand.press(card, ActionId.APPROVE, value="v0.something")
    await stage.slack.until(lambda: seat.hand.whispers() or None)
    assert "another version of Keyturn" in last_whisper(seat)
    assert stage.desk.clicks == []


@pytest.mark.parametrize("action", [ActionId.REJECT, ActionId.FULL_VIEW])
async def test_a_trigger_that_came_too_late_asks_to_click_again(
    stage: SlackStage, action: ActionId
) -> None:
    play = Play(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    stage.slack.screens.trigger_s = -1.0
    told = await seat.told(seat.hand.press(seat.card(play.proposal(1).id), action))
    assert "Click again" in told
    assert seat.hand.modal is None


async def test_somebody_else_is_told_in_private_and_sees_nothing_of_it(stage: SlackStage) -> None:
    play = Play(stage)
    await play.post(play.proposal(1))
    mira = await stage.seat(play.mira.id)
    card = (await stage.seat(play.dana.id)).card(play.proposal(1).id)
    await mira.hand.press(card, ActionId.FULL_VIEW)
    modal = await modal_of(mira, "Not recorded")
    assert "There is no such proposal" in words_of(modal)
    assert "Words to publish" not in words_of(modal)


@pytest.mark.parametrize("action", [ActionId.APPROVE, ActionId.REJECT])
async def test_a_stranger_who_presses_is_told_how_to_link(
    stage: SlackStage, action: ActionId
) -> None:
    play = Play(stage)
    await play.post(play.proposal(1))
    card = (await stage.seat(play.dana.id)).card(play.proposal(1).id)
    stranger = stage.stranger("Nobody")
    stage.slack.world.channels[card.channel].members.add(stranger.hand.account.id)
    assert "/keyturn link CODE" in await stranger.told(stranger.hand.press(card, action))
    assert stage.desk.clicks == []


async def test_a_card_that_is_decided_already_says_so_instead_of_asking(stage: SlackStage) -> None:
    play = Play(stage)
    ref = await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    old = seat.card(play.proposal(1).id)
    payload = seat.hand.pressing(old, ActionId.REJECT)
    await play.move(ref, 1, State.SUCCEEDED)
    await stage.slack.deliver(Kind.INTERACTIVE, payload)
    modal = await modal_of(seat, "Not recorded")
    assert "not asked of you now" in words_of(modal)
    assert "submit" not in modal


async def test_not_mine_is_said_once_more_and_then_recorded(stage: SlackStage) -> None:
    play = Play(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    await seat.hand.press(seat.card(play.proposal(1).id), ActionId.MORE, option="not_mine:")
    view = await modal_of(seat, "Not mine")
    assert stage.desk.clicks == []
    await seat.hand.press_in_view(view, ActionId.NOT_MINE)
    told = await modal_of(seat, "Recorded")
    assert "Reported as not yours" in words_of(told)
    (click,) = stage.desk.clicks
    assert click.button is Button.NOT_MINE


async def test_the_full_view_turns_both_ways_and_its_end_can_approve(stage: SlackStage) -> None:
    play = Play(stage)
    long = play.of_size(30_000)
    await play.post(long)
    seat = await stage.seat(play.dana.id)
    await seat.hand.press(seat.card(long.id), ActionId.FULL_VIEW)
    view = await modal_of(seat, "Full details")
    assert [e["action_id"] for _, e in elements_of(view["blocks"])] == [ActionId.PAGE_ON]
    for action, position in (
        (ActionId.PAGE_ON, "Page 1 of 2, part 2 of 2"),
        (ActionId.PAGE_BACK, "Page 1 of 2, part 1 of 2"),
        (ActionId.PAGE_ON, "Page 1 of 2, part 2 of 2"),
        (ActionId.PAGE_ON, "Page 2 of 2, part 1 of 2"),
        (ActionId.PAGE_BACK, "Page 1 of 2, part 2 of 2"),
        (ActionId.PAGE_ON, "Page 2 of 2, part 1 of 2"),
    ):
        await seat.hand.press_in_view(view, action)
        await stage.slack.until(lambda at=position: at in words_of(seat.hand.modal) or None)
        view = await modal_of(seat, "Full details")
    assert stage.desk.journal == []
    await seat.hand.press_in_view(view, ActionId.PAGE_ON)
    await stage.slack.until(lambda: "This is the end" in words_of(seat.hand.modal) or None)
    await stage.slack.until(lambda: ActionId.APPROVE in str(seat.hand.modal) or None)
    assert [name for name, _ in stage.desk.journal] == ["viewed"]
    assert seat.hand.modal is not None
    await seat.hand.press_in_view(seat.hand.modal, ActionId.APPROVE)
    told = await modal_of(seat, "Recorded")
    assert "Approved" in words_of(told)
    assert [click.button for click in stage.desk.clicks] == [Button.APPROVE]


async def test_reading_what_fits_on_the_card_records_nothing(stage: SlackStage) -> None:
    play = Play(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    await seat.hand.press(seat.card(play.proposal(1).id), ActionId.FULL_VIEW)
    await modal_of(seat, "Full details")
    assert stage.desk.journal == []


async def test_a_card_opens_whole_from_the_home_and_is_decided_there(stage: SlackStage) -> None:
    play = Play(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    await seat.hand.open_home()
    home = await stage.slack.until(lambda: seat.hand.home)
    await seat.hand.press_in_view(home, ActionId.OPEN)
    view = await modal_of(seat, "Keyturn")
    assert "Words to publish." in words_of(view)
    await seat.hand.press_in_view(view, ActionId.APPROVE)
    assert "Approved" in words_of(await modal_of(seat, "Recorded"))
    waits = "Waiting for you (1)"
    await stage.slack.until(lambda: waits not in words_of(seat.hand.home) or None)


async def test_what_takes_long_is_told_as_not_recorded_yet(stage: SlackStage) -> None:
    play = Play(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    stage.desk.answer = NotYetRecorded(message="This takes longer than usual.")
    await seat.hand.press(seat.card(play.proposal(1).id), ActionId.REJECT)
    await modal_of(seat, "Reject")
    await seat.hand.submit({"note": "no"})
    assert "longer than usual" in words_of(await modal_of(seat, "Not recorded yet"))


async def test_a_store_that_fails_is_told_with_what_to_do(stage: SlackStage) -> None:
    play = Play(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    await seat.hand.press(seat.card(play.proposal(1).id), ActionId.REJECT)
    await modal_of(seat, "Reject")
    stage.desk.fail_with = StoreUnavailable("Nothing can be recorded just now.")
    await seat.hand.submit({"note": "no"})
    told = words_of(await modal_of(seat, "Not recorded"))
    assert "Nothing can be recorded just now." in told or "Nothing was recorded" in told


async def test_a_doubt_is_not_settled_without_saying_how(stage: SlackStage) -> None:
    play = Play(stage)
    ref = await play.post(play.proposal(1))
    await play.move(ref, 1, State.IN_DOUBT)
    seat = await stage.seat(play.dana.id)
    await seat.hand.press(seat.card(play.proposal(1).id), ActionId.SETTLE_DONE)
    await modal_of(seat, "Say what you found")
    sent = await seat.hand.submit({"note": "   "})
    assert sent.said == {"response_action": "errors", "errors": {"note": "Say how you found out."}}
    assert stage.desk.clicks == []


async def test_the_shortcut_stops_an_agent_from_anywhere(stage: SlackStage) -> None:
    play, seat = await admin(stage)
    await seat.hand.shortcut(STOP_SHORTCUT)
    await modal_of(seat, "Stop")
    await seat.hand.submit({"what": play.agent.id, "note": "It writes nonsense."})
    assert "Stopped" in words_of(await modal_of(seat, "Recorded"))
    (halt,) = stage.desk.halts.values()
    assert (halt.target.scope, halt.target.agent) == (HaltScope.AGENT, play.agent.id)
    assert halt.reason == "It writes nonsense."


async def test_the_shortcut_of_a_stranger_says_how_to_link(stage: SlackStage) -> None:
    stranger = stage.stranger("Nobody")
    await stranger.hand.shortcut(STOP_SHORTCUT)
    told = await modal_of(stranger, "Not recorded")
    assert "/keyturn link CODE" in words_of(told)


async def test_who_is_no_admin_stops_their_agent_for_themselves_only(stage: SlackStage) -> None:
    play = Play(stage)
    other = a_person("Olga")
    stage.desk.people[other.id] = other
    stage.desk.known_agents[play.agent.id] = replace(
        play.agent, owner=other.id, principals=(play.dana.id,)
    )
    seat = await stage.seat(play.dana.id)
    told = await seat.told(seat.hand.command("stop forum-analyst"))
    assert "forum-analyst is stopped for you" in told
    (halt,) = stage.desk.halts.values()
    assert (halt.target.scope, halt.target.principal) == (
        HaltScope.AGENT_FOR_PRINCIPAL,
        play.dana.id,
    )
    assert "not yours" in await seat.told(seat.hand.command("stop all"))
    assert len(stage.desk.halts) == 1


async def test_everything_stops_by_one_line_and_is_resumed_with_a_reason(stage: SlackStage) -> None:
    _, seat = await admin(stage)
    assert "Every agent is stopped" in await seat.told(seat.hand.command("stop all"))
    await seat.hand.command("resume")
    await modal_of(seat, "Resume")
    (halt,) = stage.desk.halts
    sent = await seat.hand.submit({"what": halt, "note": " "})
    assert sent.said["errors"] == {"note": "Say why it is safe to go on."}
    await seat.hand.submit({"what": halt, "note": "Looked at it."})
    assert "Resumed" in words_of(await modal_of(seat, "Recorded"))
    assert not stage.desk.halts[halt].is_active


async def test_home_stops_one_agent_and_every_agent(stage: SlackStage) -> None:
    play, seat = await admin(stage)
    await seat.hand.open_home()
    home = await stage.slack.until(lambda: seat.hand.home)
    await seat.hand.press_in_view(home, ActionId.STOP_AGENT)
    await modal_of(seat, "Stop")
    await seat.hand.submit({"what": play.agent.id})
    await modal_of(seat, "Recorded")
    await seat.hand.close_modal()
    await seat.hand.press_in_view(home, ActionId.STOP)
    assert "Stopped" in words_of(await modal_of(seat, "Recorded"))
    scopes = [halt.target.scope for halt in stage.desk.halts.values()]
    assert scopes == [HaltScope.AGENT, HaltScope.ALL]
    await stage.slack.until(lambda: "Stopped now" in words_of(seat.hand.home) or None)
    await seat.hand.close_modal()
    assert seat.hand.home is not None
    await seat.hand.press_in_view(seat.hand.home, ActionId.RESUME)
    await modal_of(seat, "Resume")


async def test_an_account_is_linked_after_its_person_was_named(stage: SlackStage) -> None:
    play = Play(stage)
    stranger = stage.stranger("Dana")
    code = (await stage.desk.link_code(play.dana.id, chat="slack")).code
    await stranger.hand.command(f"link {code}")
    view = await modal_of(stranger, "Link this account")
    assert "Dana" in words_of(view)
    assert stage.desk.links == {}
    await stranger.hand.press_in_view(view, ActionId.LINK)
    assert "is linked" in words_of(await modal_of(stranger, "Linked"))
    assert list(stage.desk.links.values()) == [play.dana.id]
    again = await stranger.told(stranger.hand.command("whoami"))
    assert "You are Dana (dana) in Keyturn." in again


async def test_a_code_that_is_unknown_or_used_links_nobody(stage: SlackStage) -> None:
    stranger = stage.stranger("Eve")
    await stranger.hand.command("link 7KQM-3TXW-9HPD")
    told = await modal_of(stranger, "Not recorded")
    assert "not known" in words_of(told)
    assert stage.desk.links == {}


async def test_who_is_linked_is_not_linked_to_somebody_else(stage: SlackStage) -> None:
    play = Play(stage)
    code = (await stage.desk.link_code(play.mira.id, chat="slack")).code
    dana = await stage.seat(play.dana.id)
    await dana.hand.command(f"link {code}")
    assert "linked to Dana already" in words_of(await modal_of(dana, "Linked"))
    assert play.mira.id not in stage.desk.links.values()


async def test_a_guest_cannot_link(stage: SlackStage) -> None:
    play = Play(stage)
    guest = stage.stranger("Guest", is_restricted=True)
    code = (await stage.desk.link_code(play.dana.id, chat="slack")).code
    await guest.hand.command(f"link {code}")
    told = await modal_of(guest, "Not recorded")
    assert words_of(told)
    assert stage.desk.links == {}


async def test_an_admin_says_which_channel_is_told_what(stage: SlackStage) -> None:
    play, seat = await admin(stage)
    channel = stage.slack.add_channel("ops")
    await seat.hand.command("channels", channel=channel.id)
    await modal_of(seat, "Notices to a channel")
    sent = await seat.hand.submit({"channel": channel.id, "topics": []})
    assert "topics" in sent.said["errors"]
    await seat.hand.submit(
        {
            "channel": channel.id,
            "topics": [Topic.HALT, Topic.DIGEST],
            "agents": "forum-*\n\n",
            "verbs": "mail.*\nforum.post",
        }
    )
    await modal_of(seat, "Recorded")
    (route,) = stage.desk.routes.values()
    assert (route.place, route.place_name) == (channel.id, "#ops")
    assert route.topics == {Topic.HALT, Topic.DIGEST}
    assert (route.agents, route.verbs) == (("forum-*",), ("mail.*", "forum.post"))
    assert route.set_by == play.dana.id
    await seat.hand.close_modal()
    await seat.hand.open_home()
    home = await stage.slack.until(
        lambda: seat.hand.home if f"<#{channel.id}>" in words_of(seat.hand.home) else None
    )
    await seat.hand.press_in_view(home, ActionId.END_ROUTE)
    await modal_of(seat, "Recorded")
    assert stage.desk.routes == {}


async def test_who_is_no_admin_cannot_say_what_channels_are_told(stage: SlackStage) -> None:
    play = Play(stage)
    seat = await stage.seat(play.dana.id)
    await seat.hand.command("channels")
    assert words_of(await modal_of(seat, "Not recorded"))
    await seat.hand.open_home()
    home = await stage.slack.until(lambda: seat.hand.home)
    assert ActionId.CHANNELS not in [e["action_id"] for _, e in elements_of(home["blocks"])]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "`/keyturn pending`"),
        ("<!channel> *x*", "That is not known here."),
        ("approve prp_1", "That is not known here."),
        ("pending", "Publish an answer in the forum eng-help"),
        ("agents", "forum-analyst"),
        ("whoami", "You are Dana (dana) in Keyturn."),
        ("stop nobody", "There is no such agent"),
    ],
)
async def test_what_is_typed_is_answered_to_who_typed_it_alone(
    stage: SlackStage, typed: str, said: str
) -> None:
    play = Play(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    channel = stage.slack.add_channel("general")
    delivery = await seat.hand.command(typed, channel=channel.id)
    assert delivery.said["response_type"] == "ephemeral"
    assert said in words_of(delivery.said["blocks"])
    assert [
        m for m in stage.slack.world.messages if m.channel == channel.id and not m.seen_by
    ] == []


async def test_a_list_leads_to_the_whole_card(stage: SlackStage) -> None:
    play = Play(stage)
    await play.post(play.proposal(1))
    seat = await stage.seat(play.dana.id)
    await seat.hand.command("pending")
    await seat.hand.press(seat.hand.whispers()[-1], ActionId.OPEN)
    assert "Words to publish." in words_of(await modal_of(seat, "Keyturn"))


@pytest.mark.parametrize("typed", ["pending", "agents", "whoami", "stop all"])
async def test_a_stranger_is_told_how_to_link(stage: SlackStage, typed: str) -> None:
    stranger = stage.stranger("Nobody")
    said = await stranger.hand.command(typed)
    assert "/keyturn link CODE" in words_of(said.said["blocks"])
    assert stage.desk.halts == {}


async def test_the_home_of_a_stranger_says_how_to_link(stage: SlackStage) -> None:
    stranger = stage.stranger("Nobody")
    await stranger.hand.open_home()
    home = await stage.slack.until(lambda: stranger.hand.home)
    assert "/keyturn link CODE" in words_of(home)
