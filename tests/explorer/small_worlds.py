"""The worlds that are explored whole: each small enough, and together about everything."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bot.core.effects import EffectKind
from bot.core.verbs import Release
from bot.testing.notebook import WRITE, Notebook
from tests.audit.logs import new_signer
from tests.explorer.happening import Event, Events
from tests.explorer.laws import Terms
from tests.explorer.moves import Moves
from tests.explorer.search import Explored, explore
from tests.explorer.stage import AUDIENCE, GROUP, Stage
from tests.explorer.world import PATIENCE_S, World

_RULE: Final = """
version: 1
rules:
  - id: notes
    verbs: [note.write]
    effect: {{hold: {{{hold}, expires: {patience}s, use_by: {patience}s}}}}
"""
CONFIRM: Final = _RULE.format(hold="mode: confirm", patience=PATIENCE_S)
FOUR_EYES: Final = _RULE.format(
    hold=f'mode: four_eyes, approvers: ["group:{GROUP}"], count: 2', patience=PATIENCE_S
)
RELEASE: Final = _RULE.format(hold=f'release: ["{AUDIENCE}"]', patience=PATIENCE_S)

_BY_DANA: Final = "dana"
_EXECUTING: Final = (EffectKind.EXECUTE,)
_PLAIN: Final = replace(WRITE, settles_after_s=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallWorld:
    """``prologue`` names what happens first, one after the other; ``themes`` all that may then."""

    name: str
    policy: str = CONFIRM
    needs: int = 1
    notebook: Callable[[], Notebook] = lambda: Notebook(verb=_PLAIN)
    works: Sequence[EffectKind] = _EXECUTING
    are_alike: bool = True
    goes_on: bool = False
    at_least: int = 50
    prologue: Callable[[Moves], Sequence[Events]] = lambda _: ()
    themes: Callable[[Moves], Sequence[Events]]

    async def opened(self, place: Path) -> "Opened":
        notebook = self.notebook()
        stage = Stage(
            policy=self.policy,
            notebook=notebook,
            terms=Terms(needs=self.needs, approvers=None),
            works=self.works,
        )
        first = await stage.open(new_signer())
        verb = notebook.verb
        stage.terms = Terms(
            needs=self.needs,
            approvers=None if self.needs > 1 else frozenset({stage.cast.dana.id}),
            is_idempotent=verb.idempotent,
            can_look_up=verb.can_look_up,
        )
        moves = Moves(stage, place)
        for events in self.prologue(moves):
            (event,) = events(first)
            first = await stage.after(first, event.play)
            assert not first.wrong, f"{self.name}: {event.name}: {first.wrong}"
        return Opened(stage, first, tuple(self.themes(moves)))

    async def explored(self, place: Path) -> Explored:
        opened = await self.opened(place)
        return await explore(
            opened.stage,
            opened.first,
            opened.events,
            are_alike=self.are_alike,
            goes_on=self.goes_on,
        )


@dataclass(frozen=True, slots=True)
class Opened:
    stage: Stage
    first: World
    themes: Sequence[Events]

    def events(self, world: World) -> Iterator[Event]:
        for theme in self.themes:
            yield from theme(world)


def _approved(moves: Moves) -> Sequence[Events]:
    return (moves.submits("A"), moves.approves("A", "dana"))


def _done(moves: Moves) -> Sequence[Events]:
    works = moves.workers.works(answers=("done",), count=1)
    steps = ("takes work", "claims", "goes on", "reports")
    return (*_approved(moves), *(moves.only(step, works) for step in steps))


def with_undo() -> Notebook:
    """Return a notebook whose notes can be erased for as long as people's patience lasts."""
    notebook = Notebook.with_undo()
    undo = notebook.verb.undo
    assert undo is not None
    notebook.verb = replace(notebook.verb, undo=replace(undo, window_s=PATIENCE_S))
    return notebook


def _released() -> Notebook:
    release = Release(audience=AUDIENCE, report_within_s=PATIENCE_S)
    return Notebook(verb=replace(_PLAIN, can_look_up=False, release=release))


