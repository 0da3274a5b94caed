"""What people see before they decide: all of it, as it is, and nothing that only looks like it."""

import pytest

from tests.regressions.known import known_failure
from tests.regressions.seats import Seat
from tests.regressions.town import Agent, Town, page_name, plain
from tests.regressions.wiki import CREDENTIAL

_INVISIBLE = "\u200b\u200d\u2060\u202e\u202d\u2066\u2069\u00ad\ufeff\u3164\U000e0041\x07\x1b"
_HOSTILE = (
    "<b>Approved</b><script>alert(1)</script><img src=x onerror=alert(2)>",
    "</pre></dd></dl></article><form action=/proposals><button>Approve</button></form>",
    "<a href=https://evil.example>Approve in Keyturn</a> [here](https://evil.example) <!channel>",
    "{{ 7*7 }} {% raw %} &lt;b&gt; &#60;",
    "pay\u0440al.example and xn--pypal-4ve.example",
    f"harmless{' ' * 400}rm -rf backups",
    f"first{chr(10) * 60}last",
    *(f"a{char}b" for char in _INVISIBLE),
)


@known_failure(
    id="C1",
    title="the card shows the beginning, and the harm is in what was cut off",
    seen_in="Hermes Agent, Letta Code, T3 Code, Buzz",
    promise="The card says how much is missing, and Approve waits until all of it was shown.",
)
@known_failure(
    id="P1j",
    title="the payload on the card ends after a fixed number of characters",
    seen_in="an HTTP approval server",
    promise="Every character can be reached, and an approval without having been there is refused.",
)
@known_failure(
    id="P2c",
    title="values are cut short and not escaped",
    seen_in="a human-task server",
    promise="What does not fit is counted on the card and whole in the full view.",
)
def test_what_is_cut_off_is_read_before_it_is_approved(
    town: Town, agent: Agent, dana: Seat
) -> None:
    text = "".join(f"line {n}: all is well\n" for n in range(2_000)) + "rm -rf /backups"
    proposal = agent.propose(page := page_name("long"), text)

    card = dana.card(proposal)
    forged = dana.forge(proposal)
    assert "rm -rf" not in card.tree.text
    assert f"{len(text) - 4_000 + len('/text'):,} characters before the end" in card.tree.text
    assert "approve" not in card.buttons
    assert "Not recorded." in forged.said
    assert "Read the full view to its end" in forged.said
    assert agent.read(proposal)["state"] == "pending"

    whole = dana.read_to_the_end(proposal)
    dana.press(proposal)

    assert whole.count("all is well") == 2_000
    assert "rm -rf /backups" in whole
    agent.finally_(proposal)
    assert town.wiki.written(page)[0].value["text"] == text


@known_failure(
    id="C2",
    title="the text of an agent becomes a link, a mention, a button, or hides itself",
    seen_in="infrabroker, Unkey, deepagents",
    promise="Text from agents is inert: no element comes of it, and nothing in it is invisible.",
)
@known_failure(
    id="T6",
    title="twelve tests, 6: a corpus of hostile text",
    seen_in="most of the field",
    promise="Markup, links, direction marks, padding and newlines stand on the card as text.",
)
def test_hostile_text_stays_text(agent: Agent, dana: Seat) -> None:
    benign = dana.card(agent.propose(page_name("benign"), "plain", rationale={"why": "plain"}))
    shape = [node.tag for node in benign.tree.walk() if node.tag not in _DRAWN]
    for text in _HOSTILE:
        proposal = agent.propose(page_name("hostile"), text, rationale={"why": text, "expects": ""})
        card = dana.card(proposal)
        tags = [node.tag for node in card.tree.walk() if node.tag not in _DRAWN]
        links = [a.attributes["href"] for a in card.tree.all("a")]

        if "<" in text or "{" in text:
            assert text in card.tree.text.replace("&amp;", "&"), text
            assert tags == shape, text
        assert all(link.startswith(("/", "#")) for link in links), text
        assert not set(card.raw) & set(_INVISIBLE), text
        assert " " * 100 not in "".join(pre.text for pre in card.tree.all("pre")), text
        assert "\n" * 10 not in "".join(pre.text for pre in card.tree.all("pre")), text
        dana.press(proposal, "reject")


_DRAWN = frozenset({"mark", "br"})

#: In pieces, so that no scanner takes this file for a leak.
_SECRETS = (
    "ghp" + "_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8",
    "xoxb" + "-123456789012-1234567890123-" + "AbCdEfGhIjKlMnOpQrStUvWx",
    "AKIA" + "IOSFODNN7ABCDEFG",
    "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAvx\n-----END RSA PRIVATE KEY-----",
)


