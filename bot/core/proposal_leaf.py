"""The entry that most steps write: what happened to one proposal, and what it is since."""

from collections.abc import Mapping

from bot.core.actors import Actor
from bot.core.canonical import Json, Plain
from bot.core.leaf import LeafDraft
from bot.core.proposal import Proposal

_NOTHING: Mapping[str, str] = {}


def leaf_about(
    proposal: Proposal,
    type_: str,
    actor: Actor,
    *,
    clear: Mapping[str, Plain] = _NOTHING,
    private: Mapping[str, Json] = _NOTHING,
) -> LeafDraft:
    """Return the entry about *proposal* as the step leaves it, with its state and digest."""
    return LeafDraft(
        type=type_,
        actor=actor,
        proposal=proposal.id,
        agent=proposal.agent,
        principal=proposal.principal,
        clear={"state": proposal.state.value, "digest": proposal.digest, **clear},
        private=private,
    )
