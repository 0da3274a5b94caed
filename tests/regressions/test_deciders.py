"""Who decides: the one who was asked, as themselves, and nobody's machine."""

import pytest

from tests.regressions.known import known_failure
from tests.regressions.seats import Seat
from tests.regressions.town import Agent, Town, page_name, until


@known_failure(
    id="B1",
    title="whoever sees the card can approve it",
    seen_in="Hermes Agent, OpenClaw, Teleport, hoop.dev",
    promise="Only the people that the rule names decide; a click of anybody else moves nothing.",
)
@known_failure(
    id="T3",
    title="twelve tests, 3: clicks of everybody who may not",
    seen_in="most of the field",
    promise="A colleague, a namesake, an admin and the agent's owner change nothing.",
)
@known_failure(
    id="P9b",
    title="the click is not checked, and a name that can be changed is recorded",
    seen_in="a proxy with a Slack approver",
    promise="The id of the person is recorded, and only of a person who may decide.",
)
@known_failure(
    id="P10b",
    title="an admin may approve what they asked for themselves",
    seen_in="an access gateway",
    promise="Admins configure; the role decides nothing.",
)
@known_failure(
    id="P11c",
    title="lists of approvers steer the notices and are not checked at the click",
    seen_in="an agent control plane",
    promise="Whoever presses is looked up in the rule again, at that moment.",
)
@known_failure(
    id="P14a",
    title="nobody checks who clicked, and nobody is recorded",
    seen_in="an MCP server with Slack and Teams",
    promise="Every decision names its person, their chat and the digest they were shown.",
)
@known_failure(
    id="P15a",
    title="the click of any member counts",
    seen_in="Hermes Agent, nanoclaw",
    promise="Being there is no right: a click of somebody else is refused, answered and logged.",
)
@pytest.mark.parametrize("button", ["approve", "reject"])
def test_only_the_person_who_was_asked_decides(
    town: Town, agent: Agent, dana: Seat, button: str
) -> None:
    proposal = agent.propose(page := page_name("matrix"))
    for handle in ("twin", "ada", "owen", "rhea", "omar"):
        assert town.seat(handle).forge(proposal, button).is_refused, handle
        assert agent.read(proposal)["state"] == "pending"
    refused = [leaf["type"] for leaf in town.recorded(proposal)["leaves"]]

    dana.press(proposal)

    agent.finally_(proposal)
    (decision,) = town.recorded(proposal)["decisions"]
    assert refused.count("click.refused") == 5
    assert decision["person"] == town.person("dana")
    assert (decision["chat"], decision["digest"]) == ("web", proposal["digest"])
    assert len(town.wiki.written(page)) == 1


@known_failure(
    id="B4",
    title="two people are taken for one, or one for another, because a name or mail matches",
    seen_in="Grafana OnCall, Teleport",
    promise="A person is a random id with a sign-in of their own. Linking chat accounts comes "
    "with Slack and Teams.",
)
def test_a_namesake_is_somebody_else(town: Town, agent: Agent, dana: Seat) -> None:
    proposal = agent.propose(page_name("namesake"))
    namesake = town.seat("twin")

    assert "Signed in as Dana Ruiz" in namesake.get("/").tree.text
    assert namesake.card(proposal).status == 404
    assert namesake.forge(proposal).is_refused
    assert agent.read(proposal)["state"] == "pending"


@known_failure(
    id="B2",
    title="an approval can be forged by the agent, or replayed",
    seen_in="Vercel AI SDK, ADK, Daintree, OpenAI Agents SDK",
    promise="The agent's credential opens no door that decides, in whatever way it is sent.",
)
@known_failure(
    id="T4",
    title="twelve tests, 4: an agent with all its credentials",
    seen_in="most of the field",
    promise="With its token, its proposal and its digest an agent decides nothing anywhere.",
)
@known_failure(
    id="P1b",
    title="approving is open to anybody, with a free text for the approver",
    seen_in="an HTTP approval server",
    promise="There is no such address; a decision needs a signed-in person's own page.",
)
@known_failure(
    id="P2a",
    title="the agent's key completes its own task, in the name of whomever it likes",
    seen_in="a human-task server",
    promise="What an agent holds cannot decide, and it cannot say who did.",
)
@known_failure(
    id="P12a",
    title="one server offers the model both to ask and to approve",
    seen_in="an MCP server for permissions",
    promise="The agents' API has no operation that decides, and never says who might.",
)
def test_an_agent_with_everything_it_has_decides_nothing(town: Town, agent: Agent) -> None:
    proposal = agent.propose(page := page_name("forged"))
    number, digest = proposal["id"], proposal["digest"].removeprefix("sha256:")[:32]
    words = {"button": "approve", "digest": digest, "person": town.person("dana"), "form": "0" * 64}
    until(lambda: agent.read(proposal), lambda now: now["delivery"] == "delivered")
    before = town.recorded(proposal)

    for word in ("approve", "decide", "decision", "press", "complete", "execute", "review"):
        for listener in ("agents", "people", "admin"):
            for root in ("/v1/proposals", "/proposals", "/v1/admin/proposals"):
                path = f"{root}/{number}/{word}"
                answer = agent.ask("POST", path, words, listener=listener)
                assert answer.status >= 400, (listener, path)
    for listener in ("people", "admin"):
        for cookie in ("keyturn", "__Host-keyturn"):
            sent = {"Cookie": f"{cookie}={agent.token}", "Origin": town.people_url}
            for path in ("/", f"/proposals/{number}", f"/proposals/{number}/press"):
                method = "POST" if path.endswith("press") else "GET"
                answer = town.ask(listener, method, path, None, sent)
                assert answer.status in {303, 401, 404, 405}, (listener, path)
    for path in ("agents", "people", "proposals", "policy", "log"):
        assert agent.ask("GET", f"/v1/admin/{path}", listener="admin").status == 401
    assert agent.ask("PATCH", f"/v1/proposals/{number}", {"state": "approved"}).status >= 400

    assert town.recorded(proposal) == before
    assert town.wiki.written(page) == []
    paths = town.ask("agents", "GET", "/v1/openapi.json").body["paths"]
    assert not [path for path in paths if "approv" in path or "deci" in path]
    assert town.person("dana") not in str(agent.ask("GET", f"/v1/proposals/{number}").body)


