"""What is wrong with a log is found, and called by its name."""

from collections.abc import Callable

import pytest

from bot.core.audit.entries import OF_PROPOSALS
from bot.core.audit.problems import Fault
from bot.core.audit.verify import Report, Verdict
from bot.core.states import State
from tests.audit.lives import Lives
from tests.audit.logs import Entry, Log, audit, new_signer, verify


def faults(report: Report) -> set[Fault]:
    return set(report.counts)


def test_a_log_with_every_kind_of_life_has_nothing_wrong(log: Log) -> None:
    report = verify(log)

    assert report.problems == ()
    assert report.unknown_types == {}
    assert report.verdict is Verdict.UNANCHORED
    assert report.size == len(log.entries)


def test_the_log_of_these_tests_has_every_type_of_entry_of_a_held_action(log: Log) -> None:
    types = {entry.value()["type"] for entry in log.entries}
    held = {t for t in OF_PROPOSALS if t.startswith(("card.", "click.", "decision.", "execution."))}

    assert held - types <= {"card.lost", "card.undeliverable", "execution.late_report"}


def test_a_log_that_agrees_with_a_known_checkpoint_is_verified(log: Log) -> None:
    report = verify(log, checkpoints=[log.checkpoint(10)], keys=[log.signer.key])

    assert (report.verdict, report.agreed) == (Verdict.VERIFIED, (10,))
    assert report.signed_by_known_key


def test_the_empty_checkpoint_anchors_nothing(log: Log) -> None:
    assert verify(log, checkpoints=[log.checkpoint(0)]).verdict is Verdict.UNANCHORED


# What happens to a file, under the checkpoint that was signed before.


def _change(log: Log) -> None:
    log.entries[7].set(at=log.entries[7].value()["at"].replace("Z", "")[:-1] + "9Z")


def _remove(log: Log) -> None:
    del log.entries[9]


def _reorder(log: Log) -> None:
    log.entries[8], log.entries[9] = log.entries[9], log.entries[8]


def _duplicate(log: Log) -> None:
    log.entries.insert(8, log.entries[7])


def _cut(log: Log) -> None:
    del log.entries[-3:]


def _add(log: Log) -> None:
    log.entries.append(Entry(log.entries[-1].body))
    log.renumber()


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (_change, Fault.ROOT_DIFFERS),
        (_remove, Fault.MISSING_ENTRY),
        (_reorder, Fault.OUT_OF_ORDER),
        (_duplicate, Fault.DUPLICATE_ENTRY),
        (_cut, Fault.CUT_TAIL),
        (_add, Fault.BEYOND_CHECKPOINT),
    ],
)
def test_a_changed_file_contradicts_its_own_checkpoint(
    log: Log, tamper: Callable[[Log], None], fault: Fault
) -> None:
    signed = log.checkpoint()[1]
    tamper(log)

    report = audit(log.lines(signed=signed))

    assert report.verdict is Verdict.INVALID
    assert fault in faults(report)


@pytest.mark.parametrize("tamper", [_change, _remove, _reorder, _duplicate])
def test_a_history_that_was_signed_anew_diverges_from_what_was_known(
    log: Log, tamper: Callable[[Log], None]
) -> None:
    known = log.checkpoint(12)
    tamper(log)

    assert Fault.FORKED in faults(verify(log, checkpoints=[known]))


def test_another_end_after_a_known_beginning_is_a_fork(log: Log) -> None:
    known = log.checkpoint()
    log.entries[-1].set(policy=log.entries[-1].value()["policy"], marked="x")

    report = verify(log, checkpoints=[known])

    assert (report.verdict, faults(report)) == (Verdict.DIVERGED, {Fault.FORKED})


def test_a_tail_that_was_cut_and_signed_anew_is_shorter_than_was_known(log: Log) -> None:
    known = log.checkpoint()
    # The last entry is a change of policy, so that nothing else is amiss without it.
    del log.entries[-1]

    report = verify(log, checkpoints=[known])

    assert (report.verdict, faults(report)) == (Verdict.DIVERGED, {Fault.SHORTER_THAN_KNOWN})


