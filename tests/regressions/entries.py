"""Known failures without a test of their own here: kept out elsewhere, not yet, or not at all."""

from dataclasses import dataclass

from tests.regressions.known import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered(Failure):
    """``by`` is the test that proves it: a file and a function, as pytest names them."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Later(Failure):
    """It belongs to a part of Keyturn that is not built yet; ``promise`` says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotOurs(Failure):
    """It cannot happen in this design; ``promise`` says why."""


_KILLED = "tests/faults/test_sigkill.py::test_a_bot_that_is_killed_tells_one_truth_when_it_is_back"
_RACES = "tests/faults/test_races.py::test_of_everybody_at_once_one_wins_and_all_are_told_the_same"
_SECOND_BOT = (
    "tests/faults/test_bad_places.py::"
    "test_a_second_bot_on_the_same_data_is_refused_and_the_first_goes_on"
)
_WEBHOOKS = "tests/webhooks/test_truth.py::test_the_agent_ends_with_the_truth"
_CANARIES = "tests/secrets/test_canaries.py::test_nobody_is_told_a_secret"
_CLIENT = "sdk/tests/test_client.py::test_every_doubt_fails_closed"
_FORUM = "tests/e2e/test_forum_story.py::test_the_agent_reaches_the_board_only_through_a_person"
_NO_RECORD = "tests/faults/test_bad_places.py::test_nothing_moves_that_cannot_be_recorded"
_CARD = "tests/regressions/test_cards.py::test_a_card_says_who_wants_what_for_whom_and_who_sees_it"
_GATES = (
    "tests/regressions/test_round_the_gate.py::"
    "test_without_a_rule_and_without_the_credential_there_is_no_way"
)
_STRAIGHT = "tests/regressions/test_asking.py::test_a_card_reaches_the_bound_person_and_nobody_else"

ENTRIES: tuple[Covered | Later | NotOurs, ...] = (
    Later(
        id="B6",
        title="a tap in a chat is enough for what could ruin a company",
        seen_in="Teleport, OpenClaw",
        promise="A rule that asks for a passkey comes with the chats; the inbox has its own "
        "sign-in today.",
    ),
    Covered(
        id="F3",
        title="a crash between yes and done: it runs twice, or nobody knows",
        seen_in="Jarvis, agent-safe-pipeline, Autumn",
        promise="Killed at each of 21 steps, it ends once, and what is not known is in doubt.",
        by=_KILLED,
    ),
    Covered(
        id="T1",
        title="twelve tests, 1: a crash at every point, then the click",
        seen_in="most of the field",
        promise="One truth at the end, and at most one effect, by the target's own record.",
        by=_KILLED,
    ),
    Covered(
        id="T2",
        title="twelve tests, 2: everybody at once, deliveries doubled",
        seen_in="most of the field",
        promise="One wins, and all are told the same. Several bots on one store come later.",
        by=_RACES,
    ),
    Covered(
        id="T7",
        title="twelve tests, 7: planted secrets leave through some way out",
        seen_in="most of the field",
        promise="Thirty kinds, planted in every place, come out nowhere.",
        by=_CANARIES,
    ),
    Later(
        id="T8",
        title="twelve tests, 8: a card is too large to be posted or changed",
        seen_in="Slack and Teams bots",
        promise="Their limits come with these chats; the inbox pages its full view.",
    ),
    Later(
        id="T9",
        title="twelve tests, 9: the chat is not answered in its time",
        seen_in="Slack and Teams bots",
        promise="Their seconds come with these chats. A slow commit is already told as such.",
    ),
    Covered(
        id="P1e",
        title="two workers on one database break the chain",
        seen_in="an HTTP approval server",
        promise="A second bot on the same data does not start, and the first goes on.",
        by=_SECOND_BOT,
    ),
    Covered(
        id="P1g",
        title="the agent's callback is never called",
        seen_in="an HTTP approval server",
        promise="Webhooks come from the outbox until they are taken, and reading never needs one.",
        by=_WEBHOOKS,
    ),
    Later(
        id="P1i",
        title="any member of the Slack workspace approves",
        seen_in="an HTTP approval server",
        promise="Comes with Slack; a click is already checked where all chats end, at the desk.",
    ),
    NotOurs(
        id="P3d",
        title="without a key the question is asked in the terminal of the agent",
        seen_in="an approval SDK",
        promise="The client has no other way to ask: without Keyturn it fails.",
    ),
    Covered(
        id="P4b",
        title="the gate opens when it fails, or when it does not understand the answer",
        seen_in="a guard for tool calls",
        promise="Whatever the client of a resource server cannot be sure of is a refusal.",
        by=_CLIENT,
    ),
    Covered(
        id="P5b",
        title="only one program may attach what runs, says the manual; every program can",
        seen_in="a phone approver",
        promise="There is nothing to attach: verb, resource and params are all there is.",
        by=_CARD,
    ),
    Later(
        id="P6f",
        title="an agent with a similar name passes as registered",
        seen_in="an agent governance toolkit",
        promise="Comes with the inventory. Agents are known by their token, never by a name.",
    ),
    Covered(
        id="P7c",
        title="a flag on the agent switches the gate off",
        seen_in="an approval queue for agents",
        promise="There is no such flag; what an agent may do at once is a rule of the policy.",
        by=_GATES,
    ),
    Covered(
        id="P10c",
        title="what must run once is locked in one process only",
        seen_in="an access gateway",
        promise="The claim is a commit in the database, and only one bot opens it.",
        by=_SECOND_BOT,
    ),
    Covered(
        id="P10d",
        title="under load a click is dropped after two seconds",
        seen_in="an access gateway",
        promise="A click that takes long goes on, and says so; none is dropped.",
        by=_RACES,
    ),
    Later(
        id="P10f",
        title="the Teams card shows, and cannot be answered",
        seen_in="an access gateway",
        promise="Comes with Teams.",
    ),
    Covered(
        id="P11e",
        title="the whole payload goes to a channel",
        seen_in="an agent control plane",
        promise="A card is shown to the people who may decide, and to no channel.",
        by=_STRAIGHT,
    ),
    Later(
        id="P13a",
        title="decisions about a batch are matched by position",
        seen_in="an approval middleware",
        promise="Batches are not built yet. Each proposal has its own id, digest and card.",
    ),
    NotOurs(
        id="P14b",
        title="decisions pass through files with names that can be guessed",
        seen_in="an MCP server with Slack and Teams",
        promise="A decision is a commit in the database, and nothing reads one from a file.",
    ),
    Later(
        id="P15e",
        title="a click from an organisation with several workspaces matches nothing",
        seen_in="Hermes Agent",
        promise="Comes with Slack.",
    ),
    Covered(
        id="P15f",
        title="the click is acknowledged before it is kept, and lost in the crash",
        seen_in="OpenClaw",
        promise="Commit first: when nothing can be recorded, nothing moves and the click says so.",
        by=_NO_RECORD,
    ),
    Later(
        id="P15i",
        title="a message that only one person sees cannot be taken back",
        seen_in="Slack bots",
        promise="Comes with Slack: cards will be direct messages, never ephemeral ones.",
    ),
    Covered(
        id="N1",
        title="an agent that was asked to read a forum answers in it, in public, wrongly",
        seen_in="Meta",
        promise="A person sees who will read it before it is published, and recalls it after.",
        by=_FORUM,
    ),
)
