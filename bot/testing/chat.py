"""What every chat must do.

Subclass :class:`ChatConformance` and give it the fixture ``stage``: the chat under test, started
with a :class:`bot.testing.desk.MemoryDesk`, and a way to sit down at it as a person. Everything
the suite learns it learns as that person would: from what is on their screen.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol

import pytest

from bot.core.actors import Agent, Person
from bot.core.card import Button, Card
from bot.core.ids import PersonId, ProposalId
from bot.core.pressed import NotRecorded, NotYetRecorded, Pressed, Recorded
from bot.core.proposal import Outcome, Proposal, Rationale, Result, Source
from bot.core.states import TERMINAL, State
from bot.core.untrusted import Untrusted, show
from bot.ports.chat import CardRef, Chat
from bot.testing.desk import MemoryDesk
from bot.testing.hostile import HOSTILE
from bot.testing.proposals import a_person, a_proposal, an_agent

#: Buttons that decide: on a card that is final there is none of them.
DECIDING: Final = frozenset(
    {Button.APPROVE, Button.REJECT, Button.SETTLE_DONE, Button.SETTLE_NOT_DONE}
)
MIN_DIGEST_PREFIX: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A card on a person's screen.

    ``text`` is all that can be read, ``buttons`` all that can be pressed or opened now, and
    ``structure`` the chat's own elements in order, without any text.
    """

    proposal: ProposalId
    text: str
    buttons: frozenset[Button]
    structure: tuple[str, ...]


class Seat(Protocol):
    """A person at the chat."""

    async def cards(self) -> Sequence[Seen]:
        """Return every card on their screen; one that is there twice, twice."""
        ...

    async def press(self, proposal: ProposalId, button: Button, note: str = "") -> str:
        """Press *button* and return what they are told."""
        ...

    async def read_to_the_end(self, proposal: ProposalId) -> str:
        """Go through the full view to its end, say so where the chat asks, return its text."""
        ...

    async def open_everything(self) -> int:
        """Open whatever opens without pressing, as a preview would; return how many that were."""
        ...


class Stage(Protocol):
    """A chat that runs, before an audience of nobody."""

    @property
    def chat(self) -> Chat: ...

    @property
    def desk(self) -> MemoryDesk: ...

    async def seat(self, person: PersonId) -> Seat:
        """Identify *person* to the chat, who is on the desk, and sit down."""
        ...

    async def forgeries(
        self, victim: PersonId, proposal: ProposalId
    ) -> Mapping[str, Callable[[], Awaitable[str]]]:
        """Return every way to press Approve as *victim* without being them, by name.

        Each returns what the forger is told; at least one MUST come from another person.
        """
        ...


