"""What is written in a Slack, who is told to see it, and how it is taken back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.slack.connector import SlackConnector
from adapters.slack.connector.message import text_of
from adapters.slack.testing import BOT_SCOPES, Channel, FakeSlack, Message, Trouble, open_fake_slack
from bot.core.errors import InvalidInput, UpstreamFailed
from bot.core.proposal import Action
from bot.core.verbs import Reach
from bot.ports.connector import Absent, Executed, Failed, Found, InDoubt, Succeeded, Unknown
from tests.connectors.slack.sections import action, connect, section

SCOPES = BOT_SCOPES | {"channels:read", "channels:history"}
LOUD = "<!channel> *stop* <https://evil.example|here> <@U0ANA> &amp; @here"


@dataclass(frozen=True)
class Desk:
    slack: FakeSlack
    channel: Channel
    connector: SlackConnector

    @property
    def place(self) -> str:
        return f"{self.slack.team.id}/{self.channel.id}"

    @property
    def messages(self) -> list[Message]:
        return [one for one in self.slack.world.messages if one.channel == self.channel.id]

    async def done(self, wanted: Action, *, etag: str | None = None, key: str = "k1") -> Executed:
        deadline = datetime.now(UTC) + timedelta(seconds=10)
        return await self.connector.execute(wanted, key=key, etag=etag, deadline=deadline)

    async def posted(self, text: str, *, key: str = "k1") -> str:
        outcome = await self.done(action("post", self.place, text=text), key=key)
        assert isinstance(outcome, Succeeded)
        assert outcome.reference is not None
        return f"{self.place}/{outcome.reference}"


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with open_fake_slack() as slack:
        slack.token.scopes = SCOPES
        channel = slack.add_channel("help")
        made = section(team=slack.team.id, api_url=slack.api_url, mentions=True)
        connector = connect(made, token=slack.bot_token)
        yield Desk(slack, channel, connector)
        await connector.close()


async def test_a_message_says_what_the_agent_wrote_and_notifies_nobody(desk: Desk) -> None:
    await desk.posted(LOUD)
    (message,) = desk.messages
    assert text_of({"blocks": message.blocks}) == LOUD
    assert "<" not in message.text
    (call,) = desk.slack.called("chat.postMessage")
    assert call.args["parse"] == "none"
    assert [call.args[name] for name in ("link_names", "unfurl_links", "unfurl_media")] == [
        False
    ] * 3
    assert [block["type"] for block in message.blocks] == ["rich_text"]


async def test_people_are_notified_only_through_the_param_for_it(desk: Desk) -> None:
    wanted = action("post", desk.place, text="Look", mention=["here", "U0ANA", "S0ONCALL"])
    assert isinstance(await desk.done(wanted), Succeeded)
    first = desk.messages[0].blocks[0]
    assert first["text"]["text"] == "<!here> <@U0ANA> <!subteam^S0ONCALL>"
    facts = await desk.connector.inspect(wanted)
    effect = desk.connector.preview(wanted, facts).effect
    assert "everybody there (@here)" in effect
    assert "2 accounts or groups" in effect


async def test_without_the_setting_there_is_no_param_to_notify_with(desk: Desk) -> None:
    quiet = connect(section(team=desk.slack.team.id, api_url=desk.slack.api_url))
    with pytest.raises(InvalidInput) as raised:
        await quiet.inspect(action("post", desk.place, text="x", mention=["here"]))
    assert raised.value.code == "invalid_input"
    assert "mention" not in str(quiet.verbs["slack.post"].params_schema)


@pytest.mark.parametrize(
    ("flags", "reach", "words", "readers"),
    [
        ({}, Reach.ORGANISATION, "Everybody in the Slack workspace Keyturn Test", None),
        ({"is_private": True}, Reach.ORGANISATION, "The members of #help, a private channel", 3),
        ({"is_ext_shared": True}, Reach.OUTSIDE, "people outside Keyturn Test see it", 3),
    ],
)
async def test_the_card_says_who_will_see_it(
    desk: Desk, flags: dict[str, Any], reach: Reach, words: str, readers: int | None
) -> None:
    for name, value in flags.items():
        setattr(desk.channel, name, value)
    desk.channel.members |= {"U0A", "U0B"}
    wanted = action("post", desk.place, text="x")
    facts = await desk.connector.inspect(wanted)
    assert (facts.audience.reach, facts.audience.readers) == (reach, readers)
    assert words in facts.audience.who
    preview = desk.connector.preview(wanted, facts)
    assert "#help" in preview.effect
    assert "with 3 members" in preview.effect
    assert "#help in Keyturn Test" in preview.target


async def test_a_channel_that_became_public_meanwhile_is_wider(desk: Desk) -> None:
    wanted = action("post", desk.place, text="x")
    desk.channel.is_private = True
    shown = (await desk.connector.inspect(wanted)).audience
    desk.channel.is_private = False
    assert (await desk.connector.inspect(wanted)).audience.is_wider_than(shown)


async def test_undoing_a_post_deletes_exactly_it(desk: Desk) -> None:
    other = await desk.posted("stays", key="k0")
    wanted = action("post", desk.place, text="goes")
    outcome = await desk.done(wanted)
    assert isinstance(outcome, Succeeded)
    undo = desk.connector.undo(wanted, reference=outcome.reference)
    assert undo is not None
    facts = await desk.connector.inspect(undo)
    assert "goes" in desk.connector.preview(undo, facts).target
    assert isinstance(await desk.done(undo, etag=facts.etag), Succeeded)
    assert [message.ts for message in desk.messages] == [other.rpartition("/")[2]]


async def test_a_reply_goes_into_its_thread_and_can_be_undone(desk: Desk) -> None:
    parent = await desk.posted("How do I get in?", key="k0")
    wanted = action("reply", parent, text="By the door.")
    facts = await desk.connector.inspect(wanted)
    assert "How do I get in?" in desk.connector.preview(wanted, facts).target
    outcome = await desk.done(wanted)
    assert isinstance(outcome, Succeeded)
    assert desk.messages[1].thread_ts == parent.rpartition("/")[2]
    undo = desk.connector.undo(wanted, reference=outcome.reference)
    assert undo is not None
    assert isinstance(await desk.done(undo), Succeeded)
    assert len(desk.messages) == 1


async def test_an_update_shows_the_old_text_and_its_undo_puts_it_back(desk: Desk) -> None:
    message = await desk.posted("old & <b>")
    wanted = action("update", message, text="new", replaces="old & <b>")
    facts = await desk.connector.inspect(wanted)
    assert desk.connector.preview(wanted, facts).before == {"text": "old & <b>"}
    assert isinstance(await desk.done(wanted, etag=facts.etag, key="k2"), Succeeded)
    assert text_of({"blocks": desk.messages[0].blocks}) == "new"
    undo = desk.connector.undo(wanted, reference="whatever")
    assert undo is not None
    assert isinstance(await desk.done(undo, key="k3"), Succeeded)
    assert text_of({"blocks": desk.messages[0].blocks}) == "old & <b>"


async def test_an_update_that_does_not_say_what_it_replaces_cannot_be_undone(desk: Desk) -> None:
    message = await desk.posted("old")
    wanted = action("update", message, text="new")
    assert desk.connector.undo(wanted, reference="1.5") is None
    facts = await desk.connector.inspect(wanted)
    assert "cannot undo" in desk.connector.preview(wanted, facts).reversible


async def test_an_update_of_something_else_than_the_agent_read_is_refused(desk: Desk) -> None:
    message = await desk.posted("not what it read")
    with pytest.raises(InvalidInput):
        await desk.connector.inspect(action("update", message, text="new", replaces="old"))


@pytest.mark.parametrize("deed", ["update", "delete"])
async def test_a_message_that_changed_after_the_card_is_left_alone(desk: Desk, deed: str) -> None:
    message = await desk.posted("as shown")
    params = {"text": "new"} if deed == "update" else {}
    wanted = action(deed, message, **params)
    facts = await desk.connector.inspect(wanted)
    await desk.done(action("update", message, text="changed since"), key="k2")
    outcome = await desk.done(wanted, etag=facts.etag, key="k3")
    assert isinstance(outcome, Failed)
    assert outcome.reason == "stale"
    assert text_of({"blocks": desk.messages[0].blocks}) == "changed since"


async def test_only_the_apps_own_messages_can_be_changed(desk: Desk) -> None:
    message = await desk.posted("by the app")
    desk.messages[0].user = "U0ANA"
    for deed, params in (("update", {"text": "new"}), ("delete", {})):
        with pytest.raises(InvalidInput):
            await desk.connector.inspect(action(deed, message, **params))


@pytest.mark.parametrize("trouble", [Trouble.DROPPED_AFTER, Trouble.FAILED_AFTER])
@pytest.mark.parametrize("deed", ["post", "reply", "update", "delete"])
async def test_a_lost_answer_is_in_doubt_and_settled_by_looking(
    desk: Desk, trouble: Trouble, deed: str
) -> None:
    place = desk.place if deed == "post" else await desk.posted("first", key="k0")
    wanted = action(deed, place, **({} if deed == "delete" else {"text": "second"}))
    assert isinstance(await desk.connector.lookup(wanted, key="k1"), Absent)
    desk.slack.faults.plant("chat.*", trouble)
    before = len(desk.slack.calls)
    assert isinstance(await desk.done(wanted), InDoubt)
    assert len(desk.slack.calls) == before + 1
    found = await desk.connector.lookup(wanted, key="k1")
    assert isinstance(found, Found)
    if deed in {"post", "reply"}:
        undo = desk.connector.undo(wanted, reference=found.reference)
        assert undo is not None
        assert isinstance(await desk.done(undo), Succeeded)


async def test_what_was_lost_before_it_was_done_is_absent(desk: Desk) -> None:
    wanted = action("post", desk.place, text="x")
    desk.slack.faults.plant("chat.postMessage", Trouble.DROPPED_BEFORE)
    assert isinstance(await desk.done(wanted), InDoubt)
    assert isinstance(await desk.connector.lookup(wanted, key="k1"), Absent)


async def test_without_the_permission_to_read_a_person_settles_it(desk: Desk) -> None:
    desk.slack.token.scopes = SCOPES - {"channels:history"}
    found = await desk.connector.lookup(action("post", desk.place, text="x"), key="k1")
    assert isinstance(found, Unknown)
    assert "channels:history" in found.detail


async def test_without_the_permission_to_read_a_post_can_still_be_undone(desk: Desk) -> None:
    message = await desk.posted("x")
    desk.slack.token.scopes = SCOPES - {"channels:history"}
    wanted = action("delete", message)
    facts = await desk.connector.inspect(wanted)
    assert "may not read it" in desk.connector.preview(wanted, facts).target
    assert isinstance(await desk.done(wanted, etag=facts.etag), Succeeded)
    with pytest.raises(UpstreamFailed, match="channels:history"):
        await desk.connector.inspect(action("update", message, text="y"))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("not_in_channel", "not_in_channel"),
        ("token_revoked", "credential_refused"),
        ("msg_too_long", "content_refused"),
        ("ratelimited", "rate_limited"),
        ("missing_scope", "missing_scope"),
    ],
)
async def test_what_slack_refuses_is_failed(desk: Desk, code: str, reason: str) -> None:
    desk.slack.faults.refuse("chat.postMessage", code)
    outcome = await desk.done(action("post", desk.place, text="x"))
    assert isinstance(outcome, Failed)
    assert outcome.reason == reason


@pytest.mark.parametrize("code", ["fatal_error", "internal_error", "a_code_of_tomorrow"])
async def test_an_error_that_proves_nothing_is_in_doubt(desk: Desk, code: str) -> None:
    desk.slack.faults.refuse("chat.postMessage", code)
    assert isinstance(await desk.done(action("post", desk.place, text="x")), InDoubt)


async def test_429_is_failed_and_not_tried_again(desk: Desk) -> None:
    desk.slack.faults.plant("chat.postMessage", Trouble.RATE_LIMITED)
    outcome = await desk.done(action("post", desk.place, text="x"))
    assert isinstance(outcome, Failed)
    assert outcome.reason == "rate_limited"
    assert desk.messages == []


async def test_a_token_of_another_workspace_writes_nothing(desk: Desk) -> None:
    desk.slack.token.team = desk.slack.add_team("Elsewhere").id
    with pytest.raises(UpstreamFailed, match="belongs to the workspace"):
        await desk.connector.inspect(action("post", desk.place, text="x"))


@pytest.mark.parametrize(
    "resource",
    [
        "help",
        "T0OTHER/C0HELP",
        "{team}/#help",
        "{team}/U0ANA",
        "{team}/{channel}/1.5",
        "{team}/{channel}/",
        "{team}/{channel}\n",
    ],
)
async def test_a_resource_that_is_no_channel_here_is_refused(desk: Desk, resource: str) -> None:
    written = resource.format(team=desk.slack.team.id, channel=desk.channel.id)
    with pytest.raises(InvalidInput):
        await desk.connector.inspect(action("post", written, text="x"))


@pytest.mark.parametrize("flags", [{"is_archived": True}, {"members": set()}])
async def test_a_channel_where_the_app_cannot_write_is_refused(
    desk: Desk, flags: dict[str, Any]
) -> None:
    for name, value in flags.items():
        setattr(desk.channel, name, value)
    with pytest.raises(InvalidInput):
        await desk.connector.inspect(action("post", desk.place, text="x"))


@pytest.mark.parametrize("text", ["", " \n", "x" * 3_001, "a\x00b", "a\rb"])
async def test_a_text_that_slack_would_not_show_as_it_is_refused(desk: Desk, text: str) -> None:
    with pytest.raises(InvalidInput):
        await desk.connector.inspect(action("post", desk.place, text=text))


async def test_the_longest_text_is_posted_whole(desk: Desk) -> None:
    await desk.posted("<" * 3_000)
    assert text_of({"blocks": desk.messages[0].blocks}) == "<" * 3_000
