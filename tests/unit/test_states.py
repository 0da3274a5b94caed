import pytest

from bot.core.errors import IllegalTransition
from bot.core.states import STOPPABLE, TERMINAL, TRANSITIONS, ActorKind, Event, State, next_state


def test_every_state_has_a_row() -> None:
    assert set(TRANSITIONS) == set(State)


@pytest.mark.parametrize("state", sorted(TERMINAL))
@pytest.mark.parametrize("event", list(Event))
@pytest.mark.parametrize("actor", list(ActorKind))
def test_a_terminal_state_has_no_way_out(state: State, event: Event, actor: ActorKind) -> None:
    with pytest.raises(IllegalTransition):
        next_state(state, event, actor=actor)


def reachable(start: State) -> set[State]:
    found: set[State] = set()
    frontier = {start}
    while frontier:
        found |= frontier
        frontier = {way.to for s in frontier for way in TRANSITIONS[s].values()} - found
    return found


def test_an_action_starts_from_an_approval_only_and_never_goes_back() -> None:
    into = [
        s for s, ways in TRANSITIONS.items() if State.EXECUTING in {w.to for w in ways.values()}
    ]

    assert into == [State.APPROVED]
    assert State.APPROVED not in reachable(State.EXECUTING)
    assert State.PENDING not in reachable(State.APPROVED)


def test_no_agent_and_no_resource_server_can_approve() -> None:
    for ways in TRANSITIONS.values():
        for way in ways.values():
            if way.to is State.APPROVED:
                assert way.actors == {ActorKind.PERSON}


def test_what_may_have_happened_cannot_be_stopped_or_expire() -> None:
    for state in (State.EXECUTING, State.REDEEMED, State.IN_DOUBT):
        assert state not in STOPPABLE
        assert Event.EXPIRE not in TRANSITIONS[state]


def test_an_actor_the_table_does_not_name_is_refused() -> None:
    with pytest.raises(IllegalTransition):
        next_state(State.PENDING, Event.APPROVE, actor=ActorKind.AGENT)
    with pytest.raises(IllegalTransition):
        next_state(State.IN_DOUBT, Event.SUCCEED, actor=ActorKind.AGENT)
