"""A card shows what will be done, says what it leaves out, and never becomes more than text."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.actors import Agent, Person, agent_actor
from bot.core.approval import Approval, ApprovalMode, Choice, Decision
from bot.core.canonical import Digest, Json, canonical
from bot.core.card import (
    Button,
    Card,
    build_card,
    content_digest,
    fingerprint_of,
    full_view,
)
from bot.core.ids import AgentId, PersonId, ProposalId
from bot.core.proposal import (
    Action,
    Mode,
    Proposal,
    Rationale,
    action_digest,
    binding_digest,
)
from bot.core.states import State
from bot.core.status import WORDING, agent_message, status_line
from bot.core.untrusted import show, unshow
from bot.core.verbs import Facts, Kind, Preview
from bot.core.words import rule

T0 = datetime(2030, 1, 1, tzinfo=UTC)
NONE = Digest("sha256:" + "0" * 64)
DANA = Person(id=PersonId("per_dana"), handle="dana", display_name="Dana", created_at=T0)
AGENT = Agent(
    id=AgentId("agt_1"),
    name="writer",
    owner=DANA.id,
    purpose="Writes",
    principals=(DANA.id,),
    verbs=("*",),
    created_at=T0,
)


def held(params: dict[str, Json], *, before: Json = None, resource: str = "note:1") -> Proposal:
    action = Action(verb="note.write", resource=resource, params=params)
    proposal = Proposal(
        id=ProposalId("prp_1"),
        agent=AGENT.id,
        proposer=agent_actor(AGENT.id),
        principal=DANA.id,
        mode=Mode.EXECUTE,
        action_json=action.canonical().decode(),
        action_digest=action_digest(action.canonical()),
        digest=NONE,
        salt="00",
        connector="notebook",
        kind=Kind.WRITE,
        verb_digest=NONE,
        facts=Facts(),
        preview=Preview(effect="Write", target=resource, reversible="No", before=before),
        rationale=Rationale(why="because"),
        idempotency_key="k",
        request_digest=NONE,
        policy_digest=NONE,
        approval=Approval(),
        created_at=T0,
        expires_at=T0 + timedelta(hours=1),
        state=State.PENDING,
        changed_at=T0,
    )
    return replace(proposal, digest=binding_digest(proposal, deployment="test"))


def card(proposal: Proposal, *, may_decide: bool = True, max_chars: int = 4000) -> Card:
    return build_card(
        proposal,
        agent=AGENT,
        principal=DANA,
        reader=DANA.id,
        may_decide=may_decide,
        status=status_line(proposal),
        max_chars=max_chars,
    )


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)
params = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1), json_values, max_size=5
)


@given(params, st.integers(1, 40))
def test_the_full_view_gives_the_canonical_bytes_back(
    values: dict[str, Json], page_chars: int
) -> None:
    proposal = held(values)
    first = full_view(proposal, page=1, page_chars=page_chars)

    pages = [full_view(proposal, page=n, page_chars=page_chars) for n in range(1, first.count + 1)]

    assert "".join(unshow(page.text) for page in pages) == proposal.action_json
    assert canonical(dict(proposal.action.params)) == canonical(values)
    assert [page.is_last for page in pages] == [False] * (first.count - 1) + [True]


@given(params)
def test_a_card_with_room_shows_every_value(values: dict[str, Json]) -> None:
    shown = card(held(values), max_chars=10**9)

    assert shown.missing_chars == 0
    assert not shown.approve_needs_full_view
    assert sum(len(field.value) for field in shown.fields) == shown.total_chars


@given(params, st.integers(0, 200))
def test_a_card_without_room_says_so(values: dict[str, Json], max_chars: int) -> None:
    proposal = held(values)
    everything = card(proposal, max_chars=10**9)
    shown = card(proposal, max_chars=max_chars)

    complete = shown.fields == everything.fields
    assert complete == (shown.missing_chars == 0)
    assert shown.approve_needs_full_view == (not complete)


@given(params, params)
def test_another_action_is_another_card(a: dict[str, Json], b: dict[str, Json]) -> None:
    first, second = held(a), held(b)

    same = canonical(a) == canonical(b)
    assert (first.digest == second.digest) == same
    assert (content_digest(first) == content_digest(second)) == same


@given(st.text())
def test_what_a_card_shows_holds_no_hidden_character(text: str) -> None:
    value = "x" + text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    shown = card(held({"text": value}), max_chars=10**9)

    spelled = show(shown.fields[0].value)
    assert all(char == "\n" or char.isprintable() for char in spelled)
    assert unshow(spelled) == value


@given(json_values, json_values)
def test_no_two_values_look_alike(a: Json, b: Json) -> None:
    shown = [tuple(card(held({"v": v}), max_chars=10**9).fields) for v in (a, b)]

    assert (shown[0] == shown[1]) == (canonical(a) == canonical(b))


def test_text_that_reads_like_a_value_is_shown_in_quotes() -> None:
    shown = card(held({"a": "true", "b": True, "c": '"true"', "d": "5", "e": "truely"}))

    assert [field.value for field in shown.fields] == [
        '"true"',
        "true",
        r'"\"true\""',
        '"5"',
        "truely",
    ]


def test_a_rejection_says_why() -> None:
    rejected = replace(held({"t": "x"}), state=State.REJECTED, reason="wrong thread")

    assert status_line(rejected) == "Rejected. The reason: wrong thread"


def test_an_earlier_value_stands_beside_the_new_one() -> None:
    shown = card(held({"title": "new", "tags": ["a"]}, before={"title": "old"}))

    by_path = {field.path: field for field in shown.fields}
    assert by_path["/title"].before == "old"
    assert by_path["/tags/0"].before is None


def test_hidden_characters_are_warned_of() -> None:
    assert card(held({"text": "a\u202eb"})).warnings
    assert not card(held({"text": "plain"})).warnings


def test_only_those_who_may_decide_get_the_buttons() -> None:
    proposal = held({"text": "a"})

    assert Button.APPROVE in card(proposal).buttons
    assert Button.APPROVE not in card(proposal, may_decide=False).buttons


def test_who_has_approved_is_told_so_and_may_still_say_no() -> None:
    both = Approval(mode=ApprovalMode.CONFIRM, approvers=("principal", "owner"), count=2)
    word = Decision(
        person=DANA.id, choice=Choice.APPROVE, digest=NONE, card_digest=NONE, chat="web", at=T0
    )
    proposal = replace(held({"text": "a"}), approval=both, decisions=(word,))
    mine = card(replace(proposal, decisions=(replace(word, digest=proposal.digest),)))
    assert mine.is_approved_by_reader
    assert Button.APPROVE not in mine.buttons
    assert Button.REJECT in mine.buttons
    assert "You have approved." in rule(mine)
    # A word on something else, or of somebody else, is none on this.
    changed = replace(word, digest=Digest("sha256:" + "1" * 64))
    for other in (changed, replace(word, person=PersonId("per_x"), digest=proposal.digest)):
        assert Button.APPROVE in card(replace(proposal, decisions=(other,))).buttons


def test_a_final_card_has_no_button_that_decides() -> None:
    for state in State:
        if state in (State.PENDING, State.IN_DOUBT):
            continue
        buttons = card(replace(held({"text": "a"}), state=state)).buttons
        assert not {Button.APPROVE, Button.REJECT, Button.SETTLE_DONE} & set(buttons)


def test_a_fingerprint_is_easy_to_compare() -> None:
    assert fingerprint_of(Digest("sha256:0123456789abcdef0123")) == "0123 4567 89ab cdef"


def test_every_state_has_its_words_and_expired_is_never_called_denied() -> None:
    assert set(WORDING) == set(State)
    for state, wording in WORDING.items():
        assert wording.for_people
        assert wording.for_agents
        if state is not State.DENIED:
            assert "denied" not in wording.for_agents.lower()
    expired = replace(held({"t": "x"}), state=State.EXPIRED)
    for proposal in (expired, replace(expired, use_by=T0)):
        assert "denied" not in (agent_message(proposal) + status_line(proposal)).lower()
        assert "reject" not in (agent_message(proposal) + status_line(proposal)).lower()


def test_consent_is_claimed_only_where_a_person_or_rule_gave_it() -> None:
    without = {s for s, w in WORDING.items() if not w.consent}

    assert {State.PENDING, State.DENIED, State.REJECTED, State.EXPIRED, State.REVOKED} <= without


def test_the_approval_rule_is_part_of_what_is_bound() -> None:
    proposal = held({"text": "a"})
    stricter = replace(
        proposal,
        approval=Approval(mode=ApprovalMode.FOUR_EYES, approvers=("group:x",), count=2),
    )

    assert binding_digest(proposal, deployment="test") == proposal.digest
    assert binding_digest(stricter, deployment="test") != proposal.digest
    assert binding_digest(proposal, deployment="other") != proposal.digest
