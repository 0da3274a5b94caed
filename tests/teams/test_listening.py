"""What people press and write in Teams: always answered, in time, and never lost."""

from dataclasses import replace

import pytest

from adapters.teams.pressable import Key, Verb
from bot.core.card import Button
from bot.core.halts import HaltScope
from bot.core.identified import Known, Refused
from bot.core.pressed import NotRecorded, NotYetRecorded
from bot.core.states import State
from tests.teams.front_office import (
    ALL_VERBS,
    CARD,
    WORDS,
    FrontOffice,
    check_answer,
    confirmed,
    text_of,
)
from tests.teams.rendering.reading import elements, presses, runs_in, verbs_of
from tests.teams.rendering.scenes import WEB
from tests.web.scenes import DANA, FORUM, MIRA, SAM


@pytest.fixture
def front() -> FrontOffice:
    return FrontOffice()


async def test_approve_is_recorded_and_answered_with_the_decided_card(front: FrontOffice) -> None:
    card = front.day.card("forum")
    answer = await front.press(Verb.APPROVE, front.about("forum"))
    assert answer["type"] == CARD
    assert "Approved · Public" in text_of(answer)
    assert Verb.APPROVE not in verbs_of(answer["value"])
    (click,) = front.desk.clicks
    assert (click.person, click.chat, click.proposal) == (DANA.id, "teams", card.proposal)
    assert card.digest.removeprefix("sha256:").startswith(click.digest_prefix)
    assert len(click.digest_prefix) == 32
    assert front.keeping.adopted == [("1700000000001", card.proposal, DANA.id)]
    assert front.said == []


async def test_a_commit_is_waited_for_eight_tenths_of_a_second_at_most(front: FrontOffice) -> None:
    await front.press(Verb.APPROVE, front.about("forum"))
    await front.submit(Verb.APPROVE, front.about("forum"))
    waited, by_message = front.desk.within
    assert 0.5 < waited <= 0.8
    assert by_message > 1.0


@pytest.mark.parametrize(
    ("verb", "name", "data", "button", "note"),
    [
        (Verb.APPROVE, "forum", {}, Button.APPROVE, ""),
        (Verb.REJECT, "forum", {"note": "  Old.  "}, Button.REJECT, "Old."),
        (Verb.REJECT, "forum", {}, Button.REJECT, ""),
        (Verb.NOT_MINE, "forum", {"step": "do"}, Button.NOT_MINE, ""),
        (Verb.SETTLE_DONE, "doubt", {"note_done": "Seen."}, Button.SETTLE_DONE, "Seen."),
        (Verb.SETTLE_DONE, "doubt", {"note": "Seen."}, Button.SETTLE_DONE, "Seen."),
        (Verb.SETTLE_NOT_DONE, "doubt", {"note_not_done": "No."}, Button.SETTLE_NOT_DONE, "No."),
        (Verb.UNDO, "recent", {"step": "do", "note": "Wrong."}, Button.UNDO, "Wrong."),
        (
            Verb.STOP_AGENT,
            "forum",
            {"step": "do", "what": "agent_for_principal"},
            Button.STOP_AGENT,
            "",
        ),
    ],
)
async def test_both_kinds_of_client_do_the_same(  # noqa: PLR0917 - a table
    front: FrontOffice, verb: Verb, name: str, data: dict[str, str], button: Button, note: str
) -> None:
    await front.press(verb, {**front.about(name), **data})
    old = FrontOffice()
    await old.submit(verb, {**old.about(name), **data})
    assert old.desk.clicks == front.desk.clicks
    (click,) = front.desk.clicks
    assert (click.button, click.note) == (button, note)
    # A question in a message of its own is no card of the proposal.
    assert old.keeping.adopted == ([] if "step" in data else front.keeping.adopted)