SMALL_WORLDS: Final = (
    SmallWorld(
        name="two people decide",
        policy=FOUR_EYES,
        needs=2,
        are_alike=False,
        prologue=lambda moves: (moves.submits("A"),),
        themes=lambda moves: (
            moves.time_passes(2),
            moves.clocks_end,
            moves.approves("A", "eve"),
            moves.decides("A", "finn"),
            moves.approves("A", "dana"),
            moves.leaves_the_group("finn"),
            moves.tightens,
            moves.withdraws("A"),
            moves.stops,
            moves.workers.works(answers=("done",), count=1),
        ),
    ),
    SmallWorld(
        name="one proposal replaces another",
        themes=lambda moves: (
            moves.submits("A"),
            moves.submits("B", superseding="A"),
            moves.time_passes(2),
            moves.clocks_end,
            moves.approves("A", "dana"),
            moves.approves("B", "dana"),
            moves.presses_an_old_card("B", "A", "dana"),
            moves.withdraws("A"),
            moves.workers.works(answers=("done",), count=1),
        ),
    ),
    SmallWorld(
        name="at once, and on a full disk",
        works=(EffectKind.EXECUTE, EffectKind.SWEEP),
        themes=lambda moves: (
            moves.submits("A"),
            moves.approves("A", "dana"),
            moves.stops,
            moves.workers.sweeps,
            moves.workers.works(answers=("done",), count=1),
            moves.at_once(moves.approves("A", "dana"), moves.withdraws("A")),
            moves.at_once(
                moves.stops, moves.only("claims", moves.workers.works(answers=("done",), count=1))
            ),
            moves.disk_is_full_for(moves.stops, moves.submits("A"), moves.approves("A", "dana")),
            moves.crashes(1),
        ),
    ),
    SmallWorld(
        name="carried out once",
        works=(EffectKind.EXECUTE, EffectKind.LOOK_UP),
        prologue=_approved,
        themes=lambda moves: (
            moves.time_passes(1),
            moves.clocks_look(),
            moves.workers.works(answers=("answer lost", "lost on its way")),
            moves.workers.requests_arrive,
            moves.workers.looks_up,
            moves.crashes(1),
        ),
    ),
    SmallWorld(
        name="carried out under a key",
        notebook=lambda: Notebook(verb=replace(_PLAIN, idempotent=True, can_look_up=False)),
        prologue=_approved,
        themes=lambda moves: (
            moves.time_passes(2),
            moves.clocks_look(),
            moves.workers.works(answers=("answer lost", "lost on its way", "refused")),
            moves.workers.requests_arrive,
            moves.settles,
            moves.workers.workers_die,
        ),
    ),
    SmallWorld(
        name="stopped",
        works=(EffectKind.EXECUTE, EffectKind.SWEEP),
        prologue=_approved,
        themes=lambda moves: (
            moves.time_passes(1),
            moves.clocks_end,
            moves.clocks_look(),
            moves.workers.works(answers=("done",), count=1),
            moves.stops,
            moves.workers.sweeps,
            moves.withdraws("A"),
            moves.crashes(1),
        ),
    ),
    SmallWorld(
        name="taken back",
        goes_on=True,
        notebook=with_undo,
        prologue=_done,
        themes=lambda moves: (
            moves.time_passes(2),
            moves.clocks_look(),
            moves.undoes("A", "dana", "eve"),
            moves.workers.works(answers=("done", "refused"), count=1),
            moves.settles,
        ),
    ),
    SmallWorld(
        name="released",
        policy=RELEASE,
        notebook=_released,
        works=(),
        prologue=lambda moves: (moves.submits("A", released=True), moves.approves("A", "dana")),
        themes=lambda moves: (
            moves.time_passes(3),
            moves.clocks_end,
            moves.release.grants("A"),
            moves.release.redeems("A"),
            moves.release.reports("A"),
            moves.crashes(1),
        ),
    ),
    SmallWorld(
        name="released and stopped",
        policy=RELEASE,
        notebook=_released,
        works=(EffectKind.SWEEP,),
        prologue=lambda moves: (moves.submits("A", released=True), moves.approves("A", "dana")),
        themes=lambda moves: (
            moves.release.grants("A"),
            moves.release.redeems("A"),
            moves.withdraws("A"),
            moves.tightens,
            moves.stops,
            moves.workers.sweeps,
        ),
    ),
    SmallWorld(
        name="shown",
        works=(EffectKind.DELIVER,),
        prologue=lambda moves: (moves.submits("A"), moves.submits("B")),
        themes=lambda moves: (
            moves.time_passes(2),
            moves.clocks_look(most=1),
            moves.workers.couriers(2),
            moves.at_once(moves.workers.couriers(2), moves.withdraws("B")),
        ),
    ),
)


def small_world(name: str) -> SmallWorld:
    return next(world for world in SMALL_WORLDS if world.name == name)


__all__ = ["SMALL_WORLDS", "Opened", "SmallWorld", "small_world", "with_undo"]
