"""The fake is as strict as Slack, and stricter: what is wrong is refused by the right name."""

import copy
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.testing import (
    FakeSlack,
    Mode,
    Refusal,
    Trouble,
    check_message,
    check_view,
    open_fake_slack,
)

Json = dict[str, Any]


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with open_fake_slack(Mode.HTTP) as slack:
        yield slack


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    return client_of(slack, slack.bot_token)


def client_of(slack: FakeSlack, token: str) -> AsyncWebClient:
    return AsyncWebClient(token=token, base_url=slack.api_url, retry_handlers=[])


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as told:
        await call
    return str(told.value.response["error"])


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text, "emoji": False}


def button(action: str = "a", **more: Any) -> Json:
    return {"type": "button", "action_id": action, "text": plain("Press"), **more}


def good_message() -> Json:
    return {
        "text": "Words",
        "blocks": [
            {"type": "header", "text": plain("Head"), "block_id": "one"},
            {"type": "section", "text": plain("Text"), "fields": [plain("a"), plain("b")]},
            {
                "type": "rich_text",
                "elements": [
                    {
                        "type": "rich_text_preformatted",
                        "elements": [{"type": "text", "text": "exactly"}],
                    }
                ],
            },
            {"type": "actions", "elements": [button("a", style="primary"), button("b")]},
            {"type": "context", "elements": [plain("small")]},
            {"type": "divider"},
        ],
    }


def at(*way: str | int, to: Any) -> Callable[[Json], None]:
    def bend(value: Any) -> None:
        for step in way[:-1]:
            value = value[step]
        value[way[-1]] = to

    return bend


def adding(block: Json, times: int = 1) -> Callable[[Json], None]:
    return lambda message: message["blocks"].extend(copy.deepcopy(block) for _ in range(times))


BAD_MESSAGES: dict[str, tuple[Callable[[Json], None], str]] = {
    "no text": (at("text", to=""), "no_text"),
    "a long text": (at("text", to="x" * 4001), "msg_too_long"),
    "51 blocks": (adding({"type": "divider"}, 45), "invalid_blocks"),
    "a header in mrkdwn": (at("blocks", 0, "text", "type", to="mrkdwn"), "invalid_blocks"),
    "a header of 151": (at("blocks", 0, "text", "text", to="x" * 151), "invalid_blocks"),
    "an empty text": (at("blocks", 1, "text", "text", to=""), "invalid_blocks"),
    "a section of 3001": (at("blocks", 1, "text", "text", to="x" * 3001), "invalid_blocks"),
    "a field of 2001": (at("blocks", 1, "fields", 0, "text", to="x" * 2001), "invalid_blocks"),
    "eleven fields": (at("blocks", 1, "fields", to=[plain("x")] * 11), "invalid_blocks"),
    "a block id twice": (at("blocks", 1, "block_id", to="one"), "invalid_blocks"),
    "an action id twice": (at("blocks", 3, "elements", 1, "action_id", to="a"), "invalid_blocks"),
    "two primary buttons": (
        at("blocks", 3, "elements", 1, "style", to="primary"),
        "invalid_blocks",
    ),
    "no action id": (at("blocks", 3, "elements", 0, "action_id", to=""), "invalid_blocks"),
    "a button of 76": (
        at("blocks", 3, "elements", 0, "text", "text", to="x" * 76),
        "invalid_blocks",
    ),
    "a value of 2001": (at("blocks", 3, "elements", 0, "value", to="x" * 2001), "invalid_blocks"),
    "a style of our own": (at("blocks", 3, "elements", 0, "style", to="big"), "invalid_blocks"),
    "a link in rich text": (
        at("blocks", 2, "elements", 0, "elements", 0, "type", to="link"),
        "invalid_blocks",
    ),
    "empty rich text": (
        at("blocks", 2, "elements", 0, "elements", 0, "text", to=""),
        "invalid_blocks",
    ),
    "markdown": (adding({"type": "markdown", "text": "# x"}), "invalid_blocks"),
    "an input": (
        adding({"type": "input", "label": plain("x"), "element": button("x")}),
        "invalid_blocks",
    ),
    "an unknown key": (at("blocks", 5, "text", to=plain("x")), "invalid_blocks"),
    "an overflow of six": (
        adding(
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "overflow",
                        "action_id": "o",
                        "options": [{"text": plain("x"), "value": str(n)} for n in range(6)],
                    }
                ],
            }
        ),
        "invalid_blocks",
    ),
    "an option value of 151": (
        adding(
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "overflow",
                        "action_id": "o",
                        "options": [{"text": plain("x"), "value": "v" * 151}],
                    }
                ],
            }
        ),
        "invalid_blocks",
    ),
    "more text than Slack takes in all": (
        adding({"type": "section", "text": plain("x" * 2900)}, 4),
        "msg_blocks_too_long",
    ),
    "metadata of another form": (at("metadata", to={"event": "x"}), "invalid_metadata_format"),
    "attachments": (at("attachments", to=[{"text": "x"}]), "invalid_blocks"),
}