async def test_whoever_presses_in_an_old_client_is_told_by_a_message(front: FrontOffice) -> None:
    front.desk.answer = NotRecorded(code="too_late", message="Mira was first.")
    await front.submit(Verb.APPROVE, front.about("forum"))
    assert front.last_said() == "Not recorded\nMira was first."
    assert front.keeping.refreshed == [(front.day.card("forum").proposal, DANA.id)]


async def test_an_old_client_that_asks_for_a_card_is_not_sent_another(front: FrontOffice) -> None:
    await front.submit(Verb.REFRESH, front.about("forum"))
    assert front.said == []
    assert front.keeping.adopted != []


async def test_what_did_not_count_stands_above_the_card_as_it_is_now(front: FrontOffice) -> None:
    front.desk.answer = NotRecorded(
        code="too_late", message="Mira was first.", state=State.REJECTED
    )
    answer = await front.press(Verb.APPROVE, front.about("forum"))
    first, *_ = answer["value"]["body"]
    assert runs_in(first) == ["Mira was first."]
    assert text_of(answer).startswith("Not recorded\nMira was first.\nApproval needed · Public")
    assert front.keeping.refreshed == [(front.day.card("forum").proposal, DANA.id)]


async def test_what_is_not_recorded_yet_says_so_above_the_card(front: FrontOffice) -> None:
    front.desk.answer = NotYetRecorded(message="This takes longer than usual.")
    answer = await front.press(Verb.APPROVE, front.about("forum"))
    assert text_of(answer).startswith("Not recorded yet\nThis takes longer than usual.")


async def test_a_doubt_is_settled_by_whoever_says_how_they_know(front: FrontOffice) -> None:
    answer = await front.press(Verb.SETTLE_DONE, {**front.about("doubt"), "note_done": "  "})
    assert text_of(answer).startswith("Not recorded\nSay how you found out.")
    assert front.desk.clicks == []


async def test_undoing_shows_what_it_would_do_and_then_does_it(front: FrontOffice) -> None:
    asked = await front.press(Verb.UNDO, front.about("recent"))
    assert "Undo this?" in text_of(asked)
    assert "Take back: Publish an answer" in text_of(asked)
    assert front.desk.clicks == []
    do, back = presses(asked["value"]["actions"])
    assert (do["verb"], back["verb"]) == (Verb.UNDO, Verb.OPEN)
    done = await front.press(do["verb"], {**do["data"], "note": "A mistake."})
    assert "Being undone" in text_of(done)
    assert [(click.button, click.note) for click in front.desk.clicks] == [
        (Button.UNDO, "A mistake.")
    ]


async def test_what_cannot_be_undone_any_more_says_so_on_the_card(front: FrontOffice) -> None:
    answer = await front.press(Verb.UNDO, front.about("done"))
    assert text_of(answer).startswith("Not recorded\nThe time in which Keyturn can undo this")
    assert "Done · Public" in text_of(answer)


async def test_not_mine_is_asked_once_more_and_then_recorded(front: FrontOffice) -> None:
    asked = await front.press(Verb.NOT_MINE, front.about("forum"))
    assert "Not yours to decide?" in text_of(asked)
    assert front.did == []
    (do,) = [one for one in asked["value"]["actions"] if one["verb"] == Verb.NOT_MINE]
    await front.press(do["verb"], do["data"])
    assert [click.button for click in front.desk.clicks] == [Button.NOT_MINE]


async def test_what_is_not_asked_of_somebody_cannot_be_not_theirs(front: FrontOffice) -> None:
    answer = await front.press(Verb.NOT_MINE, front.about("done"))
    assert "This is not asked of you now." in text_of(answer)
    assert front.did == []