@known_failure(
    id="P11a",
    title="whoever holds the link approves, and nobody is recorded as the approver",
    seen_in="an agent control plane",
    promise="A link signs one person in, once; opening links decides nothing.",
)
@known_failure(
    id="P11b",
    title="a vote by link and a vote by login count as two people",
    seen_in="an agent control plane",
    promise="A person counts once, however they came in.",
)
def test_a_link_decides_nothing_and_a_captured_form_is_worth_nothing(
    town: Town, agent: Agent
) -> None:
    proposal = agent.propose(page := page_name("link"))
    code = town.operator("POST", "people/dana/sign-in-link", {})["url"].partition("#")[2]
    seat, later = Seat(town.people_url), Seat(town.people_url)
    seat.sign_in(code)
    captured = seat.form(proposal)

    for path in ("", "/press", "/full", "/viewed", "/stop", "/undo", "/history"):
        seat.get(f"/proposals/{proposal['id']}{path}")
    assert later.sign_in(code).status == 401
    rhea = town.seat("rhea").press_form(proposal, captured)
    elsewhere = seat.send(
        f"/proposals/{proposal['id']}/press", captured, origin="https://evil.example"
    )
    seat.send("/signout", {"form": captured["form"]})
    signed_out = seat.press_form(proposal, captured)

    assert [page.status for page in (rhea, elsewhere, signed_out)] == [403, 403, 401]
    assert agent.read(proposal)["state"] == "pending"
    assert town.wiki.written(page) == []


@known_failure(
    id="B5",
    title="people approve their own request, or one person fills two seats",
    seen_in="hoop.dev, Policy Bot, Superplane",
    promise="Four eyes leave out the principal and the agent's owner, and count people.",
)
@known_failure(
    id="P6a",
    title="a quorum of two is complete with the first vote",
    seen_in="an agent governance toolkit",
    promise="Nothing is approved before as many people as the rule names have approved.",
)
@known_failure(
    id="P6b",
    title="one person fills both stages",
    seen_in="an agent governance toolkit",
    promise="The same person's second approval adds nothing.",
)
@known_failure(
    id="P9a",
    title="the number of approvers is configured, documented and not enforced",
    seen_in="a proxy with a Slack approver",
    promise="The count of the rule is what ends the hold.",
)
@known_failure(
    id="P10a",
    title="a person in several groups speaks for all of them",
    seen_in="an access gateway",
    promise="A person counts once, in however many groups they are.",
)
def test_four_eyes_are_those_of_two_people_without_a_stake(town: Town, agent: Agent) -> None:
    proposal = agent.propose(page := page_name("eyes"), verb="page.share")
    rhea, omar = town.seat("rhea"), town.seat("omar")

    for handle in ("dana", "owen", "ada"):
        assert town.seat(handle).forge(proposal).is_refused, handle
    assert "1 of 2" in rhea.press(proposal)
    assert "1 of 2" in rhea.forge(proposal).said
    assert "1 of 2" in town.seat("rhea").forge(proposal).said
    assert agent.read(proposal)["state"] == "pending"
    assert town.wiki.written(page) == []
    omar.press(proposal)

    assert agent.finally_(proposal)["state"] == "succeeded"
    assert len(town.wiki.written(page)) == 1


@known_failure(
    id="N6",
    title="one no is outvoted by the next yes",
    seen_in="approval flows that only count approvals",
    promise="One rejection ends the hold, and its reason is the end's reason.",
)
def test_one_rejection_outweighs_every_approval(town: Town, agent: Agent) -> None:
    proposal = agent.propose(page_name("veto"), verb="page.share")
    town.seat("rhea").press(proposal)

    town.seat("omar").press(proposal, "reject", "It names a customer.")

    ended = agent.finally_(proposal)
    assert (ended["state"], ended["reason"]) == ("rejected", "It names a customer.")
