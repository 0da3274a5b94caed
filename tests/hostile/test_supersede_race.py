"""A person approves what an agent replaces at the same moment: one of the two wins, never both."""

import threading
from collections.abc import Iterator

import pytest

from tests.hostile.scene import Program, Scene, Someone, playing
from tests.hostile.wire import Answer

ROUNDS = 50


@pytest.fixture
def race(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with playing(tmp_path_factory.mktemp("race"), caps={"pending_per_agent": 1000}) as scene:
        yield scene


def test_an_approval_never_binds_to_what_took_its_place(
    race: Scene, tmp_path_factory: pytest.TempPathFactory
):
    known = race.manage("GET", "checkpoint")
    dana = race.person("dana")
    mallory = race.agent("mallory", dana)
    won = {"approved": 0, "superseded": 0}
    for number in range(ROUNDS):
        shown, hidden = f"harmless {number}", f"harmful {number}"
        first = race.propose(mallory, text=shown).json["id"]
        replaced = together(race, dana, mallory, first, hidden=hidden, person_first=number % 2 == 0)
        wait_for(race, mallory, first)
        state = race.state(first)
        if state["decisions"]:
            won["approved"] += 1
            assert (state["state"], replaced.status) == ("succeeded", 409)
            assert state["decisions"][0]["digest"] == state["digest"]
            assert race.target.written.count(shown) == 1
        else:
            won["superseded"] += 1
            assert (state["state"], replaced.status) == ("superseded", 202)
            assert shown not in race.target.written
            second = race.state(replaced.json["id"])
            assert (second["state"], second["decisions"]) == ("pending", [])
            path = f"/v1/proposals/{second['id']}/withdraw"
            assert race.agents.ask("POST", path, token=mallory.token).status == 200
        assert hidden not in race.target.written
    # A race that one side always wins is none.
    assert min(won.values()) > 0, won
    entries = race.verified(tmp_path_factory.mktemp("log"), known=known)
    assert sum(entry["type"] == "execution.intent" for entry in entries) == won["approved"]
    assert len(race.target.written) == won["approved"]


def together(
    race: Scene, dana: Someone, mallory: Program, first: str, *, hidden: str, person_first: bool
) -> Answer:
    """Let the person approve *first* and the agent replace it; return what the agent is told."""
    form = race.card(dana, first)
    start = threading.Barrier(2)
    answers = []

    def approve() -> None:
        start.wait()
        race.press(dana, first, form)

    def replace() -> None:
        start.wait()
        answers.append(race.propose(mallory, text=hidden, supersedes=first))

    order = (approve, replace) if person_first else (replace, approve)
    sides = [threading.Thread(target=side) for side in order]
    for side in sides:
        side.start()
    for side in sides:
        side.join()
    (answer,) = answers
    return answer


def wait_for(race: Scene, agent: Program, proposal: str) -> None:
    """Wait until *proposal* is final."""
    race.agents.ask(
        "GET", f"/v1/proposals/{proposal}", token=agent.token, headers={"Prefer": "wait=20"}
    )


def test_a_press_on_a_card_that_was_replaced_says_so(race: Scene):
    dana = race.person("dana")
    mallory = race.agent("mallory", dana)
    first = race.propose(mallory, text="harmless").json
    form = race.card(dana, first["id"])
    second = race.propose(mallory, text="harmful", supersedes=first["id"]).json
    told = race.press(dana, first["id"], form)
    assert "Not recorded" in told
    # Nor does the old form press the new card: it carries another digest.
    assert "Not recorded" in race.press(dana, second["id"], form)
    assert race.state(second["id"])["decisions"] == []
    assert race.target.written == []