@pytest.mark.parametrize(
    ("what", "scope"),
    [("agent", HaltScope.AGENT), ("all", HaltScope.ALL)],
)
async def test_an_agent_is_stopped_from_its_card_as_widely_as_was_chosen(
    front: FrontOffice, what: str, scope: HaltScope
) -> None:
    asked = await front.press(Verb.STOP_AGENT, front.about("forum"))
    (choice,) = [one for one in elements(asked["value"]) if one.get("id") == Key.WHAT]
    assert [one["value"] for one in choice["choices"]] == ["agent_for_principal", "agent", "all"]
    data = confirmed(front.about("forum"), what=what, note="Look into it.")
    answer = await front.press(Verb.STOP_AGENT, data)
    assert text_of(answer).startswith("Recorded\nStopped.")
    ((_, (person, target, reason, chat)),) = front.desk.journal
    assert (person, target.scope, reason, chat) == (DANA.id, scope, "Look into it.", "teams")


async def test_nothing_is_stopped_without_a_choice(front: FrontOffice) -> None:
    answer = await front.press(Verb.STOP_AGENT, confirmed(front.about("forum"), what="world"))
    assert "Choose what is stopped." in text_of(answer)
    assert front.did == []


async def test_whoever_may_not_stop_an_agent_for_everyone_is_not_asked_to(
    front: FrontOffice,
) -> None:
    front.desk.people[DANA.id] = replace(DANA, roles=frozenset())
    known = Known(person=front.desk.people[DANA.id], identity=front.identity(str(DANA.id)))
    front.who[str(DANA.id)] = known
    front.desk.known_agents[FORUM.id] = replace(FORUM, owner=SAM.id)
    asked = await front.press(Verb.STOP_AGENT, front.about("forum"))
    (choice,) = [one for one in elements(asked["value"]) if one.get("id") == Key.WHAT]
    assert [one["value"] for one in choice["choices"]] == ["agent_for_principal"]


async def test_the_full_details_open_with_a_link_of_ones_own(front: FrontOffice) -> None:
    urls = []
    for _ in range(2):
        answer = await front.press(Verb.FULL_VIEW, front.about("long"))
        (opens,) = [o for o in elements(answer["value"]) if o.get("type") == "Action.OpenUrl"]
        urls.append(opens["url"])
        assert "offers Approve" in text_of(answer)
    assert all(url.startswith(f"{WEB}/view/") for url in urls)
    assert urls[0] != urls[1]
    assert front.did == ["view_link", "view_link"]


async def test_without_a_web_inbox_the_full_details_say_so() -> None:
    front = FrontOffice(web_url=None)
    answer = await front.press(Verb.FULL_VIEW, front.about("long"))
    assert answer["type"] == WORDS
    assert front.did == []


async def test_what_was_not_read_to_its_end_is_not_approved_and_the_card_says_so(
    front: FrontOffice,
) -> None:
    front.desk.answer = NotRecorded(
        code="full_view_needed", message="Open the full view to read it.", state=State.PENDING
    )
    answer = await front.press(Verb.APPROVE, front.about("long"))
    assert "Open the full view to read it." in text_of(answer)
    assert "Approve appears once you have read the full details" in text_of(answer)
    assert Verb.APPROVE not in verbs_of(answer["value"])


@pytest.mark.parametrize("trigger", ["automatic", "manual"])
async def test_asking_for_the_card_again_decides_nothing(front: FrontOffice, trigger: str) -> None:
    answer = await front.press(Verb.REFRESH, front.about("forum"), trigger=trigger)
    assert "Approval needed · Public" in text_of(answer)
    assert front.did == []
    assert front.keeping.adopted == [("1700000000001", front.day.card("forum").proposal, DANA.id)]


async def test_a_card_opened_from_a_list_leaves_the_list_what_it_is(front: FrontOffice) -> None:
    answer = await front.press(Verb.OPEN, front.about("forum"))
    assert "Approval needed · Public" in text_of(answer)
    assert front.keeping.adopted == []


# Who is not asked