def test_another_log_is_not_the_known_one(log: Log) -> None:
    other = Log(log.entries, new_signer())

    report = verify(other, checkpoints=[log.checkpoint()])

    assert (report.verdict, faults(report)) == (Verdict.DIVERGED, {Fault.ANOTHER_LOG})


def test_a_log_that_another_key_signed_diverges(log: Log) -> None:
    report = verify(log, keys=[new_signer().key])

    assert (report.verdict, faults(report)) == (Verdict.DIVERGED, {Fault.ANOTHER_KEY})


def test_a_checkpoint_whose_signature_does_not_hold_is_invalid(log: Log) -> None:
    other = Log(log.entries[:-1], log.signer).checkpoint()[1]
    text = log.checkpoint()[0].body()

    report = audit(log.lines(signed=type(other)(text, other.signatures)))

    assert faults(report) == {Fault.BAD_SIGNATURE}


# What an insider writes who can sign every history that they make up.


def _approve_nothing(log: Log) -> None:
    log.entries[log.find("execution.intent")].set(approved_by=[])


def _lose_an_approval(log: Log) -> None:
    del log.entries[log.find("decision.approve", where=_by_four_eyes(log))]


def _lose_the_approvals(log: Log) -> None:
    of = log.entries[log.find("execution.intent")].value()["proposal"]
    log.entries = [
        e
        for e in log.entries
        if (e.value()["type"], e.value().get("proposal")) != ("decision.approve", of)
    ]


def _lose_the_intent(log: Log) -> None:
    del log.entries[log.find("execution.intent")]


def _approve_twice(log: Log) -> None:
    at = log.find("decision.approve", where=_by_four_eyes(log))
    twin = Entry(log.entries[at].body)
    log.entries.insert(at + 1, twin)


def _approve_twice_for_a_quorum(log: Log) -> None:
    """Let one person be both of the two that had to approve."""
    first = log.find("decision.approve", where=_by_four_eyes(log))
    one = log.entries[first].value()["actor"]
    proposal = log.entries[first].value()["proposal"]
    second = log.find(
        "decision.approve", where=lambda v: v["proposal"] == proposal and v["actor"] != one
    )
    log.entries[second].set(actor=one)
    intent = log.find("execution.intent", where=lambda v: v["proposal"] == proposal)
    log.entries[intent].set(approved_by=[one.partition(":")[2]])


def _decide_after_the_end(log: Log) -> None:
    at = log.find("decision.reject")
    log.entries.insert(at + 1, Entry(log.entries[at].body))


def _show_another_card(log: Log) -> None:
    log.entries[log.find("decision.approve")].set(card_digest="sha256:" + "1" * 64)


def _settle_without_doubt(log: Log) -> None:
    of = log.entries[log.find("settlement")].value()["proposal"]
    at = log.find("execution.outcome", where=lambda v: v["proposal"] == of)
    log.entries[at].set(state="failed", result="failed")


def _approve_by_an_agent(log: Log) -> None:
    at = log.find("decision.approve")
    log.entries[at].set(actor="agent:" + log.entries[at].value()["agent"])


def _approve_another_digest(log: Log) -> None:
    log.entries[log.find("decision.approve")].set(digest="sha256:" + "1" * 64)


def _resurrect(log: Log) -> None:
    at = log.find("proposal.expired")
    log.entries[at].set(state="pending")


def _break_the_link(log: Log) -> None:
    log.entries[log.find("proposal.superseded")].set(superseded_by="prp_" + "0" * 26)


def _forget_the_failure(log: Log) -> None:
    at = log.find("proposal.submitted", where=lambda v: v["successor_of"] is not None)
    log.entries[at].set(successor_of="prp_" + "0" * 26)


def _forget_the_halt(log: Log) -> None:
    del log.entries[log.find("halt.set")]


def _forget_the_agent(log: Log) -> None:
    del log.entries[log.find("agent.created")]


def _forget_a_person(log: Log) -> None:
    del log.entries[log.find("person.created")]


