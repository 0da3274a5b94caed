"""The same laws in a bigger world, which is too big to be explored whole."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from bot.core.effects import EffectKind
from bot.testing.notebook import Notebook
from tests.explorer.search import loop_of_its_own
from tests.explorer.small_worlds import SmallWorld, with_undo

_EVERYTHING = ("done", "answer lost", "refused", "lost on its way")


def _notebook() -> Notebook:
    notebook = with_undo()
    notebook.verb = replace(notebook.verb, idempotent=True)
    return notebook


BIG = SmallWorld(
    name="big",
    notebook=_notebook,
    works=(EffectKind.EXECUTE, EffectKind.LOOK_UP, EffectKind.SWEEP, EffectKind.DELIVER),
    themes=lambda moves: (
        moves.submits("A"),
        moves.submits("B", superseding="A"),
        moves.submits("C"),
        moves.decides("A", "dana", "eve"),
        moves.decides("B", "dana"),
        moves.approves("C", "dana"),
        moves.presses_an_old_card("B", "A", "dana"),
        moves.withdraws("C"),
        moves.undoes("A", "dana"),
        moves.undoes("C", "dana", "eve"),
        moves.stops,
        moves.tightens,
        moves.settles,
        moves.time_passes(6),
        moves.clocks_end,
        moves.clocks_look(),
        moves.crashes(3),
        moves.at_once(moves.approves("C", "dana"), moves.withdraws("C")),
        moves.disk_is_full_for(moves.stops, moves.submits("C"), moves.approves("B", "dana")),
        moves.workers.works(answers=_EVERYTHING, count=3),
        moves.workers.workers_die,
        moves.workers.requests_arrive,
        moves.workers.looks_up,
        moves.workers.sweeps,
    ),
)


class RandomWorld(RuleBasedStateMachine):
    """One world; each rule is the next event, whichever it may be."""

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        place = Path(self._open.enter_context(TemporaryDirectory())) / "reopened.sqlite3"
        self._loop = self._open.enter_context(loop_of_its_own())
        self._opened = self._loop.run(BIG.opened(place))
        self._world = self._opened.first

    @precondition(lambda self: not self._world.wrong)
    @rule(choice=strategies.integers(min_value=0, max_value=2**16))
    def something_happens(self, choice: int) -> None:
        events = list(self._opened.events(self._world))
        event = events[choice % len(events)]
        stage = self._opened.stage
        self._world = self._loop.run(
            stage.after(self._world, event.play, was_replay=event.was_replay)
        )
        assert not self._world.wrong, f"{event.name}: {self._world.wrong}"

    def teardown(self) -> None:
        self._open.close()


# The same worlds in every run: chance belongs into a longer run on purpose.
RandomWorld.TestCase.settings = settings(
    derandomize=True,
    max_examples=25,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
test_no_random_order_of_events_breaks_a_law = RandomWorld.TestCase
