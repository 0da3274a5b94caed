"""What is written in Teams, who is told to see it, and how it is taken back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from adapters.teams.connector import TeamsConnector
from adapters.teams.connector.message import text_of
from adapters.teams.testing.channels import FakeChannels, Team, open_channels
from adapters.teams.testing.faults import Trouble
from adapters.teams.testing.limits import check_activity, elements_of
from adapters.teams.testing.world import Activity, Chat
from bot.core.errors import InvalidInput, UpstreamFailed
from bot.core.proposal import Action
from bot.core.verbs import Facts, Reach
from bot.ports.connector import Executed, Failed, InDoubt, Succeeded, Unknown
from tests.connectors.teams.sections import TEAM, action, connect, section

ELSEWHERE = "0a1b2c3d-0000-4000-8000-00000000e15e"
LOUD = "<at>Everybody</at> **stop** [here](https://evil.example) {{DATE(2026-01-01)}} <b>x</b>"
WRITES = {"post": "create", "reply": "send", "edit": "update", "delete": "delete"}


@dataclass(frozen=True)
class Desk:
    fake: FakeChannels
    team: Team
    channel: Chat
    connector: TeamsConnector

    @property
    def place(self) -> str:
        return f"{self.team.id}/{self.channel.id}"

    @property
    def messages(self) -> list[Activity]:
        return [one for one in self.fake.world.activities if not one.is_deleted]

    def sent(self) -> int:
        return sum(len(self.fake.desk.called(one)) for one in WRITES.values())

    async def done(self, wanted: Action, *, key: str = "k1") -> Executed:
        deadline = datetime.now(UTC) + timedelta(seconds=10)
        return await self.connector.execute(wanted, key=key, etag=None, deadline=deadline)

    async def posted(self, text: str) -> str:
        outcome = await self.done(action("post", self.place, text=text))
        assert isinstance(outcome, Succeeded)
        assert outcome.reference is not None
        return f"{self.place}/{outcome.reference}"

    async def told(self, wanted: Action) -> tuple[Facts, str]:
        """Return the facts and everything that the card says of *wanted*."""
        facts = await self.connector.inspect(wanted)
        preview = self.connector.preview(wanted, facts)
        return facts, f"{preview.effect}\n{preview.target}\n{preview.reversible}"


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with open_channels() as fake:
        team = fake.channels.add_team("Support", fake.add_people(3))
        channel = fake.channels.add_channel(team, "help")
        made = section(service_url=fake.service_url, login_url=fake.issuer.login_url)
        connector = connect(made)
        yield Desk(fake, team, channel, connector)
        await connector.close()


async def test_a_message_says_what_the_agent_wrote_and_nothing_in_it_means_anything(
    desk: Desk,
) -> None:
    await desk.posted(f"{LOUD}\n\n    last  line")
    (message,) = desk.messages
    assert text_of(message.content) == f"{LOUD}\n\n    last  line"
    check_activity(message.content)
    assert "text" not in message.content
    kinds = {one["type"] for one in elements_of(message.card)}
    assert kinds == {"AdaptiveCard", "RichTextBlock", "TextRun"}
    assert "stop" not in message.content["summary"]


GUEST, FOREIGN = {"role": "guest"}, {"tenant": ELSEWHERE}


@pytest.mark.parametrize(
    ("kind", "guests", "reach", "says"),
    [
        ("standard", {}, Reach.ORGANISATION, ("members of the team Support, and whoever joins it",
         "help of the team Support, a channel that the whole team sees with 3 members")),
        ("private", {}, Reach.ORGANISATION, ("members of help, a private channel of the team",
         "a private channel with 2 members")),
        ("shared", {}, Reach.OUTSIDE, ("also outside the team", "shared channel with 2 members")),
        ("private", GUEST, Reach.OUTSIDE, ("one of them from outside", "3 members")),
        ("private", FOREIGN, Reach.OUTSIDE, ("one of them from outside", "3 members")),
        ("secret", {}, Reach.UNKNOWN, ("not known", "help of the team Support with 2 members")),
    ],
)  # fmt: skip
async def test_the_card_names_team_and_channel_and_who_will_see_it(
    desk: Desk, kind: str, guests: dict[str, Any], reach: Reach, says: tuple[str, str]
) -> None:
    members = desk.fake.add_people(2) + (desk.fake.add_people(1, **guests) if guests else [])
    channel = desk.fake.channels.add_channel(desk.team, "help", kind=kind, members=members)
    facts, said = await desk.told(action("post", f"{desk.team.id}/{channel.id}", text="x"))
    assert facts.audience.reach is reach
    assert says[0] in facts.audience.who
    assert says[1] in said


async def test_the_first_channel_of_a_team_is_called_what_people_call_it(desk: Desk) -> None:
    _, said = await desk.told(action("post", f"{desk.team.id}/{desk.team.id}", text="x"))
    assert "General of the team Support" in said


async def test_one_reader_more_than_the_card_said_is_wider(desk: Desk) -> None:
    wanted = action("post", desk.place, text="x")
    shown = (await desk.connector.inspect(wanted)).audience
    assert shown.readers == 3
    assert not (await desk.connector.inspect(wanted)).audience.is_wider_than(shown)
    desk.team.members.add(desk.fake.add_people(1)[0].user)
    assert (await desk.connector.inspect(wanted)).audience.is_wider_than(shown)


async def test_a_guest_who_came_meanwhile_is_wider_even_for_one_who_left(desk: Desk) -> None:
    wanted = action("post", desk.place, text="x")
    shown = (await desk.connector.inspect(wanted)).audience
    desk.team.members.pop()
    desk.team.members.add(desk.fake.add_people(1, role="guest")[0].user)
    assert (await desk.connector.inspect(wanted)).audience.is_wider_than(shown)


async def test_undoing_a_post_deletes_exactly_it(desk: Desk) -> None:
    stays = await desk.posted("stays")
    wanted = action("post", desk.place, text="goes")
    outcome = await desk.done(wanted)
    assert isinstance(outcome, Succeeded)
    undo = desk.connector.undo(wanted, reference=outcome.reference)
    assert undo is not None
    _, said = await desk.told(undo)
    assert "it reads: “goes”" in said
    assert isinstance(await desk.done(undo), Succeeded)
    assert [one.id for one in desk.messages] == [stays.rpartition("/")[2]]


async def test_a_reply_goes_below_its_post_and_can_be_undone(desk: Desk) -> None:
    post = await desk.posted("How do I get in?")
    wanted = action("reply", post, text="By the door.")
    outcome = await desk.done(wanted)
    assert isinstance(outcome, Succeeded)
    (call,) = desk.fake.desk.called("send")
    thread = f"{desk.channel.id};messageid={post.rpartition('/')[2]}"
    assert unquote(call.path).endswith(f"/v3/conversations/{thread}/activities")
    undo = desk.connector.undo(wanted, reference=outcome.reference)
    assert undo is not None
    assert undo.resource == f"teams:{post}/{outcome.reference}"
    assert isinstance(await desk.done(undo), Succeeded)
    assert len(desk.messages) == 1


async def test_an_edit_says_that_the_old_text_is_a_claim_and_its_undo_writes_it_back(
    desk: Desk,
) -> None:
    message = await desk.posted("old")
    wanted = action("edit", message, text="new", replaces="old")
    facts, said = await desk.told(wanted)
    assert "the proposal says that it reads: “old”" in said
    assert "Whether that is true it cannot see" in said
    assert facts.etag is None
    assert isinstance(await desk.done(wanted), Succeeded)
    assert text_of(desk.messages[0].content) == "new"
    undo = desk.connector.undo(wanted, reference="whatever")
    assert undo is not None
    assert isinstance(await desk.done(undo), Succeeded)
    assert text_of(desk.messages[0].content) == "old"


async def test_an_edit_that_does_not_say_what_it_replaces_cannot_be_undone(desk: Desk) -> None:
    wanted = action("edit", await desk.posted("old"), text="new")
    assert desk.connector.undo(wanted, reference="15") is None
    _, said = await desk.told(wanted)
    assert "cannot undo" in said


async def test_editing_and_deleting_twice_is_as_once(desk: Desk) -> None:
    message = await desk.posted("old")
    for _ in range(2):
        assert isinstance(await desk.done(action("edit", message, text="new")), Succeeded)
    assert text_of(desk.messages[0].content) == "new"
    for _ in range(2):
        assert isinstance(await desk.done(action("delete", message)), Succeeded)
    assert desk.messages == []


async def test_editing_what_is_gone_is_stale(desk: Desk) -> None:
    outcome = await desk.done(action("edit", f"{desk.place}/15", text="new"))
    assert isinstance(outcome, Failed)
    assert outcome.reason == "stale"


@pytest.mark.parametrize(
    "trouble", [Trouble.DROPPED_AFTER, Trouble.FAILED_AFTER, Trouble.TIMED_OUT]
)
@pytest.mark.parametrize("deed", ["post", "reply", "edit", "delete"])
async def test_a_lost_answer_is_in_doubt_and_nothing_is_sent_twice(
    desk: Desk, trouble: Trouble, deed: str
) -> None:
    place = desk.place if deed == "post" else await desk.posted("first")
    wanted = action(deed, place, **({} if deed == "delete" else {"text": "second"}))
    before = desk.sent()
    desk.fake.faults.plant(WRITES[deed], trouble)
    outcome = await desk.done(wanted)
    assert isinstance(outcome, InDoubt)
    assert "look" in outcome.detail
    assert desk.sent() == before + 1
    assert isinstance(await desk.connector.lookup(wanted, key="k1"), Unknown)
    said = [text_of(one.content) for one in desk.messages]
    assert said.count("second") == (deed != "delete")


async def test_a_hanging_teams_is_in_doubt_before_the_deadline(desk: Desk) -> None:
    await desk.connector.inspect(action("post", desk.place, text="x"))
    desk.fake.faults.plant("create", Trouble.HANGS_AFTER)
    deadline = datetime.now(UTC) + timedelta(seconds=1)
    outcome = await desk.connector.execute(
        action("post", desk.place, text="x"), key="k1", etag=None, deadline=deadline
    )
    assert isinstance(outcome, InDoubt)
    assert outcome.reason == "timeout"
    assert datetime.now(UTC) < deadline


@pytest.mark.parametrize(
    ("status", "code", "message", "reason"),
    [
        (403, "BotNotInConversationRoster", "", "not_in_team"),
        (403, "Forbidden", '{"errorCode": "MessageWritesBlocked"}', "forbidden"),
        (403, "ServiceError", '{"subCode": "BotDisabledByAdmin", "code": "x"}', "forbidden"),
        (404, "ConversationNotFound", "", "not_found"),
        (413, "MessageSizeTooBig", "", "content_refused"),
        (400, "BadSyntax", "", "content_refused"),
        (412, "PreconditionFailed", "", "rate_limited"),
        (429, "Throttled", "", "rate_limited"),
        (401, "Unauthorized", "", "credential_refused"),
        (403, "A code of tomorrow \u202e", "", "forbidden"),
    ],
)
async def test_what_teams_refuses_is_failed(
    desk: Desk, status: int, code: str, message: str, reason: str
) -> None:
    desk.fake.faults.refuse("create", status, code, message=message)
    outcome = await desk.done(action("post", desk.place, text="x"))
    assert isinstance(outcome, Failed)
    assert outcome.reason == reason
    assert "Nothing was written." in outcome.detail
    assert "\u202e" not in outcome.detail
    assert desk.messages == []


async def test_a_token_that_is_not_taken_is_asked_for_anew_next_time(desk: Desk) -> None:
    await desk.posted("first")
    desk.fake.issuer.tokens.clear()
    assert isinstance(await desk.done(action("post", desk.place, text="x")), Failed)
    assert isinstance(await desk.done(action("post", desk.place, text="x")), Succeeded)
    assert desk.fake.issuer.asked["token"] == 2


async def test_without_a_token_nothing_is_sent(desk: Desk) -> None:
    desk.fake.issuer.entra_refuses = {"error": "invalid_client", "error_codes": [7000222]}
    outcome = await desk.done(action("post", desk.place, text="x"))
    assert isinstance(outcome, Failed)
    assert outcome.reason == "credential_refused"
    assert "AADSTS7000222" in outcome.detail
    with pytest.raises(UpstreamFailed, match="AADSTS7000222"):
        await desk.connector.inspect(action("post", desk.place, text="x"))
    desk.fake.issuer.entra_is_down = True
    assert isinstance(await desk.done(action("post", desk.place, text="x")), Failed)
    assert desk.fake.desk.calls == []


@pytest.mark.parametrize(
    "resource",
    [
        "{team}",
        "{team}/General",
        "{team}/{channel}/15",
        "{team}/{channel}/",
        "{team}/{channel}\n",
        "{team}/{channel};messageid=15",
        "{team}/a:1x",
        "{team}/../{channel}",
        f"{TEAM}/{{channel}}",
        "{team}/19:ffff0000@thread.tacv2",
    ],
)
async def test_a_resource_that_is_no_channel_here_is_refused(desk: Desk, resource: str) -> None:
    written = resource.format(team=desk.team.id, channel=desk.channel.id)
    with pytest.raises(InvalidInput):
        await desk.connector.inspect(action("post", written, text="x"))
    assert desk.sent() == 0


async def test_a_channel_of_another_team_is_refused(desk: Desk) -> None:
    other = desk.fake.channels.add_team("Finance")
    with pytest.raises(InvalidInput):
        await desk.connector.inspect(action("post", f"{other.id}/{desk.channel.id}", text="x"))


async def test_a_team_that_the_app_is_not_in_is_refused(desk: Desk) -> None:
    desk.team.has_bot = False
    with pytest.raises(InvalidInput) as raised:
        await desk.connector.inspect(action("post", desk.place, text="x"))
    assert "owner of the team adds the app" in raised.value.remedy


@pytest.mark.parametrize("operation", ["team", "channels", "members"])
async def test_what_cannot_be_observed_is_not_shown(desk: Desk, operation: str) -> None:
    desk.fake.faults.plant(operation, Trouble.FAILED_BEFORE)
    with pytest.raises(UpstreamFailed):
        await desk.connector.inspect(action("post", desk.place, text="x"))


@pytest.mark.parametrize("text", ["", " \n", "x" * 4_001, "a\x00b", "a\rb", "a\n" * 100])
async def test_a_text_that_teams_would_not_show_as_it_is_refused(desk: Desk, text: str) -> None:
    with pytest.raises(InvalidInput):
        await desk.connector.inspect(action("post", desk.place, text=text))


@pytest.mark.parametrize("text", ["{" * 4_000, '"\\' * 1_900 + "\n" * 99 + "x"])
async def test_a_text_that_takes_more_room_than_teams_has_is_refused(desk: Desk, text: str) -> None:
    with pytest.raises(InvalidInput, match="no room"):
        await desk.connector.inspect(action("post", desk.place, text=text))


@pytest.mark.parametrize("text", ["<" * 4_000, "界" * 4_000, "\n".join(["x" * 30] * 100)])
async def test_the_longest_text_is_posted_whole(desk: Desk, text: str) -> None:
    await desk.posted(text)
    assert text_of(desk.messages[0].content) == text