@pytest.mark.parametrize(("bend", "code"), BAD_MESSAGES.values(), ids=BAD_MESSAGES)
def test_a_message_that_slack_would_refuse_is_refused(
    bend: Callable[[Json], None], code: str
) -> None:
    message = good_message()
    check_message(message)
    bend(message)
    with pytest.raises(Refusal) as told:
        check_message(message)
    assert told.value.code == code


def good_view() -> Json:
    return {
        "type": "modal",
        "callback_id": "c",
        "private_metadata": "m",
        "title": plain("Title"),
        "submit": plain("Send"),
        "blocks": [
            {
                "type": "input",
                "block_id": "note",
                "label": plain("Why"),
                "element": {"type": "plain_text_input", "action_id": "note", "max_length": 3000},
            }
        ],
    }


BAD_VIEWS: dict[str, Callable[[Json], None]] = {
    "no title": lambda view: view.pop("title"),
    "a title of 25": at("title", "text", to="x" * 25),
    "an input without submit": lambda view: view.pop("submit"),
    "no blocks": at("blocks", to=[]),
    "101 blocks": adding({"type": "divider"}, 100),
    "metadata of 3001": at("private_metadata", to="x" * 3001),
    "an input of 3001": at("blocks", 0, "element", "max_length", to=3001),
    "a home with a title": at("type", to="home"),
    "an alert of 201": adding({"type": "alert", "text": plain("x" * 201)}),
}


@pytest.mark.parametrize("bend", BAD_VIEWS.values(), ids=BAD_VIEWS)
def test_a_view_that_slack_would_refuse_is_refused(bend: Callable[[Json], None]) -> None:
    view = good_view()
    check_view(view)
    bend(view)
    with pytest.raises(Refusal) as told:
        check_view(view)
    assert told.value.code == "invalid_blocks"


