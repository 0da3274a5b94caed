"""What is pressed and written in Teams that is about no card: stops, accounts, channels, words."""

from typing import Any

import pytest

from adapters.teams.pressable import Key, Verb
from bot.core.halts import HaltScope
from bot.core.identified import Known
from bot.core.notice import Topic
from tests.teams.front_office import (
    CHANNEL,
    TENANT,
    WORDS,
    FrontOffice,
    confirmed,
    text_of,
    words_in,
)
from tests.teams.rendering.reading import card_in, presses
from tests.web.scenes import DANA, FORUM, KEEPER, MIRA, SAM


@pytest.fixture
def front() -> FrontOffice:
    return FrontOffice()


# Stops, the account, the channels


async def test_an_agent_is_stopped_from_the_list(front: FrontOffice) -> None:
    listed = await front.type("stop")
    assert "forum-analyst" in listed
    asked = await front.press(Verb.STOP_AGENT, {Key.AGENT.value: str(FORUM.id)})
    assert "Stop this agent?" in text_of(asked)
    assert front.did == []
    (do,) = asked["value"]["actions"]
    done = await front.press(do["verb"], {**do["data"], "note": "Odd."})
    assert "forum-analyst is stopped" in text_of(done)
    ((_, (_, target, reason, _)),) = front.desk.journal
    assert (target.scope, target.agent, reason) == (HaltScope.AGENT, FORUM.id, "Odd.")


async def test_every_agent_is_stopped_by_an_admin_who_was_asked(front: FrontOffice) -> None:
    asked = await front.press(Verb.STOP, {})
    assert front.did == []
    (do,) = asked["value"]["actions"]
    assert "Every agent is stopped" in text_of(await front.press(do["verb"], do["data"]))
    refused = await front.press(do["verb"], do["data"], by=MIRA)
    assert "It is not yours to stop." in text_of(refused)
    assert len(front.desk.halts) == 1


@pytest.mark.parametrize("agent", ["", "agt_x", str(KEEPER.id)])
async def test_an_agent_that_is_not_ones_own_is_not_stopped(front: FrontOffice, agent: str) -> None:
    answer = await front.press(Verb.STOP_AGENT, confirmed({Key.AGENT.value: agent}), by=MIRA)
    assert front.did == []
    assert "not yours to stop" in text_of(answer) or "outdated" in text_of(answer)


async def test_a_stop_ends_with_a_reason(front: FrontOffice) -> None:
    await front.type("stop all")
    listed = await front.type("resume")
    assert "Every agent is stopped" in listed
    (resume,) = presses(card_in(front.said[-1][1])["body"])
    asked = await front.press(resume["verb"], resume["data"])
    (do,) = asked["value"]["actions"]
    without = await front.press(do["verb"], {**do["data"], "note": " "})
    assert "Say why it is safe to go on." in text_of(without)
    done = await front.press(do["verb"], {**do["data"], "note": "Mended."})
    assert text_of(done).startswith("Recorded\nResumed:")
    assert front.did == ["halt", "resume"]
    again = await front.press(resume["verb"], resume["data"])
    assert "There is no such stop" in text_of(again)


async def test_an_account_is_linked_once_its_person_has_said_that_it_is_theirs(
    front: FrontOffice,
) -> None:
    made = await front.desk.link_code(SAM.id, chat="teams")
    front.desk.journal.clear()
    said = await front.type(f"link {made.code}", by="new")
    assert "Link this account?" in said
    assert "Sam Castillo" in said
    assert front.did == []
    (do,) = card_in(front.said[-1][1])["actions"]
    done = await front.press(do["verb"], do["data"], by="new")
    assert "Cards for Sam Castillo are shown here now." in text_of(done)
    assert front.desk.links[front.identity("new")] == SAM.id
    front.who["new"] = Known(person=SAM, identity=front.identity("new"))
    again = await front.press(do["verb"], do["data"], by="new")
    assert "is linked to Sam Castillo already" in text_of(again)


async def test_a_code_is_not_taken_where_others_read_along(front: FrontOffice) -> None:
    made = await front.desk.link_code(SAM.id, chat="teams")
    front.desk.journal.clear()
    said = await front.type(f"link {made.code}", by="new", at=CHANNEL)
    assert "Sam" not in said
    answer = await front.press(Verb.LINK, {"code": made.code}, by="new", kind="channel")
    assert answer["type"] == WORDS
    assert front.did == []


async def test_a_wrong_code_is_refused(front: FrontOffice) -> None:
    assert "This code is not known." in await front.type("link 7KQM-3TXW-9HPD", by="new")
    answer = await front.press(Verb.LINK, {"code": "7KQM3TXW9HPD"}, by="new")
    assert "This code is not known." in text_of(answer)


