"""What is read out of a payload, and that nothing else is believed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.inbound import (
    Opened,
    Place,
    parse_changed,
    parse_clicker,
    parse_home_opened,
    parse_pressed,
    parse_removed,
    parse_submitted,
    parse_trigger,
    parse_typed,
)
from adapters.slack.pressable import More, parse_more
from bot.core import command as commands
from bot.core.about import About, parse_about, parse_agent, parse_halt, spell, value_of
from bot.core.command import (
    Agents,
    Channels,
    Help,
    Link,
    Pending,
    Resume,
    Stop,
    WhoAmI,
)
from bot.core.errors import InvalidInput
from bot.testing.hostile import MORE_HOSTILE
from tests.slack.rendering.scenes import DAY_CARD as CARD

USER = {"id": "U012AB3CD", "username": "dana", "name": "dana", "team_id": "T012AB3CD"}
CLICK: dict[str, Any] = {
    "type": "block_actions",
    "user": USER,
    "api_app_id": "A0",
    "token": "not used",
    "container": {"type": "message", "message_ts": "1.2", "channel_id": "D012AB3CD"},
    "trigger_id": "12.34.ab",
    "team": {"id": "T012AB3CD", "domain": "example"},
    "enterprise": None,
    "is_enterprise_install": False,
    "channel": {"id": "D012AB3CD", "name": "directmessage"},
    "message": {"ts": "1.2", "text": "<!channel>"},
    "response_url": "https://hooks.slack.com/actions/T/1/x",
    "actions": [{"action_id": "keyturn.approve", "block_id": "b", "value": "v", "type": "button"}],
}


def test_a_click_on_a_card_says_who_and_where() -> None:
    pressed = parse_pressed(CLICK)
    assert (pressed.user, pressed.place) == ("U012AB3CD", Place.MESSAGE)
    assert (pressed.channel, pressed.ts) == ("D012AB3CD", "1.2")
    assert (pressed.action, pressed.value, pressed.trigger) == ("keyturn.approve", "v", "12.34.ab")


@pytest.mark.parametrize(("kind", "place"), [("modal", Place.MODAL), ("home", Place.HOME)])
def test_a_click_in_a_view_has_no_message(kind: str, place: Place) -> None:
    view = {"id": "V1", "type": kind, "hash": "h", "private_metadata": "m", "state": {"values": {}}}
    body = {**CLICK, "view": view, "container": {"type": "view", "view_id": "V1"}}
    del body["message"], body["channel"]
    pressed = parse_pressed(body)
    assert (pressed.place, pressed.view, pressed.view_hash) == (place, "V1", "h")
    assert (pressed.channel, pressed.ts, pressed.metadata) == (None, None, "m")


def test_what_is_chosen_in_a_menu_is_its_value() -> None:
    action = {"action_id": "keyturn.more", "selected_option": {"text": {}, "value": "stop:v1"}}
    assert parse_pressed({**CLICK, "actions": [action]}).value == "stop:v1"


@pytest.mark.parametrize(
    "change",
    [
        {"user": None},
        {"user": {"id": 7}},
        {"user": {"id": "<@U012AB3CD>"}},
        {"actions": []},
        {"actions": [{"value": "v"}]},
        {"actions": "approve"},
        {"container": []},
        {"team": "T012AB3CD"},
        {"trigger_id": None},
    ],
)
def test_a_click_of_another_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_pressed({**CLICK, **change})
    assert "U012AB3CD" not in refused.value.message


def test_a_modal_says_what_was_filled_in_where() -> None:
    values = {
        "note": {"note": {"type": "plain_text_input", "value": " because "}},
        "what": {"what": {"type": "radio_buttons", "selected_option": {"value": "all"}}},
        "channel": {"channel": {"selected_conversation": "C012AB3CD"}},
        "topics": {"topics": {"selected_options": [{"value": "halt"}, {"value": "digest"}]}},
        "empty": {"empty": {"type": "plain_text_input", "value": None}},
    }
    view = {
        "id": "V1",
        "callback_id": "keyturn.reject",
        "private_metadata": "m",
        "state": {"values": values},
    }
    sent = parse_submitted({"user": USER, "team": {"id": "T1"}, "view": view})
    assert dict(sent.answers) == {
        "note": " because ",
        "what": "all",
        "channel": "C012AB3CD",
        "topics": "",
        "empty": "",
    }
    assert sent.chosen["topics"] == ("halt", "digest")
    assert (sent.callback, sent.metadata, sent.user) == ("keyturn.reject", "m", "U012AB3CD")


def test_what_a_button_carries_comes_back_as_it_was() -> None:
    about = parse_about(value_of(CARD))
    assert about.proposal == CARD.proposal
    assert CARD.digest.removeprefix("sha256:").startswith(about.digest_prefix)
    turned = About(proposal=about.proposal, digest_prefix=about.digest_prefix, page=12, part=0)
    assert parse_about(spell(turned)) == turned
    assert parse_more(f"not_mine:{value_of(CARD)}") == (More.NOT_MINE, about)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "v1",
        "v2." + value_of(CARD)[3:],
        value_of(CARD)[:-1],
        value_of(CARD) + "0",
        value_of(CARD) + "\n",
        value_of(CARD) + ".1",
        value_of(CARD) + ".1.-1",
        value_of(CARD) + ".1.9999999",
        value_of(CARD).upper(),
        value_of(CARD).replace("prp_", "agt_"),
        *MORE_HOSTILE[:40],
    ],
)
def test_a_value_of_another_form_is_refused(value: str | None) -> None:
    with pytest.raises(InvalidInput):
        parse_about(value)
    with pytest.raises(InvalidInput):
        parse_more(f"stop:{value}")
    with pytest.raises(InvalidInput):
        parse_agent(value)
    with pytest.raises(InvalidInput):
        parse_halt(value)


def test_a_menu_has_no_other_choices() -> None:
    with pytest.raises(InvalidInput):
        parse_more(f"approve:{value_of(CARD)}")


def test_whose_account_it_is_comes_from_the_ids_alone() -> None:
    body = {**CLICK, "enterprise": {"id": "E012AB3CD", "name": "Example"}}
    clicker = parse_clicker(body)
    assert (clicker.user, clicker.user_team) == ("U012AB3CD", "T012AB3CD")
    assert (clicker.team, clicker.enterprise, clicker.is_shared) == (
        "T012AB3CD",
        "E012AB3CD",
        False,
    )


def test_a_command_and_an_event_name_their_account_elsewhere() -> None:
    typed = {"user_id": "W012AB3CD", "team_id": "T1A", "enterprise_id": "E1A", "command": "/x"}
    event = {"team_id": "T1A", "event": {"type": "app_home_opened", "user": "U9A", "tab": "home"}}
    assert parse_clicker(typed).user == "W012AB3CD"
    assert (parse_clicker(typed).team, parse_clicker(typed).enterprise) == ("T1A", "E1A")
    assert (parse_clicker(event).user, parse_clicker(event).team) == ("U9A", "T1A")
    assert parse_clicker({**event, "is_ext_shared_channel": True}).is_shared
    assert parse_clicker({"event": {"user": {"id": "U9A"}}}).user == "U9A"


@pytest.mark.parametrize("body", [{}, {"user": {}}, {"user_id": 7}, {"event": []}, {"user": "U1A"}])
def test_an_account_without_an_id_is_nobody(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        parse_clicker(body)


def test_the_rest_of_what_slack_sends() -> None:
    home = {"event": {"user": "U1A", "tab": "home", "channel": "D1A", "view": None}}
    assert parse_home_opened(home) == Opened(user="U1A", is_home=True, channel="D1A")
    messages = {"event": {"user": "U1A", "tab": "messages"}}
    assert parse_home_opened(messages) == Opened(user="U1A", is_home=False, channel=None)
    assert parse_trigger({"user": USER, "trigger_id": "1.2"}) == ("U012AB3CD", "1.2")
    assert parse_removed({"team_id": "T1A", "event": {}}) == (None, "T1A")
    changed = {"team_id": "T1A", "event": {"user": {"id": "U1A", "team_id": "T2A"}}}
    assert parse_changed(changed) == ("T2A", "U1A")
    typed = parse_typed({"user_id": "U1A", "text": "help", "channel_id": "C1A", "trigger_id": "t"})
    assert (typed.text, typed.channel, typed.channel_name) == ("help", "C1A", "")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", Help()),
        ("   ", Help()),
        ("help", Help()),
        ("help me", Help()),
        ("pending", Pending()),
        ("PENDING", Pending()),
        ("stop", Stop()),
        ("stop all", Stop(is_everything=True)),
        ("stop ALL", Stop(is_everything=True)),
        ("stop forum-analyst", Stop(name="forum-analyst")),
        ("resume", Resume()),
        ("agents", Agents()),
        ("whoami", WhoAmI()),
        ("channels", Channels()),
        ("link 7kqm-3txw-9hpd", Link(code="7KQM3TXW9HPD")),  # type: ignore[arg-type]
        ("link 7KQM 3TXW 9HPD", Link(code="7KQM3TXW9HPD")),  # type: ignore[arg-type]
    ],
)
def test_what_people_type(text: str, command: commands.Command) -> None:
    assert commands.parse(text, prefix="/keyturn") == command


@pytest.mark.parametrize(
    "text",
    [
        "aprove",
        "pending now",
        "stop all agents",
        "link",
        "link 123",
        "link 7KQM-3TXW-9HPD twice",
        "approve prp_01",
        "x" * 301,
        *MORE_HOSTILE,
    ],
)
def test_what_is_not_understood_is_answered_with_the_help(text: str) -> None:
    assert isinstance(commands.parse(text, prefix="/keyturn"), Help)


@given(text=st.text(max_size=400))
def test_nothing_that_can_be_typed_is_an_error(text: str) -> None:
    problem = commands.parse(text, prefix="/keyturn")
    if isinstance(problem, Help) and text.strip():
        assert text.strip() not in problem.problem or len(text.strip()) < 20
