"""What a card says, and what it lets its reader do."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.slack.card import render_card, render_fallback
from adapters.slack.pressable import ActionId
from bot.core.card import Button, Card
from bot.core.states import State
from tests.slack.rendering.reading import action_ids, all_text, elements
from tests.slack.rendering.scenes import WEB, Day, a_slack_day

DAY = a_slack_day()
DECIDING = {ActionId.APPROVE, ActionId.REJECT, ActionId.SETTLE_DONE, ActionId.SETTLE_NOT_DONE}


@pytest.fixture
def day() -> Day:
    return DAY


def blocks_of(card: Card) -> list[dict[str, Any]]:
    return render_card(card, web_url=WEB).blocks


def test_who_will_see_it_and_what_happens_come_first(day: Day) -> None:
    header, who, asks, effect, *_ = blocks_of(day.card("forum"))
    assert header["text"]["text"] == "Approval needed · Public"
    assert who["text"]["text"] == "Everyone on the internet will see this (4,000 readers)"
    assert asks["elements"][0]["text"] == "forum-analyst asks, on behalf of Dana Okafor"
    assert effect["text"]["text"].startswith("Publish an answer")


def test_what_the_agent_says_stands_under_a_label_that_says_so(day: Day) -> None:
    (claim,) = [
        block for block in blocks_of(day.card("forum")) if "Not verified" in all_text([block])
    ]
    label, *rest = claim["elements"]
    assert label["elements"][0]["text"] == "Claimed by the agent. Not verified."
    said = [one for one in rest if one["type"] == "rich_text_preformatted"]
    assert "Tomasz asked yesterday" in all_text(said)


def test_times_are_told_in_the_zone_of_the_reader(day: Day) -> None:
    marks = [
        one["text"]
        for one in elements(blocks_of(day.card("forum")))
        if one.get("type") == "mrkdwn" and "<!date" in one["text"]
    ]
    expires = int(day.card("forum").expires_at.timestamp())  # type: ignore[union-attr]
    assert f"<!date^{expires}^{{date_short_pretty}}, {{time}}|1 Jan 2030, 12:54 UTC>" in marks


def test_values_stand_beside_what_they_were(day: Day) -> None:
    text = all_text(blocks_of(day.card("access")))
    assert "Now\nPeople who may change invoices\nAfter\nPeople who may change invoices and" in (
        text.replace("*", "")
    )
    assert "*Stays*\nsam.castillo" in text
    assert "Not there, or not known" in text


def test_approve_asks_once_more_and_names_reach_and_fingerprint(day: Day) -> None:
    card = day.card("forum")
    (approve,) = [
        one for one in elements(blocks_of(card)) if one.get("action_id") == ActionId.APPROVE
    ]
    assert approve["style"] == "primary"
    assert approve["confirm"]["text"]["text"].startswith("Public.")
    assert card.fingerprint in approve["confirm"]["text"]["text"]


def test_buttons_carry_a_proposal_and_the_beginning_of_a_digest_and_no_more(day: Day) -> None:
    card = day.card("forum")
    values = {one["value"] for one in elements(blocks_of(card)) if "value" in one}
    digest = card.digest.removeprefix("sha256:")[:32]
    value = f"v1.{card.proposal}.{digest}"
    assert values == {value, f"stop:{value}", f"not_mine:{value}"}


def test_what_is_cut_has_to_be_read_before_it_is_approved(day: Day) -> None:
    card = day.card("long")
    blocks = blocks_of(card)
    assert ActionId.APPROVE not in action_ids(blocks)
    assert ActionId.FULL_VIEW in action_ids(blocks)
    assert "of 6,511 characters shown" in all_text(blocks)
    assert "Approve appears once you have read the full details" in all_text(blocks)


def test_what_only_slack_cuts_has_to_be_read_too(day: Day) -> None:
    forum = day.card("forum")
    assert ActionId.APPROVE in action_ids(blocks_of(forum))
    spelled_out = replace(forum.fields[0], value=type(forum.effect)("\u202e\u202d" * 400))
    card = replace(forum, fields=(spelled_out, *forum.fields[1:]))
    assert not card.approve_needs_full_view
    blocks = blocks_of(card)
    assert ActionId.APPROVE not in action_ids(blocks)
    (read,) = [one for one in elements(blocks) if one.get("action_id") == ActionId.FULL_VIEW]
    assert read["style"] == "primary"
    assert "Approve appears once you have read the full details" in all_text(blocks)


@pytest.mark.parametrize("name", sorted(DAY.names))
def test_only_what_is_open_can_be_decided(day: Day, name: str) -> None:
    card = day.card(name)
    pressable = set(action_ids(blocks_of(card)))
    if card.state not in {State.PENDING, State.IN_DOUBT}:
        assert pressable & DECIDING == set()
    assert (ActionId.UNDO in pressable) == (Button.UNDO in card.buttons)


def test_what_was_undone_says_so(day: Day) -> None:
    text = all_text(blocks_of(day.card("withdrawn")))
    assert "Undone · Public" in text
    assert f"*Undone*. <{WEB}/proposals/{day.names['undo']}|The card of the undo> says how." in text


def test_the_reference_and_the_reason_are_on_the_card(day: Day) -> None:
    assert "comment 90417" in all_text(blocks_of(day.card("done")))
    text = all_text(blocks_of(day.card("state-rejected")))
    assert "Rejected. The reason: The wiki page is two years old." in text


def test_a_card_that_slack_refuses_is_replaced_by_one_without_approve(day: Day) -> None:
    card = day.card("hostile")
    message = render_fallback(card, web_url=WEB)
    assert ActionId.APPROVE not in action_ids(message.blocks)
    assert ActionId.REJECT in action_ids(message.blocks)
    text = all_text(message.blocks)
    assert f"{WEB}/proposals/{card.proposal}" in text
    said = [card.effect, card.target, card.agent_name, *(field.value for field in card.fields)]
    assert [words for words in said if words in text] == []


def test_without_a_web_inbox_there_is_no_link(day: Day) -> None:
    assert "https://" not in all_text(render_card(day.card("forum"), web_url=None).blocks[-1:])
    assert "<http" not in all_text(render_fallback(day.card("forum")).blocks)