def _forget_the_proposal(log: Log) -> None:
    del log.entries[log.find("proposal.submitted")]


def _forget_a_policy(log: Log) -> None:
    del log.entries[log.find("policy.activated")]


def _begin_while_halted(log: Log) -> None:
    """Move the halt to the front: the work that followed was done against it."""
    halt = log.entries.pop(log.find("halt.set"))
    log.entries.insert(log.find("proposal.submitted"), halt)


def _approve_as_principal(log: Log) -> None:
    """Count the one person who has a stake in it."""
    lives = [log.find("decision.approve", where=_by_four_eyes(log))]
    value = log.entries[lives[0]].value()
    log.entries[lives[0]].set(actor="person:" + value["principal"])
    intent = log.find("execution.intent", where=lambda v: v["proposal"] == value["proposal"])
    others = log.entries[intent].value()["approved_by"]
    eve = value["actor"].partition(":")[2]
    log.entries[intent].set(approved_by=[value["principal"], *(p for p in others if p != eve)])


def _go_back_in_time(log: Log) -> None:
    log.entries[9].set(at="1999-01-01T00:00:00.000000Z")


def _change_a_reason(log: Log) -> None:
    entry = log.entries[log.find("decision.reject")]
    (opening,) = entry.openings
    entry.openings = [type(opening)(path=opening.path, salt=opening.salt, value="Yes, please")]


def _change_the_action(log: Log) -> None:
    """Record another action than the one whose digest was bound."""
    entry = log.entries[log.find("proposal.submitted")]
    from bot.core.leaf import commitment  # noqa: PLC0415 - only an insider needs it

    shown = [
        type(o)(path=o.path, salt=o.salt, value='{"harmless":true}') if o.path == "action" else o
        for o in entry.openings
    ]
    entry.openings = shown
    entry.set(**{o.path: {"commitment": commitment(o)} for o in shown})


def _speak_another_language(log: Log) -> None:
    at = log.find("proposal.expired")
    log.entries[at].set(type="proposal.blessed")


def _write_it_otherwise(log: Log) -> None:
    entry = log.entries[5]
    entry.body = entry.body.replace(b'{"', b'{ "', 1)


def _write_a_number_otherwise(log: Log) -> None:
    entry = log.entries[log.find("proposal.submitted")]
    entry.set(verb_config={"limits": [[1]]})
    # RFC 8785 writes 1, and no other spelling of it.
    entry.body = entry.body.replace(b"[[1]]", b"[[1.0]]")


def _write_nonsense(log: Log) -> None:
    log.entries[5].body = b'{"i":5}'


def _leave_a_field_out(log: Log) -> None:
    entry = log.entries[log.find("execution.intent")]
    value = entry.value()
    del value["attempt"]
    entry.body = Entry(b"{}").body
    entry.set(**value)


def _by_four_eyes(log: Log) -> Callable[[dict[str, object]], bool]:
    at = log.find("proposal.submitted", where=lambda v: (v["approval"] or {}).get("count") == 2)
    wanted = log.entries[at].value()["proposal"]
    return lambda value: value.get("proposal") == wanted