class ChatConformance:
    """Inherit and provide the fixture ``stage``."""

    async def test_a_card_is_shown_to_its_person_and_to_nobody_else(self, stage: Stage) -> None:
        play = Play(stage)
        await play.post(play.proposal(1))
        seen = await play.on_screen(play.dana)
        assert [card.proposal for card in seen] == [play.proposal(1).id]
        assert await play.on_screen(play.mira) == []

    async def test_a_card_says_who_will_see_it_what_happens_and_who_asks(
        self, stage: Stage
    ) -> None:
        play = Play(stage)
        await play.post(play.proposal(1))
        text = (await play.card_of(play.dana, 1)).text
        said = [
            "Everyone on the internet",
            "Publish an answer in the forum eng-help",
            "Thread 4711 in eng-help",
            "forum-analyst",
            "Dana",
            "Not verified",
            "because it was asked",
            "wiki:page",
        ]
        assert [words for words in said if words not in text] == []
        assert text.index("Everyone on the internet") < text.index("Publish an answer")

    async def test_the_same_key_does_not_show_a_second_card(self, stage: Stage) -> None:
        play = Play(stage)
        first = await play.post(play.proposal(1))
        again = await play.post(play.proposal(1))
        assert len(await play.on_screen(play.dana)) == 1
        assert first == again

    @pytest.mark.parametrize("state", sorted(TERMINAL))
    async def test_a_final_card_has_no_button_that_decides(
        self, stage: Stage, state: State
    ) -> None:
        play = Play(stage)
        ref = await play.post(play.proposal(1))
        assert (await play.card_of(play.dana, 1)).buttons >= {Button.APPROVE, Button.REJECT}
        await play.move(ref, 1, state)
        seen = await play.card_of(play.dana, 1)
        assert seen.buttons & DECIDING == frozenset()
        assert play.shown(play.dana, 1).status.split(".")[0] in seen.text

    async def test_an_older_state_that_comes_late_is_not_shown(self, stage: Stage) -> None:
        play = Play(stage)
        ref = await play.post(play.proposal(1))
        older = play.shown(play.dana, 1)
        await play.move(ref, 1, State.REJECTED)
        await stage.chat.replace(ref, older)
        seen = await play.card_of(play.dana, 1)
        assert seen.buttons & DECIDING == frozenset()
        assert "Rejected" in seen.text

    async def test_replacing_a_card_again_changes_nothing(self, stage: Stage) -> None:
        play = Play(stage)
        ref = await play.post(play.proposal(1))
        await play.move(ref, 1, State.SUCCEEDED)
        once = await play.card_of(play.dana, 1)
        await stage.chat.replace(ref, play.shown(play.dana, 1))
        assert await play.on_screen(play.dana) == [once]

    @pytest.mark.parametrize("text", HOSTILE)
    async def test_text_from_an_agent_never_becomes_an_element(
        self, stage: Stage, text: str
    ) -> None:
        play = Play(stage)
        plain, hostile = play.full_of("plain words", 1), play.full_of(text, 2)
        stage.desk.without_warnings = True
        for proposal in (plain, hostile):
            await play.post(proposal)
        expected, seen = await play.card_of(play.dana, 1), await play.card_of(play.dana, 2)
        assert seen.structure == expected.structure
        assert seen.text.count(show(Untrusted(text))) == expected.text.count("plain words")

    async def test_what_was_hidden_in_the_text_is_warned_about(self, stage: Stage) -> None:
        play = Play(stage)
        await play.post(play.full_of("Approved \u202eyadot", 1))
        warnings = play.shown(play.dana, 1).warnings
        text = (await play.card_of(play.dana, 1)).text
        assert warnings
        assert [warning for warning in warnings if warning not in text] == []

    @pytest.mark.parametrize("button", [Button.APPROVE, Button.REJECT])
    async def test_a_click_names_the_proposal_the_digest_and_the_person(
        self, stage: Stage, button: Button
    ) -> None:
        play = Play(stage)
        proposal = play.proposal(1)
        await play.post(proposal)
        seat = await stage.seat(play.dana.id)
        note = "not now" if button is Button.REJECT else ""
        await seat.press(proposal.id, button, note)
        (click,) = stage.desk.clicks
        assert (click.person, click.chat) == (play.dana.id, stage.chat.name)
        assert (click.proposal, click.button, click.note) == (proposal.id, button, note)
        digest = proposal.digest.removeprefix("sha256:")
        assert len(click.digest_prefix) >= MIN_DIGEST_PREFIX
        assert digest.startswith(click.digest_prefix)

    @pytest.mark.parametrize("button", [Button.SETTLE_DONE, Button.SETTLE_NOT_DONE])
    async def test_a_doubt_is_settled_with_what_the_person_found(
        self, stage: Stage, button: Button
    ) -> None:
        play = Play(stage)
        ref = await play.post(play.proposal(1))
        await play.move(ref, 1, State.IN_DOUBT)
        seat = await stage.seat(play.dana.id)
        assert await seat.press(play.proposal(1).id, button, "I looked.")
        (click,) = stage.desk.clicks
        assert (click.button, click.note) == (button, "I looked.")

    async def test_what_can_be_undone_offers_that_until_it_is_pressed(self, stage: Stage) -> None:
        play = Play(stage)
        proposal = play.proposal(1, undo_window_s=900)
        ref = await play.post(proposal)
        assert Button.UNDO not in (await play.card_of(play.dana, 1)).buttons
        await play.move(ref, 1, State.SUCCEEDED)
        assert Button.UNDO in (await play.card_of(play.dana, 1)).buttons
        seat = await stage.seat(play.dana.id)
        assert "It is being undone" in await seat.press(proposal.id, Button.UNDO, "Wrong thread.")
        (click,) = stage.desk.clicks
        assert (click.button, click.person, click.note) == (
            Button.UNDO,
            play.dana.id,
            "Wrong thread.",
        )
        assert proposal.digest.removeprefix("sha256:").startswith(click.digest_prefix)
        await stage.chat.replace(ref, play.shown(play.dana, 1))
        seen = await play.card_of(play.dana, 1)
        assert Button.UNDO not in seen.buttons
        assert "Being undone" in seen.text

    async def test_what_cannot_be_undone_does_not_offer_it(self, stage: Stage) -> None:
        play = Play(stage)
        ref = await play.post(play.proposal(1))
        await play.move(ref, 1, State.SUCCEEDED)
        assert Button.UNDO not in (await play.card_of(play.dana, 1)).buttons

    async def test_the_agent_can_be_stopped_from_its_card(self, stage: Stage) -> None:
        play = Play(stage)
        await play.post(play.proposal(1))
        seat = await stage.seat(play.dana.id)
        assert "Stopped" in await seat.press(play.proposal(1).id, Button.STOP_AGENT, "Enough.")
        (click,) = stage.desk.clicks
        assert (click.button, click.person) == (Button.STOP_AGENT, play.dana.id)

    @pytest.mark.parametrize(
        "answer",
        [
            Recorded(state=State.APPROVED, message="Counted: the first of two."),
            NotRecorded(code="too_late", message="Mira was first, at 14:02 UTC."),
            NotYetRecorded(message="This takes longer than usual."),
        ],
    )
    async def test_no_click_is_silent(self, stage: Stage, answer: Pressed) -> None:
        play = Play(stage)
        await play.post(play.proposal(1))
        stage.desk.answer = answer
        seat = await stage.seat(play.dana.id)
        assert answer.message in await seat.press(play.proposal(1).id, Button.APPROVE)

    async def test_nobody_can_press_as_somebody_else(self, stage: Stage) -> None:
        play = Play(stage)
        proposal = play.proposal(1)
        await play.post(proposal)
        forgeries = await stage.forgeries(play.dana.id, proposal.id)
        assert forgeries
        for name, forge in forgeries.items():
            told = await forge()
            mine = [click for click in stage.desk.clicks if click.person == play.dana.id]
            assert mine == [], name
            assert told, f"{name}: nothing was said"

    @pytest.mark.parametrize("over", [-1, 0, 1, 16_000, 1_000_000])
    async def test_what_is_not_on_the_card_is_said_and_read_before_it_is_approved(
        self, stage: Stage, over: int
    ) -> None:
        play = Play(stage)
        long = play.of_size(stage.chat.max_chars + over)
        await play.post(long)
        card, seen = play.shown(play.dana, 1), await play.card_of(play.dana, 1)
        assert (card.missing_chars > 0) == (over > 0)
        if card.missing_chars == 0:
            assert Button.APPROVE in seen.buttons
            assert str(long.action.params["body"]) in seen.text
            return
        assert f"{card.total_chars - card.missing_chars:,} of {card.total_chars:,}" in seen.text
        assert Button.APPROVE not in seen.buttons
        assert Button.FULL_VIEW in seen.buttons
        seat = await stage.seat(play.dana.id)
        assert show(Untrusted(long.action_json)) in await seat.read_to_the_end(long.id)
        assert stage.desk.journal[-1] == ("viewed", (play.dana.id, long.id, stage.chat.name))
        assert Button.APPROVE in (await play.card_of(play.dana, 1)).buttons

    async def test_an_action_without_content_is_shown_as_that(self, stage: Stage) -> None:
        play = Play(stage)
        await play.post(play.proposal(1, params={}))
        assert Button.APPROVE in (await play.card_of(play.dana, 1)).buttons

    async def test_opening_everything_changes_nothing(self, stage: Stage) -> None:
        play = Play(stage)
        ref = await play.post(play.proposal(1))
        await play.post(play.of_size(stage.chat.max_chars + 1, number=2))
        await play.move(ref, 1, State.IN_DOUBT)
        seat = await stage.seat(play.dana.id)
        before = list(stage.desk.journal)
        assert await seat.open_everything() > 0
        assert stage.desk.journal == before