@known_failure(
    id="C3",
    title="a secret goes out in the card, and stays in the history of the chat",
    seen_in="Hermes Agent, OpenClaw",
    promise="What looks like a secret is refused at submit, repeated nowhere and kept nowhere.",
)
@pytest.mark.parametrize("place", ["params", "rationale", "correlation"])
def test_a_secret_is_refused_and_kept_nowhere(
    town: Town, agent: Agent, dana: Seat, place: str
) -> None:
    for secret in _SECRETS:
        page = page_name("secret")
        if place == "params":
            answer = agent.submit(page, f"use {secret} please")
        elif place == "rationale":
            answer = agent.submit(page, rationale={"why": f"I found {secret} there"})
        else:
            answer = agent.submit(page, correlation=secret.partition("\n")[0])
        assert (answer.status, answer.code) == (422, "secret_in_proposal"), secret
        assert secret[:12] not in answer.raw.decode()
        kept = town.kept()
        assert secret.encode()[:30] not in kept


@known_failure(
    id="N3",
    title="one open database holds the tokens of every agent",
    seen_in="Moltbook",
    promise="Tokens, sessions and credentials are in no file of the deployment.",
)
def test_the_files_of_a_deployment_hold_no_token(town: Town, agent: Agent, dana: Seat) -> None:
    proposal = agent.propose(page_name("kept"))
    dana.press(proposal)
    agent.finally_(proposal)
    session = dana.cookies["keyturn"]

    kept = town.kept()

    assert proposal["id"].encode() in kept
    for secret in (agent.token, session, CREDENTIAL):
        assert secret.encode() not in kept


@known_failure(
    id="C4",
    title="the card does not say who asks, for whom, why, or who would see it",
    seen_in="Hermes Agent, OpenClaw, Brie",
    promise="Agent, principal, effect, audience, way back and clock are on every card, and the "
    "agent's own words are marked as unverified.",
)
@known_failure(
    id="P6c",
    title="the approver gets a digest and ids, and not what would be done",
    seen_in="an agent governance toolkit",
    promise="Every value of the action stands on the card.",
)
@known_failure(
    id="P3a",
    title="what runs was passed by position, and the person is shown an empty set",
    seen_in="an approval SDK",
    promise="Only named params exist; each is on the card with its name.",
)
@known_failure(
    id="P5a",
    title="the agent's title says one thing, and what would run is another",
    seen_in="a phone approver",
    promise="The card is made from the bytes that would run; an agent cannot give it a title.",
)
def test_a_card_says_who_wants_what_for_whom_and_who_sees_it(agent: Agent, dana: Seat) -> None:
    page = page_name("context")
    tags = {"owner": "billing", "review": "yearly"}
    proposal = agent.propose(
        page,
        "The new prices",
        params={"visibility": "public", "tags": tags},
        rationale={"why": "Restart a development worker", "read": [{"ref": "mail:4711"}]},
    )

    card = plain(dana.card(proposal).tree.one("article").text)
    unverified = card.find("Claimed by the agent. Not verified.")

    assert 0 <= card.find("Public Anyone on the internet") < card.find(f"Write the page {page}")
    for fact in (agent.name, "on behalf of Dana Ruiz", "The wiki", "Decide before"):
        assert fact in card[:unverified]
    for shown in ("The old text is kept.", "text The new prices", "owner billing", "review yearly"):
        assert shown in card[:unverified]
    assert 0 < unverified < card.find("Restart a development worker") < card.find("mail:4711")
    assert "Keeps the wiki tidy" in card
    untitled = agent.submit(page, title="Restart a development worker")
    assert (untitled.status, untitled.code) == (422, "invalid_input")


@known_failure(
    id="P15d",
    title="the value of a button is a key that decides for whoever copies it",
    seen_in="chat bots of several projects",
    promise="A button carries the proposal, a digest and a proof for one session; no secret.",
)
def test_a_button_carries_nothing_that_is_worth_copying(
    town: Town, agent: Agent, dana: Seat
) -> None:
    proposal = agent.propose(page_name("button"))

    form, card = dana.form(proposal), dana.card(proposal)

    assert set(form) == {"form", "digest", "button"}
    assert form["digest"] == proposal["digest"].removeprefix("sha256:")[:32]
    assert form["form"] != town.seat("dana").form(proposal)["form"]
    for secret in (dana.cookies["keyturn"], agent.token, CREDENTIAL):
        assert secret not in card.raw
    assert town.seat("rhea").press_form(proposal, form).status == 403
    assert agent.read(proposal)["state"] == "pending"
