"""Who is asked, whether they are reached, and how often."""

from tests.regressions.known import known_failure
from tests.regressions.seats import Seat
from tests.regressions.town import Agent, Town, at_once, page_name, until


@known_failure(
    id="A4",
    title="a card reaches nobody, and the gate waits in silence",
    seen_in="mcp-hangar, OpenClaw, Codex",
    promise="The agent is told that nobody could be asked, and nothing is done.",
)
@known_failure(
    id="P15b",
    title="where the list of approvers is not set, everybody is one",
    seen_in="Hermes Agent, OpenClaw",
    promise="A list that is empty, missing or unknown means nobody.",
)
@known_failure(
    id="P3c",
    title="the list of who may answer is optional, and left out it is everybody",
    seen_in="an approval SDK",
    promise="Without a rule that names them, nobody may decide; the default asks one person.",
)
def test_a_list_of_nobody_reaches_nobody_and_says_so(town: Town, agent: Agent) -> None:
    proposal = agent.propose(page := page_name("unheard"), verb="page.publish")

    told = until(lambda: agent.read(proposal), lambda now: now["delivery"] != "queued")
    for handle in ("dana", "ada", "owen", "rhea"):
        assert town.seat(handle).forge(proposal).is_refused, handle

    assert told["delivery"] == "undeliverable"
    assert agent.read(proposal)["state"] == "pending"
    assert town.wiki.written(page) == []


@known_failure(
    id="A6",
    title="a submit that is sent again makes a second card",
    seen_in="Paperclip, Spinnaker, OpenClaw",
    promise="The same key and body are one proposal and one card, however often they come.",
)
def test_a_repeated_submit_is_one_proposal_and_one_card(agent: Agent, dana: Seat) -> None:
    page, key = page_name("retry"), page_name("key")

    answers = at_once(*[lambda: agent.submit(page, key=key)] * 12)
    answers.append(agent.submit(page, key=key))

    proposals = {answer.body["id"] for answer in answers}
    cards = dana.get("/").tree.with_class("row-waiting")
    assert len(proposals) == 1
    assert sum(f"page {page}" in card.text for card in cards) == 1
    assert proposals <= set(dana.waiting())


@known_failure(
    id="P2b",
    title="a key that is used again for another payload brings back the old approval",
    seen_in="a human-task server",
    promise="The same key with another body is refused, and nothing is approved by it.",
)
def test_an_approval_cannot_be_had_again_for_another_body(
    town: Town, agent: Agent, dana: Seat
) -> None:
    page, key = page_name("reuse"), page_name("key")
    proposal = agent.submit(page, "harmless", key=key).body
    dana.press(proposal)
    agent.finally_(proposal)

    reused = agent.submit(page, "harmful", key=key)

    assert (reused.status, reused.code) == (422, "idempotency_key_reused")
    assert [write.value["text"] for write in town.wiki.written(page)] == ["harmless"]


@known_failure(
    id="B3",
    title="the card goes to whomever the request names, to a wrong channel, or to all",
    seen_in="OpenClaw, Claw Patrol",
    promise="Whom an agent acts for is bound beforehand; the card is theirs alone.",
)
def test_a_card_reaches_the_bound_person_and_nobody_else(
    town: Town, agent: Agent, dana: Seat
) -> None:
    omar = town.person("omar")
    unbound = agent.submit(page_name("astray"), on_behalf_of=omar)
    proposal = agent.propose(page_name("straight"))

    assert (unbound.status, unbound.code) == (403, "not_permitted")
    assert proposal["id"] in dana.waiting()
    for handle in ("omar", "twin", "ada"):
        seat = town.seat(handle)
        assert seat.waiting() == []
        assert seat.card(proposal).status == 404


@known_failure(
    id="P8b",
    title="the caller picks who approves, and how risky it is",
    seen_in="a client of a hosted approval service",
    promise="A proposal has no field for approvers, risk or a callback, and unknown ones fail.",
)
@known_failure(
    id="P2d",
    title="an approver is found by a display name that anybody can take",
    seen_in="a human-task server",
    promise="People are known by ids that an admin gave; a name in a request leads to nobody.",
)
def test_a_proposal_cannot_name_its_approvers(town: Town, agent: Agent) -> None:
    me = town.person("twin")
    for field in (
        {"approvers": [me]},
        {"assign_to": "Dana Ruiz"},
        {"risk": "low"},
        {"auto_approve": True},
        {"callback_url": town.wiki.url},
        {"on_behalf_of": "Dana Ruiz"},
    ):
        answer = agent.submit(page_name("chosen"), **field)
        assert (answer.status, answer.code) == (422, "invalid_input"), field
