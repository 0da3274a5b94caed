"""People take back what was done, while its undo window is open."""

from collections.abc import Callable
from typing import TypeVar

from bot.core.actors import Actor
from bot.core.card import UndoStanding
from bot.core.errors import IllegalTransition, InvalidInput, NotFound
from bot.core.ids import ID_ENTROPY_BYTES, PersonId, ProposalId, proposal_id
from bot.core.leaf import SALT_BYTES
from bot.core.pressed import Pressed, Recorded
from bot.core.proposal import Proposal
from bot.core.step import Ask, Snapshot, Step
from bot.core.transitions import undo
from bot.core.transitions.undo import UndoDraft, UndoPress
from bot.ports.desk import Click, UndoOffer
from bot.ports.queries import Halts, ProposalById
from bot.service.gate import Gate
from bot.service.reading import as_they_are

T = TypeVar("T")


class Undo:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def offer(self, person: PersonId, original: Proposal) -> UndoOffer:
        """Return what undoing *original* would do. Nothing is changed.

        Raises:
            IllegalTransition: *person* cannot have it undone now; the message says why.
            UpstreamFailed: the target could not be asked.
        """
        snapshot = await self._look(original)
        refused = undo.why_not(
            snapshot, original, person, verb_then=self._gate.connectors.verbs.get(_verb(original))
        )
        if refused is not None:
            raise IllegalTransition(refused.message)
        said = undo.under_way(snapshot, original)
        if said is not None:
            raise IllegalTransition(said)
        draft = await self._draft(original)
        assert original.undo_until is not None  # else it was refused
        return UndoOffer(
            audience=draft.facts.audience,
            effect=draft.preview.effect,
            target=draft.preview.target,
            until=original.undo_until,
        )

    async def press(self, click: Click, original: Proposal, *, max_chars: int) -> Pressed:
        """Begin to undo *original* for the person who clicked; a second click is the same undo.

        Raises:
            IllegalTransition: there is nothing there to undo.
            UpstreamFailed: the target could not be asked.
        """
        snapshot = await self._look(original)
        if undo.may_undo(original, click.person):
            said = undo.under_way(snapshot, original)
            if said is not None:
                return Recorded(state=original.state, message=said)
        pressed = UndoPress(
            person=click.person,
            digest_prefix=click.digest_prefix,
            note=click.note,
            chat=click.chat,
            max_chars=max_chars,
        )
        verb_then = self._gate.connectors.verbs.get(_verb(original))
        refused = undo.why_not(snapshot, original, click.person, verb_then=verb_then)
        if refused is not None:
            return await self._commit(
                original,
                click.person,
                lambda now: undo.refuse(now, original.id, pressed, verb_then=verb_then),
            )
        draft = await self._draft(original)
        return await self._commit(
            original,
            click.person,
            lambda now: undo.press(now, draft, pressed, deployment=self._gate.deployment),
        )

    async def ask(
        self, actor: Actor, proposal: ProposalId, *, person: PersonId | None = None
    ) -> Proposal:
        """Ask *person*, else the principal, to decide on undoing *proposal*; nothing is done yet.

        Raises:
            NotFound: there is no such proposal, or the person is not active.
            IllegalTransition: it cannot be undone now, or not by this person.
            Halted: what would undo it is stopped.
            UpstreamFailed: the target could not be asked.
        """
        original = await self._gate.store.read(ProposalById(proposal))
        if original is None:
            raise NotFound("There is no such proposal.")
        whom = person or original.principal
        snapshot = await self._look(original)
        refused = undo.why_not(
            snapshot, original, whom, verb_then=self._gate.connectors.verbs.get(_verb(original))
        )
        if refused is not None:
            raise IllegalTransition(refused.message)
        draft = await self._draft(original)
        return await self._commit(
            original,
            whom,
            lambda now: undo.ask(now, draft, actor=actor, deployment=self._gate.deployment),
        )

    async def _look(self, original: Proposal) -> Snapshot:
        """Return what the rules about *original* need to see, without a commit."""
        store = self._gate.store
        known = {original.id: original}
        if original.undone_by is not None:
            earlier = await store.read(ProposalById(original.undone_by))
            if earlier is not None:
                known[earlier.id] = earlier
        halts = await store.read(Halts(in_force=True))
        return Snapshot(now=self._gate.clock.now(), proposals=known, halts=halts)

    async def _draft(self, original: Proposal) -> UndoDraft:
        """Return what would undo *original*, with what the target shows now."""
        gate, action_then = self._gate, original.action
        verb_then = gate.connectors.verb(action_then.verb)
        connector = gate.connectors.of_verb(verb_then.name)
        found = original.outcome
        action = connector.undo(action_then, reference=None if found is None else found.reference)
        if verb_then.undo is None or action is None or action.verb != verb_then.undo.verb:
            raise IllegalTransition(
                "Keyturn does not know what was written there, so it cannot undo it. "
                "Undo it by hand."
            )
        gate.connectors.validate(action.verb, action.params)
        try:
            facts = await connector.inspect(action)
        except InvalidInput:
            raise IllegalTransition(
                "What was written is no longer there, or has been changed since. "
                "Look at the target itself."
            ) from None
        entropy = gate.entropy(ID_ENTROPY_BYTES + SALT_BYTES)
        return UndoDraft(
            id=proposal_id(gate.clock.now(), entropy[:ID_ENTROPY_BYTES]),
            salt=entropy[ID_ENTROPY_BYTES:].hex(),
            original=original.id,
            verb_then=verb_then,
            verb=gate.connectors.verb(action.verb),
            action=action,
            facts=facts,
            preview=connector.preview(action, facts),
        )

    async def _commit(
        self, original: Proposal, person: PersonId, step: Callable[[Snapshot], Step[T]]
    ) -> T:
        asked = (original.id,) if original.undone_by is None else (original.id, original.undone_by)
        return await self._gate.commit(Ask(proposals=asked, person=person), step)


async def standing_of(gate: Gate, proposal: Proposal, reader: PersonId) -> UndoStanding:
    """Return whether *reader* can have *proposal* undone now, and what does that already."""
    by = None
    if proposal.undone_by is not None:
        by = await gate.store.read(ProposalById(proposal.undone_by))
    if by is not None:
        (by,) = await as_they_are(gate, [by])
    offered = undo.is_offered(proposal, reader, by=by, now=gate.clock.now())
    return UndoStanding(offered=offered, by=by)


def _verb(proposal: Proposal) -> str:
    return proposal.action.verb
