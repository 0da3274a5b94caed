from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.core.approval import (
    Approval,
    ApprovalMode,
    Choice,
    Decision,
    Stakes,
    eligible,
    quorum_met,
    votes,
)
from bot.core.canonical import Digest
from bot.core.ids import PersonId

T0 = datetime(2030, 1, 1, tzinfo=UTC)
DIGEST, OTHER = Digest("sha256:aa"), Digest("sha256:bb")
PRINCIPAL, OWNER = PersonId("per_principal"), PersonId("per_owner")
ANN, BOB, CID = PersonId("per_ann"), PersonId("per_bob"), PersonId("per_cid")
STAKES = Stakes(principal=PRINCIPAL, owner=OWNER)
FOUR_EYES = Approval(mode=ApprovalMode.FOUR_EYES, approvers=("group:sec",), count=2)


def word(person: PersonId, choice: Choice = Choice.APPROVE, digest: Digest = DIGEST) -> Decision:
    return Decision(
        person=person, choice=choice, digest=digest, card_digest=DIGEST, chat="web", at=T0
    )


def test_confirm_means_the_principal_alone() -> None:
    assert eligible(Approval(), STAKES, {}) == {PRINCIPAL}


def test_four_eyes_leaves_out_everybody_with_a_stake() -> None:
    members = {"sec": frozenset({PRINCIPAL, OWNER, ANN, BOB, CID})}
    stakes = Stakes(principal=PRINCIPAL, owner=OWNER, proposer=CID)

    assert eligible(FOUR_EYES, stakes, members) == {ANN, BOB}


def test_who_cannot_be_left_out_for_certain_does_not_decide() -> None:
    members = {"sec": frozenset({ANN, BOB}), "new": frozenset({BOB})}

    def may(exclude: str) -> frozenset[PersonId]:
        return eligible(replace(FOUR_EYES, exclude=(exclude,)), STAKES, members)

    assert may("group:new") == {ANN}
    assert may("group:unreadable") == frozenset()
    assert may("everybody else") == frozenset()


def test_one_person_counts_once_however_often_they_click() -> None:
    decisions = [word(ANN), word(ANN), word(ANN)]

    assert not quorum_met(FOUR_EYES, decisions, digest=DIGEST, among=frozenset({ANN, BOB}))


def test_an_approval_of_another_digest_does_not_count() -> None:
    assert votes([word(ANN, digest=OTHER)], digest=DIGEST, among=frozenset({ANN})) == frozenset()


def test_the_last_word_of_a_person_counts() -> None:
    decisions = [word(ANN), word(ANN, Choice.REJECT)]

    assert votes(decisions, digest=DIGEST, among=frozenset({ANN})) == frozenset()


def test_a_count_of_zero_still_needs_somebody() -> None:
    assert not quorum_met(Approval(count=0), [], digest=DIGEST, among=frozenset({ANN}))


terms = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(["", "group:", "group:sec", "group:none", "person:", "everyone", "*"]),
    ),
    max_size=4,
).map(tuple)


@given(approvers=terms, exclude=terms, mode=st.sampled_from(list(ApprovalMode)))
def test_no_configured_value_ever_widens_who_may_decide(
    approvers: tuple[str, ...], exclude: tuple[str, ...], mode: ApprovalMode
) -> None:
    approval = Approval(mode=mode, approvers=approvers, exclude=exclude)
    members = {"sec": frozenset({ANN, BOB})}

    named = {ANN, BOB} if "group:sec" in approvers else set()
    named |= {PRINCIPAL} if "principal" in approvers else set()
    named |= {OWNER} if "agent_owner" in approvers else set()
    named |= {t.removeprefix("person:") for t in approvers if t.startswith("person:")}

    assert eligible(approval, STAKES, members) <= named
    assert eligible(Approval(mode=mode, approvers=()), STAKES, members) == frozenset()


@given(st.lists(st.tuples(st.sampled_from([ANN, BOB, CID]), st.sampled_from(list(Choice)))))
def test_votes_never_exceed_the_people_who_approve_last(
    clicks: list[tuple[PersonId, Choice]],
) -> None:
    decisions = [word(person, choice) for person, choice in clicks]
    last = dict(clicks)

    counted = votes(decisions, digest=DIGEST, among=frozenset({ANN, BOB}))

    assert counted == {p for p, c in last.items() if c is Choice.APPROVE and p in {ANN, BOB}}
