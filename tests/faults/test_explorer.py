"""No order of events leads to a second effect, an effect without a quorum, or a lie about it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.core.halts import Halt
from bot.core.policy_file import parse_policy
from bot.core.proposal import Proposal
from bot.core.states import State
from bot.core.step import Snapshot, Step, Transition
from bot.core.transitions import decision, ending, execution, settlement
from tests.faults.explorer import POLICY, Explorer, Rules

Planted = Callable[..., Step[Any]]


@pytest.mark.parametrize("verb", ["plain", "idempotent"])
def test_no_order_of_events_leads_to_a_lie_or_a_second_effect(verb: str) -> None:
    explorer = Explorer(is_idempotent=verb == "idempotent")

    assert explorer.first_fault() is None
    assert explorer.states > 1000


def _seeing(step: Planted, change: Callable[[Snapshot], Snapshot]) -> Planted:
    """Return *step* as it is when it sees a changed snapshot."""
    return lambda snapshot, *args, **more: step(change(snapshot), *args, **more)


def _proposal(change: Callable[[Proposal], Proposal]) -> Callable[[Snapshot], Snapshot]:
    return lambda snapshot: replace(
        snapshot, proposals={p.id: change(p) for p in snapshot.proposals.values()}
    )


def _no_halts(snapshot: Snapshot) -> Snapshot:
    nothing: tuple[Halt, ...] = ()
    return replace(snapshot, halts=nothing)


def _taken_back_is_approved(proposal: Proposal) -> Proposal:
    if proposal.state is not State.WITHDRAWN:
        return proposal
    return replace(proposal, state=State.APPROVED)


def _needs_one(proposal: Proposal) -> Proposal:
    assert proposal.approval is not None
    return replace(proposal, approval=replace(proposal.approval, count=1))


def _one_is_enough(step: Planted) -> Planted:
    policy = parse_policy(POLICY.text.replace("count: 2", "count: 1"))

    def planted(snapshot: Snapshot, *args: Any, **more: Any) -> Step[Any]:
        seen = replace(_proposal(_needs_one)(snapshot), policy_digest=policy.digest)
        return step(seen, *args, **more | {"policy": policy})

    return planted


def _takes_over_anything(snapshot: Snapshot, *args: Any, **more: Any) -> Step[Any]:
    return execution.claim(
        snapshot, *args, **more | {"verb": replace(more["verb"], idempotent=True)}
    )


def _unfenced(snapshot: Snapshot, *args: Any, **more: Any) -> Step[Any]:
    made = execution.claim(snapshot, *args, **more)
    return replace(made, renewed=()) if isinstance(made, Transition) else made


def _any_attempt_counts(snapshot: Snapshot, **more: Any) -> Step[Any]:
    (proposal,) = snapshot.proposals.values()
    return execution.outcome(snapshot, **more | {"attempt": proposal.attempt, "lease": None})


def _done_expires_too(snapshot: Snapshot, id: Any) -> Step[Any]:
    changed = _proposal(
        lambda p: replace(p, state=State.APPROVED) if p.state is State.EXECUTING else p
    )
    return ending.expire(changed(snapshot), id)


def _unrecorded(snapshot: Snapshot, *args: Any, **more: Any) -> Step[Any]:
    made = execution.claim(snapshot, *args, **more)
    return replace(made, leaves=()) if isinstance(made, Transition) else made


def _absent_at_once(snapshot: Snapshot, *args: Any, verb: Any) -> Step[Any]:
    return settlement.absent_in_look_up(snapshot, *args, verb=replace(verb, settles_after_s=0))


#: Each planted fault: whether the verb is idempotent, and the rules with the fault in them.
PLANTED: Mapping[str, tuple[bool, Rules]] = {
    "what was taken back is carried out": (
        False,
        Rules(claim=_seeing(execution.claim, _proposal(_taken_back_is_approved))),
    ),
    "one person is enough": (
        False,
        Rules(decide=_one_is_enough(decision.decide), claim=_one_is_enough(execution.claim)),
    ),
    "anything is taken over and sent again": (False, Rules(claim=_takes_over_anything)),
    "a claim does not check its lease": (True, Rules(claim=_unfenced)),
    "a failure after a take-over is believed": (
        True,
        Rules(outcome=_seeing(execution.outcome, _proposal(lambda p: replace(p, intents=1)))),
    ),
    "the word of an earlier attempt ends a later one": (True, Rules(outcome=_any_attempt_counts)),
    "a claim does not see halts": (
        False,
        Rules(claim=_seeing(execution.claim, _no_halts), reads_halts_again=False),
    ),
    "what is carried out expires": (False, Rules(expire=_done_expires_too)),
    "an intent is not recorded": (False, Rules(claim=_unrecorded)),
    "absent is believed at once": (False, Rules(absent=_absent_at_once)),
    "a worker sends after its lease": (False, Rules(keeps_its_deadline=False)),
    "a worker does not read the halts again": (False, Rules(reads_halts_again=False)),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_fault_is_found(planted: str) -> None:
    is_idempotent, rules = PLANTED[planted]

    found = Explorer(is_idempotent=is_idempotent, rules=rules).first_fault()

    assert found is not None