class Play:
    """Puts people, an agent and proposals on the desk of a stage, and its cards into the chat."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._proposals: dict[int, ProposalId] = {}
        self.dana: Person = a_person("Dana")
        self.mira: Person = a_person("Mira")
        self.agent: Agent = an_agent("forum-analyst", owner=self.dana.id, purpose="Reads the forum")
        stage.desk.people |= {self.dana.id: self.dana, self.mira.id: self.mira}
        stage.desk.known_agents[self.agent.id] = self.agent

    def proposal(self, number: int, **changes: Any) -> Proposal:
        given = {"params": {"body": "Words to publish."}, **changes}
        given.setdefault(
            "rationale", Rationale(why="because it was asked", read=(Source(ref="wiki:page"),))
        )
        return a_proposal(
            number, agent=self.agent.id, principal=self.dana.id, at=self._now, **given
        )

    def full_of(self, text: str, number: int) -> Proposal:
        """Return a proposal with *text* wherever an agent or a target can put some."""
        return self.proposal(
            number,
            params={"body": text, "nested": [text]},
            effect=text,
            target=text,
            rationale=Rationale(why=text, expects=text, read=(Source(ref=text),)),
        )

    def of_size(self, chars: int, *, number: int = 1) -> Proposal:
        """Return a proposal that takes *chars* characters on a card."""
        return self.proposal(number, params={"body": "x" * (chars - len("/body"))})

    async def post(self, proposal: Proposal) -> CardRef:
        self._stage.desk.hold(proposal)
        number = len(self._proposals) + 1
        if proposal.id not in self._proposals.values():
            self._proposals[number] = proposal.id
        card = self._stage.desk.card_for(
            self.dana.id, proposal.id, max_chars=self._stage.chat.max_chars
        )
        return await self._stage.chat.post(card, self.dana.id, key=f"card {proposal.id}")

    async def move(self, ref: CardRef, number: int, state: State) -> None:
        """Bring proposal *number* to *state* and its card after it."""
        moving = self._proposals[number]
        now = self._now
        outcome = None
        if state in {State.SUCCEEDED, State.FAILED, State.IN_DOUBT}:
            outcome = Outcome(result=Result(state.value), reason="told", detail="So.", at=now)
        moved = replace(
            self._stage.desk.proposals[moving], state=state, outcome=outcome, changed_at=now
        )
        self._stage.desk.proposals[moving] = moved
        await self._stage.chat.replace(ref, self.shown(self.dana, number))

    def shown(self, person: Person, number: int) -> Card:
        """Return the card that *person* should see now."""
        return self._stage.desk.card_for(
            person.id, self._proposals[number], max_chars=self._stage.chat.max_chars
        )

    async def on_screen(self, person: Person) -> Sequence[Seen]:
        seat = await self._stage.seat(person.id)
        return list(await seat.cards())

    async def card_of(self, person: Person, number: int) -> Seen:
        seen = await self.on_screen(person)
        (card,) = [card for card in seen if card.proposal == self._proposals[number]]
        return card

    @property
    def _now(self) -> datetime:
        return self._stage.desk.clock.now()