INSIDERS: dict[Callable[[Log], None], Fault] = {
    _approve_nothing: Fault.INTENT_WITHOUT_QUORUM,
    _lose_an_approval: Fault.INTENT_WITHOUT_QUORUM,
    _lose_the_approvals: Fault.INTENT_WITHOUT_APPROVAL,
    _lose_the_intent: Fault.OUTCOME_WITHOUT_INTENT,
    _approve_twice: Fault.APPROVED_TWICE,
    _approve_twice_for_a_quorum: Fault.APPROVED_WITHOUT_QUORUM,
    _decide_after_the_end: Fault.DECISION_AFTER_END,
    _show_another_card: Fault.WRONG_CARD,
    _settle_without_doubt: Fault.SETTLED_WITHOUT_DOUBT,
    _approve_by_an_agent: Fault.WRONG_ACTOR,
    _approve_another_digest: Fault.WRONG_DIGEST,
    _resurrect: Fault.IMPOSSIBLE_STEP,
    _break_the_link: Fault.BROKEN_LINK,
    _forget_the_failure: Fault.BROKEN_LINK,
    _forget_the_halt: Fault.UNKNOWN_HALT,
    _forget_the_agent: Fault.UNKNOWN_AGENT,
    _forget_a_person: Fault.UNKNOWN_PERSON,
    _forget_the_proposal: Fault.UNKNOWN_PROPOSAL,
    _forget_a_policy: Fault.UNKNOWN_POLICY,
    _begin_while_halted: Fault.INTENT_WHILE_HALTED,
    _approve_as_principal: Fault.INTENT_WITHOUT_QUORUM,
    _go_back_in_time: Fault.TIME_WENT_BACK,
    _change_a_reason: Fault.BAD_COMMITMENT,
    _change_the_action: Fault.ACTION_DIFFERS,
    _speak_another_language: Fault.IMPOSSIBLE_STEP,
    _write_it_otherwise: Fault.NOT_CANONICAL,
    _write_a_number_otherwise: Fault.NOT_CANONICAL,
    _write_nonsense: Fault.NOT_AN_ENTRY,
    _leave_a_field_out: Fault.NOT_AN_ENTRY,
}


@pytest.mark.parametrize("tamper", INSIDERS, ids=lambda tamper: tamper.__name__.strip("_"))
def test_what_cannot_have_happened_is_found_under_a_signature_that_holds(
    log: Log, tamper: Callable[[Log], None]
) -> None:
    tamper(log)
    if tamper not in (_write_nonsense, _write_it_otherwise):
        log.renumber()

    report = verify(log)

    assert report.verdict is Verdict.INVALID
    assert INSIDERS[tamper] in faults(report)
    assert Fault.ROOT_DIFFERS not in faults(report)


def test_every_fault_that_entries_can_show_is_tried_here() -> None:
    elsewhere = {
        *(Fault.MISSING_ENTRY, Fault.DUPLICATE_ENTRY, Fault.OUT_OF_ORDER, Fault.CUT_TAIL),
        *(Fault.BEYOND_CHECKPOINT, Fault.ROOT_DIFFERS, Fault.BAD_SIGNATURE, Fault.BAD_PROOF),
        *(Fault.FORKED, Fault.SHORTER_THAN_KNOWN, Fault.ANOTHER_LOG, Fault.ANOTHER_KEY),
        Fault.SUBMITTED_TWICE,
    }
    assert set(Fault) - elsewhere == set(INSIDERS.values())


def test_a_proposal_cannot_be_submitted_twice(log: Log) -> None:
    at = log.find("proposal.submitted")
    log.entries.append(Entry(log.entries[at].body))
    log.renumber()

    assert Fault.SUBMITTED_TWICE in faults(verify(log))


def test_an_unknown_type_is_named_and_may_change_no_state(log: Log) -> None:
    log.entries[log.find("card.viewed")].set(type="card.sung")

    report = verify(log)

    assert report.verdict is Verdict.UNANCHORED
    assert report.unknown_types == {"card.sung": 1}


def test_each_problem_says_where_and_the_first_comes_first(log: Log) -> None:
    early, late = log.find("decision.approve"), log.find("execution.outcome")
    log.entries[late].set(digest="sha256:" + "1" * 64)
    log.entries[early].set(card_digest="sha256:" + "1" * 64)

    report = verify(log)

    assert [(p.index, p.fault) for p in report.problems] == [
        (early, Fault.WRONG_CARD),
        (late, Fault.WRONG_DIGEST),
    ]
    assert report.total == 2


def test_every_state_a_proposal_can_end_in_without_a_grant_is_in_this_log(
    log: Log, lives: Lives
) -> None:
    ended = {e.value().get("state") for e in log.entries}

    assert {state.value for state in State} - ended <= {"released", "redeemed"}
    assert len(lives.named) == 12


def test_openings_may_be_left_out(log: Log) -> None:
    report = audit(log.lines(with_openings=False))

    assert (report.verdict, report.opened) == (Verdict.UNANCHORED, 0)
