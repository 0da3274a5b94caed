"""Whose an account in a chat is: one identity belongs to one person, or to nobody."""

from dataclasses import replace

from bot.core.actors import Actor, Person
from bot.core.errors import Conflict, NotFound
from bot.core.identity import ChatIdentity, LinkedBy, LinkedIdentity
from bot.core.ids import PersonId
from bot.core.leaf import LeafDraft
from bot.core.step import Gone, Refusal, Replay, Snapshot, Step, Transition


def link(snapshot: Snapshot, identity: ChatIdentity, *, by: LinkedBy, actor: Actor) -> Step[Person]:
    """Join *identity* to the person of *snapshot*; doing it again is the same link."""
    person = snapshot.person
    if person is None or not person.active:
        return Refusal(NotFound("There is no such active person."))
    if by is LinkedBy.EMAIL and person.email is None:
        # They have unlinked it since the chat looked: only they link it again.
        return Refusal(NotFound("This person is found by no address."))
    if snapshot.identity is not None:
        if snapshot.identity.person == person.id:
            return Replay(person)
        return Refusal(
            Conflict(
                "This account belongs to somebody else in Keyturn already.",
                remedy="They unlink it on the page Accounts of their inbox, or the operator does: "
                "`keyturn person unlink`.",
            )
        )
    linked = LinkedIdentity(identity=identity, person=person.id, by=by, linked_at=snapshot.now)
    return Transition(
        value=person,
        puts=(linked,),
        leaves=(identity_leaf("identity.linked", linked, actor),),
    )


def unlink(snapshot: Snapshot, *, person: PersonId, actor: Actor) -> Step[LinkedIdentity]:
    """Part the identity of *snapshot* from *person*.

    Their address goes too: a chat that links by it would undo this at the next card.
    """
    linked = snapshot.identity
    if linked is None or linked.person != person:
        return Refusal(
            NotFound("This account is not linked.", remedy="List the accounts to see them all.")
        )
    owner = snapshot.person
    gone, unlinked = Gone(linked), identity_leaf("identity.unlinked", linked, actor)
    if owner is None or owner.email is None:
        return Transition(value=linked, puts=(gone,), leaves=(unlinked,))
    forgotten = LeafDraft(
        type="person.email_set", actor=actor, clear={"person": owner.id, "removed": True}
    )
    return Transition(
        value=linked, puts=(gone, replace(owner, email=None)), leaves=(unlinked, forgotten)
    )


def identity_leaf(type_: str, linked: LinkedIdentity, actor: Actor) -> LeafDraft:
    """Return the entry that *linked* was linked or unlinked; its ids are private."""
    return LeafDraft(
        type=type_,
        actor=actor,
        clear={
            "person": linked.person,
            "chat": linked.identity.chat,
            "by": linked.by.value,
        },
        private={"tenant": linked.identity.tenant, "user": linked.identity.user},
    )