@pytest.mark.parametrize("verb", ALL_VERBS)
@pytest.mark.parametrize("step", ["", "do"])
async def test_a_stranger_is_told_in_private_and_the_card_stays(
    front: FrontOffice, verb: Verb, step: str
) -> None:
    data = {**front.about("forum"), "step": step, "what": "all", "note": "x"}
    answer = await front.press(verb, data, by="nobody")
    assert answer["type"] == WORDS
    if verb is not Verb.LINK:
        assert "link CODE" in answer["value"]
    assert front.did == []
    assert front.keeping == type(front.keeping)()
    assert front.said == []


@pytest.mark.parametrize("verb", ALL_VERBS)
async def test_an_account_that_is_refused_is_told_why(front: FrontOffice, verb: Verb) -> None:
    front.who["guest"] = Refused(message="Guests cannot decide here.")
    answer = await front.press(verb, {**front.about("forum"), "code": "7KQM3TXW9HPD"}, by="guest")
    assert (answer["type"], answer["value"]) == (WORDS, "Guests cannot decide here.")
    assert front.did == []


@pytest.mark.parametrize("verb", [verb for verb in ALL_VERBS if verb is not Verb.LINK])
async def test_somebody_else_learns_nothing_of_it(front: FrontOffice, verb: Verb) -> None:
    data = {**front.about("forum"), "note": "x"}
    answer = await front.press(verb, data, by=MIRA)
    assert "eng-help" not in text_of(answer)
    assert "Publish" not in text_of(answer)
    assert front.did in ([], ["press"])
    if front.did:
        assert front.desk.proposals[front.day.names["forum"]].state is State.PENDING
    assert front.keeping.adopted == []


@pytest.mark.parametrize("verb", ALL_VERBS)
@pytest.mark.parametrize("kind", ["groupChat", "channel", ""])
async def test_where_others_read_along_nothing_is_decided_or_shown(
    front: FrontOffice, verb: Verb, kind: str
) -> None:
    data = confirmed(front.about("forum"), what="all", note="x", code="7KQM3TXW9HPD")
    answer = await front.press(verb, data, kind=kind)
    assert answer["type"] == WORDS
    assert "Nothing was done here" in answer["value"]
    assert front.did == []
    assert front.keeping.adopted == []


# What nobody knows


@pytest.mark.parametrize("verb", ["", "approve ", "APPROVE", "delete", "task/fetch", "__class__"])
async def test_a_button_that_nobody_knows_any_more_says_that_the_card_is_outdated(
    front: FrontOffice, verb: str
) -> None:
    answer = await front.press(verb, front.about("forum"))
    assert (answer["type"], "outdated" in answer["value"]) == (WORDS, True)
    assert front.did == []


@pytest.mark.parametrize("about", ["", "v0.x", "v1", "v1.prp_x.00", "v2.prp.0", "\x00" * 900])
@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.REFRESH, Verb.STOP_AGENT, Verb.UNDO])
async def test_a_value_of_another_version_decides_nothing(
    front: FrontOffice, verb: Verb, about: str
) -> None:
    answer = await front.press(verb, {Key.ABOUT.value: about, "step": "do", "what": "all"})
    assert (answer["type"], "outdated" in answer["value"]) == (WORDS, True)
    assert front.did == []


@pytest.mark.parametrize("verb", ALL_VERBS)
async def test_a_button_without_what_it_is_about_does_nothing(
    front: FrontOffice, verb: Verb
) -> None:
    await front.press(verb, {})
    assert front.did == (["end_notice_route"] if verb is Verb.END_ROUTE else [])
    assert front.desk.routes == {}


@pytest.mark.parametrize("verb", ALL_VERBS)
@pytest.mark.parametrize("name", ["forum", "long", "doubt", "recent", "done", "hostile"])
async def test_every_button_on_every_card_is_answered_with_something_that_teams_takes(
    front: FrontOffice, verb: Verb, name: str
) -> None:
    for data in (front.about(name), confirmed(front.about(name), what="agent", note="x")):
        check_answer(await front.press(verb, data))
