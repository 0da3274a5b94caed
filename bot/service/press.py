"""What becomes of a click: each button of a card, carried out for the person who pressed it."""

from dataclasses import replace
from typing import assert_never

from bot.core.actors import person_actor
from bot.core.approval import Choice
from bot.core.card import Button
from bot.core.errors import KeyturnError, Unavailable
from bot.core.halts import HaltScope, HaltTarget
from bot.core.pressed import NotRecorded, Pressed, Recorded
from bot.core.proposal import Result
from bot.core.step import Ask
from bot.core.transitions import decision
from bot.core.transitions.decision import Vote
from bot.ports.desk import Click
from bot.ports.queries import PersonById
from bot.service.approvers import approvers_of, membership_for
from bot.service.gate import Gate
from bot.service.halt import Halts
from bot.service.reading import as_they_are
from bot.service.settle import Settle
from bot.service.undo import Undo
from bot.service.visible import known, visible

MAX_NOTE_CHARS = 2_000

#: The reason of a rejection that says nothing but that the wrong person was asked.
NOT_MINE_REASON = "Not mine: the person who was asked says that this is not theirs."


class Press:
    """Every way a click can end is an answer: nothing is raised for what a person can do."""

    def __init__(self, gate: Gate, *, halts: Halts, undo: Undo) -> None:
        self._gate = gate
        self._halts = halts
        self._settle = Settle(gate)
        self._undo = undo

    async def press(self, click: Click) -> Pressed:
        """Record *click*, or say why not, however long it takes."""
        try:
            match click.button:
                case Button.APPROVE:
                    return await self._decide(click, Choice.APPROVE)
                case Button.REJECT:
                    return await self._decide(click, Choice.REJECT)
                case Button.NOT_MINE:
                    return await self._decide(
                        replace(click, note=NOT_MINE_REASON), Choice.REJECT, not_mine=True
                    )
                case Button.SETTLE_DONE:
                    return await self._settled(click, Result.SUCCEEDED)
                case Button.SETTLE_NOT_DONE:
                    return await self._settled(click, Result.FAILED)
                case Button.STOP_AGENT:
                    return await self._stop(click)
                case Button.UNDO:
                    return await self._undone(click)
                case Button.FULL_VIEW:
                    return NotRecorded(
                        code="not_a_decision", message="Open the full view to read it."
                    )
                case _:
                    assert_never(click.button)
        except KeyturnError as error:
            return NotRecorded(code=error.code, message=_for_people(error))

    async def _decide(self, click: Click, choice: Choice, *, not_mine: bool = False) -> Pressed:
        gate = self._gate
        found = await known(gate, click.proposal)
        verb = gate.connectors.verbs.get(found.action.verb)
        membership = await membership_for(gate, found)
        chat = gate.chats.get(click.chat)
        vote = Vote(
            proposal=click.proposal,
            person=click.person,
            choice=choice,
            digest_prefix=click.digest_prefix,
            reason=click.note.strip()[:MAX_NOTE_CHARS],
            chat=click.chat,
            max_chars=0 if chat is None else chat.max_chars,
            not_mine=not_mine,
        )
        pressed = await gate.commit(
            Ask(proposals=(found.id,), agent=found.agent, person=click.person),
            lambda snapshot: decision.decide(
                snapshot, vote, policy=gate.policies.current, verb=verb, membership=membership
            ),
        )
        return await self._naming_who_was_first(pressed)

    async def _settled(self, click: Click, result: Result) -> Pressed:
        found, agent = await visible(self._gate, click.person, click.proposal)
        may_settle = found.principal == click.person or click.person in await approvers_of(
            self._gate, found, agent
        )
        if not may_settle:
            return NotRecorded(code="not_yours", message="This is not yours to settle.")
        if not click.note.strip():
            return NotRecorded(
                code="note_needed", message="Say how you found out, then record it again."
            )
        return await self._settle.by_person(
            click.person,
            click.proposal,
            result=result,
            note=click.note.strip()[:MAX_NOTE_CHARS],
        )

    async def _undone(self, click: Click) -> Pressed:
        found, _ = await visible(self._gate, click.person, click.proposal)
        chat = self._gate.chats.get(click.chat)
        return await self._undo.press(
            replace(click, note=click.note.strip()[:MAX_NOTE_CHARS]),
            found,
            max_chars=0 if chat is None else chat.max_chars,
        )

    async def _stop(self, click: Click) -> Pressed:
        found = await known(self._gate, click.proposal)
        target = HaltTarget(
            scope=HaltScope.AGENT_FOR_PRINCIPAL, agent=found.agent, principal=found.principal
        )
        await self._halts.halt(
            person_actor(click.person),
            target,
            reason=click.note.strip()[:MAX_NOTE_CHARS] or "Stopped from the card.",
            via=click.chat,
        )
        now_is = (await as_they_are(self._gate, [await known(self._gate, click.proposal)]))[0]
        return Recorded(
            state=now_is.state,
            message="Stopped. This agent can do nothing more for you until you resume it. "
            "What was being carried out at this moment may still finish.",
        )

    async def _naming_who_was_first(self, pressed: Pressed) -> Pressed:
        if not isinstance(pressed, NotRecorded) or pressed.decided_by is None:
            return pressed
        first = await self._gate.store.read(PersonById(pressed.decided_by))
        if first is None:
            return pressed
        return NotRecorded(
            code=pressed.code,
            message=f"{pressed.message} Decided by {first.display_name}.",
            state=pressed.state,
            decided_by=pressed.decided_by,
        )


def _for_people(error: KeyturnError) -> str:
    if isinstance(error, Unavailable):
        return "It could not be recorded just now. Press again in a moment."
    return error.message