async def test_an_admin_chooses_what_a_channel_is_told_by_writing_there(
    front: FrontOffice,
) -> None:
    said = await front.type("channels", at=CHANNEL)
    assert "Platform / Approvals" in said
    card = card_in(front.said[-1][1])
    (save,) = card["actions"]
    answered = {"place_name": "Approvals", "topics": "halt,digest,nonsense", "agents": "*\n a* "}
    done = await front.press(save["verb"], {**save["data"], **answered})
    assert "Notices go to this channel from now on." in text_of(done)
    (route,) = front.desk.routes.values()
    assert (route.chat, route.place) == ("teams", f"{TENANT}/{CHANNEL.id}")
    assert (route.place_name, route.agents) == ("Approvals", ("*", "a*"))
    assert route.topics == {Topic.HALT, Topic.DIGEST}
    assert "Approvals" in await front.type("channels")
    (end,) = presses(card_in(front.said[-1][1])["body"])
    assert "no notices any more" in text_of(await front.press(end["verb"], end["data"]))
    assert front.desk.routes == {}


async def test_an_answer_that_cannot_be_taken_is_asked_for_again(front: FrontOffice) -> None:
    data = {"place": CHANNEL.place, "place_name": "x", "topics": ""}
    answer = await front.press(Verb.CHANNELS, data)
    assert text_of(answer).startswith("Not recorded\nA channel is told of at least one topic.")
    assert "What is it told?" in text_of(answer)


@pytest.mark.parametrize(
    "place",
    ["", CHANNEL.id, f"99999999-2222-4333-8444-555555555555/{CHANNEL.id}", f"{TENANT}/a:1"],
)
async def test_a_channel_of_elsewhere_gets_nothing(front: FrontOffice, place: str) -> None:
    answer = await front.press(Verb.CHANNELS, {"place": place, "topics": "halt"})
    assert answer["type"] == WORDS
    assert front.desk.routes == {}


@pytest.mark.parametrize("by", [MIRA, SAM])
async def test_channels_are_for_admins(front: FrontOffice, by: Any) -> None:
    for said in (
        await front.type("channels", by=by),
        await front.type("channels", by=by, at=CHANNEL),
    ):
        assert "Only an admin says where notices go." in said
    data = {"place": CHANNEL.place, "place_name": "x", "topics": "halt"}
    assert "Only an admin" in text_of(await front.press(Verb.CHANNELS, data, by=by))
    assert front.desk.routes == {}


# Words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pending", "Waiting for you"),
        ("PENDING", "Waiting for you"),
        ("agents", "inbox-keeper"),
        ("whoami", "Dana Okafor"),
        ("resume", "Nothing is stopped."),
        ("help", "shows what waits for your decision"),
        ("", "shows what waits for your decision"),
        ("stop", "Stop every agent…"),
    ],
)
async def test_a_word_is_answered_and_changes_nothing(
    front: FrontOffice, text: str, said: str
) -> None:
    assert said in await front.type(text)
    assert front.did == []


async def test_an_agent_is_stopped_by_its_name(front: FrontOffice) -> None:
    assert "forum-analyst is stopped" in await front.type("stop forum-analyst")
    assert "There is no such agent" in await front.type("stop somebody")
    assert front.did == ["halt"]


@pytest.mark.parametrize(
    "text",
    [
        "approve",
        "yes",
        "ok",
        "approved",
        "please stop all",
        "don't stop all",
        "stop all now",
        "stop everything now",
        "not pending",
        "link",
        "resume all",
        "approve v1.prp_01q3en6sx80400000000000000.dca125569a44e0b0",
        "<at>Keyturn</at> stop all",
        "stop\u200b all",
        "x" * 4_000,
    ],
)
async def test_what_is_no_exact_word_does_nothing_and_is_answered_with_the_help(
    front: FrontOffice, text: str
) -> None:
    said = await front.type(text)
    assert "What you can write here" in said or "There is no such agent" in said
    assert front.desk.clicks == []
    assert front.desk.halts == {}


@pytest.mark.parametrize("text", ["pending", "stop all", "agents", "whoami", "resume", "help"])
async def test_a_team_gets_no_answer_but_whoever_wrote_does(front: FrontOffice, text: str) -> None:
    said = await front.type(text, at=CHANNEL)
    assert "in your own chat" in said
    assert front.did == []


@pytest.mark.parametrize("text", ["pending", "stop all", "agents", "whoami", "channels", "help"])
async def test_a_stranger_who_writes_is_told_how_to_link(front: FrontOffice, text: str) -> None:
    assert "link CODE" in await front.type(text, by="nobody")
    assert "link CODE" in await front.type(text, by="nobody", at=CHANNEL)
    assert front.did == []


async def test_everything_that_is_said_is_something_that_teams_takes(front: FrontOffice) -> None:
    for text in ("pending", "agents", "stop", "resume", "whoami", "channels", "help", "nonsense"):
        for by in (DANA, MIRA, SAM, "nobody"):
            assert await front.type(text, by=by)
    assert all(words_in(said) for said in front.said)
