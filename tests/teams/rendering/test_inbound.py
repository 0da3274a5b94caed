"""What is read out of a genuine activity, and that nothing else is believed."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.teams.inbound import (
    Channel,
    Installed,
    Invoke,
    Removed,
    Submitted,
    Typed,
    channel_at,
    parse_inbound,
)
from bot.core.errors import InvalidInput

TENANT = "11111111-2222-4333-8444-555555555555"
USER = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
BOT = "28:0a1b2c3d-0000-4000-8000-00000000b07a"
CHANNEL_ID = "19:4a95f7d8db4c4e7fae857bcebe0623e6@thread.tacv2"

ANYTHING: dict[str, Any] = {
    "id": "f:1",
    "channelId": "msteams",
    "serviceUrl": "https://smba.trafficmanager.net/emea/",
    "from": {"id": "29:dana", "name": "Dana <b>", "aadObjectId": USER.upper()},
    "conversation": {"id": "a:1", "conversationType": "personal", "tenantId": TENANT},
    "recipient": {"id": BOT, "name": "Keyturn"},
    "channelData": {"tenant": {"id": TENANT}},
    "locale": "en-US",
}
EXECUTED = {
    **ANYTHING,
    "type": "invoke",
    "name": "adaptiveCard/action",
    "replyToId": "1700000000001",
    "value": {
        "action": {
            "type": "Action.Execute",
            "id": "",
            "verb": "reject",
            "data": {"about": "v1", "note": "No.", "number": 3, "list": ["x"]},
        },
        "trigger": "manual",
    },
}
IN_A_CHANNEL = {
    "conversation": {
        "id": f"{CHANNEL_ID};messageid=17",
        "conversationType": "channel",
        "isGroup": True,
        "tenantId": TENANT,
    },
    "channelData": {
        "tenant": {"id": TENANT},
        "channel": {"id": CHANNEL_ID, "name": "Approvals"},
        "team": {"id": "19:team@thread.tacv2", "name": "Platform"},
    },
}


def message(text: str | None = None, **more: Any) -> dict[str, Any]:
    return {**ANYTHING, "type": "message", "text": text, **more}


def mention(who: str = BOT, text: str = "<at>Keyturn</at>") -> dict[str, Any]:
    return {"type": "mention", "mentioned": {"id": who, "name": "Keyturn"}, "text": text}


def typed(text: str, *, entities: list[dict[str, Any]]) -> Typed:
    found = parse_inbound(message(text, entities=entities, **IN_A_CHANNEL))
    assert isinstance(found, Typed)
    return found


def test_a_click_says_who_where_and_what() -> None:
    found = parse_inbound(EXECUTED)
    assert isinstance(found, Invoke)
    assert (found.who.tenant, found.who.user, found.who.mri) == (TENANT, USER, "29:dana")
    assert (found.conversation, found.who.is_alone, found.who.bot) == ("a:1", True, BOT)
    assert found.who.service_url == "https://smba.trafficmanager.net/emea/"
    assert (found.verb, found.reply_to, found.activity_id) == ("reject", "1700000000001", "f:1")
    assert found.data == {"about": "v1", "note": "No."}
    assert not found.is_automatic


def test_a_card_that_asks_by_itself_is_told_from_one_that_somebody_pressed() -> None:
    asked = deepcopy(EXECUTED)
    asked["value"]["trigger"] = "automatic"
    found = parse_inbound(asked)
    assert isinstance(found, Invoke)
    assert found.is_automatic


def test_an_invoke_of_another_kind_asks_for_nothing_that_is_known() -> None:
    found = parse_inbound({**EXECUTED, "name": "task/fetch", "value": {"anything": 1}})
    assert isinstance(found, Invoke)
    assert (found.verb, found.data) == ("", {})


def test_an_old_client_sends_the_same_click_as_a_message() -> None:
    value = {"verb": "reject", "about": "v1", "note": "No."}
    found = parse_inbound(message(value=value, replyToId="1700000000001"))
    assert isinstance(found, Submitted)
    assert (found.verb, found.reply_to) == ("reject", "1700000000001")
    assert found.data["about"] == "v1"


def test_what_somebody_writes_in_their_own_chat_is_taken_as_it_is() -> None:
    found = parse_inbound(message("  stop all \n"))
    assert isinstance(found, Typed)
    assert (found.text, found.channel) == ("stop all", None)


def test_in_a_channel_the_mention_is_left_out_and_the_channel_known() -> None:
    found = typed("<at>Keyturn</at>&nbsp;channels\n", entities=[{"type": "clientInfo"}, mention()])
    assert found.text == "channels"
    assert found.channel == Channel(
        tenant=TENANT, id=CHANNEL_ID, name="Approvals", team_name="Platform"
    )
    assert not found.who.is_alone


@pytest.mark.parametrize("text", ["<at>Dana</at> stop all", "stop <at>Dana</at> all"])
def test_a_mention_of_somebody_else_is_a_word_that_is_no_command(text: str) -> None:
    named = mention("29:somebody", "<at>Dana</at>")
    assert typed(text, entities=[named]).text == text


def test_only_the_mention_itself_is_left_out() -> None:
    text = "<at>Keyturn</at> <at>Keyturn</at> channels"
    assert typed(text, entities=[mention()]).text == "<at>Keyturn</at> channels"


@pytest.mark.parametrize(
    ("activity", "kind"),
    [
        ({"type": "installationUpdate", "action": "add"}, Installed),
        ({"type": "installationUpdate", "action": "add-upgrade"}, Installed),
        ({"type": "installationUpdate", "action": "remove"}, Removed),
        ({"type": "conversationUpdate", "membersAdded": [{"id": BOT}]}, Installed),
        ({"type": "conversationUpdate", "membersRemoved": [{"id": BOT}]}, Removed),
        ({"type": "conversationUpdate", "membersAdded": [{"id": "29:x"}]}, type(None)),
        ({"type": "conversationUpdate"}, type(None)),
        ({"type": "typing"}, type(None)),
        ({"type": "messageReaction"}, type(None)),
        ({"type": "event"}, type(None)),
    ],
)
def test_coming_and_going_is_known_and_the_rest_is_nothing(
    activity: dict[str, Any], kind: type[object]
) -> None:
    assert isinstance(parse_inbound({**ANYTHING, **activity}), kind)


@pytest.mark.parametrize("kind", ["groupChat", "channel", "", "PERSONAL"])
def test_only_a_personal_chat_is_one_where_nobody_reads_along(kind: str) -> None:
    conversation = {"id": "19:x@thread.v2", "conversationType": kind, "tenantId": TENANT}
    found = parse_inbound(message("help", conversation=conversation))
    assert isinstance(found, Typed)
    assert not found.who.is_alone


def test_a_chat_of_no_kind_is_personal_where_its_id_says_so() -> None:
    found = parse_inbound(message("help", conversation={"id": "a:1", "tenantId": TENANT}))
    assert isinstance(found, Typed)
    assert found.who.is_alone


def without(*path: str) -> dict[str, Any]:
    activity = deepcopy(EXECUTED)
    inner: Any = activity
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return activity


@pytest.mark.parametrize(
    "path",
    [
        ("type",),
        ("from",),
        ("from", "id"),
        ("from", "aadObjectId"),
        ("recipient",),
        ("conversation",),
        ("conversation", "id"),
        ("serviceUrl",),
        ("value",),
        ("value", "action"),
    ],
)
def test_what_names_no_account_or_no_place_is_refused(path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        parse_inbound(without(*path))


@pytest.mark.parametrize(
    "change",
    [
        {"from": {"id": "29:dana", "aadObjectId": "dana"}},
        {"from": "dana"},
        {"conversation": {"id": ["a:1"]}},
        {"conversation": {"id": "a:1", "tenantId": "99999999-2222-4333-8444-555555555555"}},
        {"conversation": {"id": "a:1"}, "channelData": {}},
        {"conversation": {"id": "a:1"}, "channelData": None},
        {"channelData": {"tenant": {"id": "x"}}},
        {"value": {"action": "approve"}},
        {"value": {"action": {"verb": 1}}},
        {"value": {"action": {"verb": "approve", "data": "v1"}}},
        {"type": 1},
    ],
)
def test_what_has_another_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        parse_inbound({**EXECUTED, **change})


def test_one_organisation_named_once_is_enough() -> None:
    only_there = {**EXECUTED, "conversation": {"id": "a:1"}}
    only_here = {**EXECUTED, "channelData": None}
    for activity in (only_there, only_here):
        found = parse_inbound(activity)
        assert isinstance(found, Invoke)
        assert found.who.tenant == TENANT


def test_a_place_says_which_channel_it_is() -> None:
    channel = Channel(tenant=TENANT, id=CHANNEL_ID)
    assert channel_at(channel.place) == channel


@pytest.mark.parametrize(
    "place",
    ["", "/", CHANNEL_ID, f"{TENANT}/", f"{TENANT}/a:1", f"x/{CHANNEL_ID}", f"{TENANT}/19:x@y/z"],
)
def test_what_is_no_channel_of_a_team_is_none(place: str) -> None:
    assert channel_at(place) is None


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    key=st.sampled_from([*EXECUTED, "text", "entities", "membersAdded", "action"]),
    value=JSON,
    kind=st.sampled_from(["invoke", "message", "conversationUpdate", "installationUpdate"]),
)
def test_whatever_stands_in_a_field_it_is_understood_or_refused(
    key: str, value: Any, kind: str
) -> None:
    try:
        parse_inbound({**EXECUTED, "type": kind, key: value})
    except InvalidInput:
        return