async def test_a_token_opens_what_it_was_given_for(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    dana = slack.add_account("Dana")
    assert (await client.auth_test())["team_id"] == slack.team.id
    assert await refused(client.conversations_open(users=dana.id)) == "missing_scope"
    assert await refused(client_of(slack, "xoxb-unknown").auth_test()) == "invalid_auth"
    slack.token.is_revoked = True
    assert await refused(client.auth_test()) == "token_revoked"


async def test_an_address_is_told_to_who_has_the_scope_alone(slack: FakeSlack) -> None:
    dana = slack.add_account("Dana")
    narrow = slack.new_token(slack.team, scopes=["users:read"])
    slack.world.tokens[narrow.value] = narrow
    told = await client_of(slack, narrow.value).users_info(user=dana.id)
    assert "email" not in told["user"]["profile"]
    assert (
        await refused(client_of(slack, narrow.value).users_lookupByEmail(email=dana.email))
        == "missing_scope"
    )


async def test_a_trigger_works_once_and_for_three_seconds(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    dana = slack.add_account("Dana")
    trigger = slack.screens.new_trigger(dana.id)
    view = good_view()
    opened = await client.views_open(trigger_id=trigger, view=view)
    assert await refused(client.views_open(trigger_id=trigger, view=view)) == "exchanged_trigger_id"
    assert await refused(client.views_open(trigger_id="1.2", view=view)) == "invalid_trigger_id"
    slack.screens.trigger_s = -1.0
    late = slack.screens.new_trigger(dana.id)
    assert await refused(client.views_open(trigger_id=late, view=view)) == "expired_trigger_id"
    id_, hash_ = opened["view"]["id"], opened["view"]["hash"]
    await client.views_update(view_id=id_, hash=hash_, view=view)
    assert await refused(client.views_update(view_id=id_, hash=hash_, view=view)) == "hash_conflict"


async def test_a_card_is_changed_where_it_is_and_by_who_posted_it(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    dana = slack.add_account("Dana")
    posted = await client.chat_postMessage(channel=dana.id, text="one")
    channel, ts = posted["channel"], posted["ts"]
    assert channel.startswith("D")
    assert (
        await refused(client.chat_update(channel=dana.id, ts=ts, text="two")) == "channel_not_found"
    )
    assert (
        await refused(client.chat_update(channel=channel, ts="1.2", text="two"))
        == "message_not_found"
    )
    other = slack.new_token(slack.team)
    slack.world.tokens[other.value] = other
    assert (
        await refused(client_of(slack, other.value).chat_update(channel=channel, ts=ts, text="x"))
        == "cant_update_message"
    )
    await client.chat_update(channel=channel, ts=ts, text="two")
    assert slack.world.messages[-1].text == "two"


async def test_who_cannot_be_written_to_is_said(slack: FakeSlack, client: AsyncWebClient) -> None:
    gone = slack.add_account("Gone", deleted=True)
    robot = slack.add_account("Robot", is_bot=True)
    abroad = slack.add_account("Abroad", team=slack.add_team("Elsewhere"))
    private = slack.add_channel("secret", has_bot=False, is_private=True)
    public = slack.add_channel("general", has_bot=False)
    expected = {
        gone.id: "user_disabled",
        robot.id: "cannot_dm_bot",
        abroad.id: "channel_not_found",
        private.id: "channel_not_found",
        public.id: "not_in_channel",
        "C0NOWHERE": "channel_not_found",
    }
    for place, code in expected.items():
        assert await refused(client.chat_postMessage(channel=place, text="x")) == code
    slack.world.has_messages_tab = False
    dana = slack.add_account("Dana")
    assert (
        await refused(client.chat_postMessage(channel=dana.id, text="x")) == "messages_tab_disabled"
    )


async def test_a_planted_fault_meets_as_many_calls_as_it_was_planted_for(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    slack.faults.plant("auth.*", Trouble.RATE_LIMITED, times=2, retry_after_s=7)
    for _ in range(2):
        with pytest.raises(SlackApiError) as told:
            await client.auth_test()
        assert told.value.response.status_code == 429
        assert told.value.response.headers["Retry-After"] == "7"
    assert (await client.auth_test())["ok"]


async def test_an_event_is_delivered_again_until_it_is_acknowledged(slack: FakeSlack) -> None:
    slack.http.url = f"{slack.url}/nothing-here"
    delivery = await slack.event({"type": "app_uninstalled"}, again=2)
    assert not delivery.is_acked
    assert len(slack.deliveries) == 3
    assert {one.payload["event_id"] for one in slack.deliveries} == {delivery.payload["event_id"]}


async def test_a_group_is_read_by_its_id_and_on_a_paid_plan(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    group = slack.add_group("security", ["U1", "U2"])
    told = await client.usergroups_users_list(usergroup=group)
    assert told["users"] == ["U1", "U2"]
    assert await refused(client.usergroups_users_list(usergroup="S0NONE")) == "no_such_subteam"
    slack.world.is_on_paid_plan = False
    assert await refused(client.usergroups_users_list(usergroup=group)) == "plan_upgrade_required"
