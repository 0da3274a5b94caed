"""The fake is at least as strict as Teams: what is refused, split or hidden there fails here."""

import copy
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from adapters.teams.testing import FakeTeams, Hand, NotAnAnswer, NothingToPress, open_fake_teams
from adapters.teams.testing.deliveries import check_answer
from adapters.teams.transport import ConnectorRefused, Conversation
from tests.teams.listener import transport_for

Json = dict[str, Any]

CARD: Json = {
    "type": "AdaptiveCard",
    "version": "1.5",
    "body": [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "words"}]}],
    "actions": [
        {
            "type": "Action.ShowCard",
            "title": "Why",
            "card": {
                "type": "AdaptiveCard",
                "body": [{"type": "Input.Text", "id": "note", "isRequired": True, "maxLength": 5}],
                "actions": [{"type": "Action.Execute", "verb": "go", "data": {"about": "x"}}],
            },
        }
    ],
}


@pytest.fixture
async def teams() -> AsyncIterator[FakeTeams]:
    async with open_fake_teams() as teams:
        yield teams


def message(card: Json) -> Json:
    return {
        "type": "message",
        "summary": "Keyturn",
        "attachments": [
            {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        ],
    }


async def refused(teams: FakeTeams, activity: Json) -> tuple[int, str]:
    """Return how sending *activity* is refused."""
    hand = teams.hand(teams.add_account("Dana"))
    with pytest.raises(ConnectorRefused) as told:
        await sent(teams, hand, activity)
    return told.value.status, told.value.code


async def sent(teams: FakeTeams, hand: Hand, activity: Json) -> str:
    transport = transport_for(teams.issuer, service_url=teams.service_url)
    try:
        chat = Conversation(
            tenant=teams.tenant,
            user=hand.account.user,
            conversation=hand.chat.id,
            service_url=teams.service_url,
            bot=teams.bot,
        )
        return await transport.send(chat, activity)
    finally:
        await transport.close()


def changed(change: Callable[[Json], object]) -> Json:
    activity = message(copy.deepcopy(CARD))
    change(activity)
    return activity


def in_card(**changes: Any) -> Json:
    return message(copy.deepcopy(CARD) | changes)


WRONG: dict[str, tuple[Json, tuple[int, str]]] = {
    "text beside the card": (changed(lambda a: a.update(text="x")), (400, "BadSyntax")),
    "two attachments": (
        changed(lambda a: a["attachments"].append(a["attachments"][0])),
        (400, "BadSyntax"),
    ),
    "no summary": (changed(lambda a: a.pop("summary")), (400, "BadSyntax")),
    "nothing at all": ({"type": "message"}, (400, "BadSyntax")),
    "a newer version": (in_card(version="1.6"), (400, "BadSyntax")),
    "no version": (in_card(version=""), (400, "BadSyntax")),
    "a card without waiting buttons": (in_card(version="1.3"), (400, "BadSyntax")),
    "an unknown element": (in_card(body=[{"type": "CodeBlock"}]), (400, "BadSyntax")),
    "a date that is expanded": (
        in_card(body=[{"type": "TextRun", "text": "{{DATE(2030-01-01T00:00:00Z)}}"}]),
        (400, "BadSyntax"),
    ),
    "seven buttons": (
        in_card(actions=[{"type": "Action.Submit", "title": str(n)} for n in range(7)]),
        (400, "BadSyntax"),
    ),
    "too large": (
        in_card(body=[{"type": "TextBlock", "text": "x" * 15_000}]),
        (413, "MessageSizeTooBig"),
    ),
    "too large in two bytes each": (
        in_card(body=[{"type": "TextBlock", "text": "\U0001f600" * 7_500}]),
        (413, "MessageSizeTooBig"),
    ),
}


@pytest.mark.parametrize(("activity", "refusal"), WRONG.values(), ids=WRONG)
async def test_what_teams_would_not_show_is_refused(
    teams: FakeTeams, activity: Json, refusal: tuple[int, str]
) -> None:
    assert await refused(teams, activity) == refusal


async def test_a_token_of_nobody_is_refused(teams: FakeTeams) -> None:
    async with (
        ClientSession(headers={"Authorization": "Bearer eyJ0.of.nobody"}) as http,
        http.post(f"{teams.service_url}v3/conversations", json={}) as answer,
    ):
        assert answer.status == 401


async def test_what_is_not_there_is_not_found(teams: FakeTeams) -> None:
    hand = teams.hand(teams.add_account("Dana"))
    activity = await sent(teams, hand, message(CARD))
    transport = transport_for(teams.issuer, service_url=teams.service_url)
    nowhere = Conversation(
        tenant=teams.tenant,
        user=hand.account.user,
        conversation="a:nowhere",
        service_url=teams.service_url,
        bot=teams.bot,
    )
    try:
        with pytest.raises(ConnectorRefused) as told:
            await transport.send(nowhere, message(CARD))
        assert (told.value.status, told.value.code) == (404, "ConversationNotFound")
        with pytest.raises(ConnectorRefused):
            await transport.update(nowhere, activity, message(CARD))
        assert await transport.member(nowhere, hand.account.user) is None
    finally:
        await transport.close()


async def test_a_hand_fills_in_what_has_to_be_filled_in(teams: FakeTeams) -> None:
    hand = teams.hand(teams.add_account("Dana"))
    await sent(teams, hand, message(CARD))
    (shown,) = hand.messages()
    assert hand.inputs(shown, "go") == ["note"]
    for typed in ({}, {"note": "too long"}, {"other": "x"}):
        with pytest.raises(NothingToPress):
            hand.pressing(shown, "go", typed=typed)
    with pytest.raises(NothingToPress):
        hand.pressing(shown, "other")
    value = hand.pressing(shown, "go", typed={"note": "why"})["value"]
    assert value["action"]["data"] == {"about": "x", "note": "why"}


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"statusCode": 200, "type": "application/vnd.microsoft.card.adaptive"},
        {"statusCode": 500, "type": "application/vnd.microsoft.error", "value": {}},
        {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": ""},
    ],
)
def test_an_answer_that_teams_does_not_understand_is_told(body: Json | None) -> None:
    with pytest.raises(NotAnAnswer):
        check_answer(body)
