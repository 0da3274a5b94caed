"""The bot is killed, changed and started again. These tests have a bot of their own."""

from pathlib import Path

import pytest

from tests.regressions.known import known_failure
from tests.regressions.town import Town, page_name
from tests.regressions.wiki import Wiki


@known_failure(
    id="A1",
    title="what waits is lost when the bot is restarted, and its buttons are dead",
    seen_in="OpenClaw, PraisonAI, Pilot",
    promise="A page that was open before a crash still decides after it, and the agent hears it.",
)
@known_failure(
    id="P15c",
    title="a restart orphans the prompts that are open",
    seen_in="OpenClaw",
    promise="Proposals, sessions and open pages outlive the process.",
)
@known_failure(
    id="P6h",
    title="the only store that ships forgets everything at the end of the process",
    seen_in="an agent governance toolkit",
    promise="The default store is a database, written before anything is said.",
)
@known_failure(
    id="P10e",
    title="which message shows which request is known only to one process",
    seen_in="an access gateway",
    promise="Where cards are is kept with the proposal.",
)
@known_failure(
    id="P7d",
    title="after a crash it is being executed for ever",
    seen_in="an approval queue for agents",
    promise="What a dead worker left is taken over or in doubt, and ends.",
)
def test_a_page_from_before_the_crash_decides_after_it(own_town: Town) -> None:
    town = own_town
    agent, dana = town.agent(), town.seat("dana")
    proposal = agent.propose(page := page_name("crash"))
    decided = agent.propose(decided_page := page_name("decided"))
    form = dana.form(proposal)

    dana.press(decided)
    town.kill()
    town.start()
    said = dana.press_form(proposal, form).said

    assert "Recorded." in said
    for each, its_page in ((proposal, page), (decided, decided_page)):
        told = agent.finally_(each)
        assert len(town.wiki.written(its_page)) == (1 if told["executed"] else 0)
    assert agent.read(proposal)["state"] == "succeeded"


@known_failure(
    id="P7a",
    title="no approver, no clock and no key is kept with an entry",
    seen_in="an approval queue for agents",
    promise="Who decided what, when, and under which key is kept with the proposal, for good.",
)
@known_failure(
    id="P3b",
    title="the status tells neither who approved nor until when that counts",
    seen_in="an approval SDK",
    promise="Auditors read who and when; the agent reads until when, and never who.",
)
def test_who_decided_what_is_still_known_after_a_restart(own_town: Town) -> None:
    town = own_town
    agent, dana = town.agent(), town.seat("dana")
    key = page_name("kept")
    proposal = agent.submit("kept", key=key).body
    dana.press(proposal)
    told = agent.finally_(proposal)

    town.stop()
    town.start()

    (decision,) = town.recorded(proposal)["decisions"]
    assert decision["person"] == town.person("dana")
    assert decision["at"] < told["changed_at"]
    assert told["use_by"] > decision["at"]
    assert decision["person"] not in str(agent.read(proposal))
    assert agent.submit("kept", key=key).body["id"] == proposal["id"]


@known_failure(
    id="N4",
    title="the connection to the target was changed while the card waited",
    seen_in="tool servers whose definition changes after approval",
    promise="The digest binds how it is carried out; changed settings end what waits.",
)
def test_settings_that_changed_while_it_waited_end_it(own_town: Town, tmp_path: Path) -> None:
    town = own_town
    agent = town.agent()
    proposal = agent.propose(page := page_name("config"))
    settings = town.folder / "keyturn.yaml"
    was = settings.read_text()

    town.stop()
    settings.write_text(
        was.replace("path: /pages/{resource.name}", "path: /pages/x{resource.name}")
    )
    assert settings.read_text() != was
    town.start()
    said = town.seat("dana").press(proposal)
    town.stop()
    settings.write_text(was)
    town.start()

    assert "Not recorded." in said
    assert "How this is carried out has changed" in said
    assert agent.finally_(proposal)["state"] == "revoked"
    assert town.wiki.written(page) == town.wiki.written(f"x{page}") == []


@known_failure(
    id="P1k",
    title="it runs with the key of the example",
    seen_in="an HTTP approval server",
    promise="An example value that nobody replaced is named, and the bot does not start.",
)
@known_failure(
    id="P7b",
    title="one admin password for everybody",
    seen_in="an approval queue for agents",
    promise="There is no password: each person signs in as themselves, each admin has a token.",
)
@pytest.mark.parametrize("value", ["changeme", "<token>"])
def test_an_example_value_is_refused_at_start(wiki: Wiki, tmp_path: Path, value: str) -> None:
    town = Town(tmp_path / "example", wiki)
    town.build()

    refused = town.command("serve", WIKI_CREDENTIAL=value)

    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert "WIKI_CREDENTIAL" in refused.stdout + refused.stderr
