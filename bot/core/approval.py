"""Whose word ends a hold, and when there are enough of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum, unique

from bot.core.canonical import Digest
from bot.core.frozen import frozen
from bot.core.ids import PersonId

#: Approver terms of a rule: the principal, one person, or a group that is read anew each time.
PRINCIPAL = "principal"
AGENT_OWNER = "agent_owner"
GROUP_PREFIX = "group:"
PERSON_PREFIX = "person:"


@unique
class ApprovalMode(StrEnum):
    CONFIRM = "confirm"  #: the principal decides about their own agent
    FOUR_EYES = "four_eyes"  #: ``count`` distinct people, none of whom has a stake


@frozen
class Approval:
    """What a held proposal needs. ``approvers`` and ``exclude`` are terms, never display names.

    ``expires_s`` bounds the wait for people, ``use_within_s`` the time from approval to use.
    """

    mode: ApprovalMode = ApprovalMode.CONFIRM
    approvers: tuple[str, ...] = (PRINCIPAL,)
    count: int = 1
    exclude: tuple[str, ...] = ()
    expires_s: int = 3600
    use_within_s: int = 900

    @property
    def is_of_principal_alone(self) -> bool:
        """Whether the principal is who decides, and nobody else, whoever is in which group."""
        return (
            self.mode is ApprovalMode.CONFIRM
            and self.approvers == (PRINCIPAL,)
            and not self.exclude
        )

    def groups(self) -> frozenset[str]:
        """Return the names of the groups that have to be read to know the approvers."""
        return frozenset(
            term.removeprefix(GROUP_PREFIX)
            for term in (*self.approvers, *self.exclude)
            if term.startswith(GROUP_PREFIX)
        )


@unique
class Choice(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


@frozen
class Decision:
    """A person's word on one digest; ``card_digest`` is what they were shown."""

    person: PersonId
    choice: Choice
    digest: Digest
    card_digest: Digest
    reason: str = ""
    chat: str
    at: datetime


@frozen
class Stakes:
    """The people a four-eyes approval leaves out because they have a stake in it."""

    principal: PersonId
    owner: PersonId
    proposer: PersonId | None = None


#: Who belongs to which group, read just before the step that uses it.
Membership = Mapping[str, frozenset[PersonId]]


def eligible(approval: Approval, stakes: Stakes, membership: Membership) -> frozenset[PersonId]:
    """Return who may decide.

    An unknown group, an empty list and a malformed term mean nobody, also among those who are
    left out: who cannot be left out for certain must not decide.
    """
    if not all(_is_known(term, membership) for term in approval.exclude):
        return frozenset()
    approvers = _resolve(approval.approvers, stakes, membership)
    excluded = _resolve(approval.exclude, stakes, membership)
    if approval.mode is ApprovalMode.FOUR_EYES:
        excluded |= {stakes.principal, stakes.owner}
        if stakes.proposer is not None:
            excluded |= {stakes.proposer}
    return frozenset(approvers - excluded)


def _resolve(terms: Sequence[str], stakes: Stakes, membership: Membership) -> set[PersonId]:
    people: set[PersonId] = set()
    for term in terms:
        if term == PRINCIPAL:
            people.add(stakes.principal)
        elif term == AGENT_OWNER:
            people.add(stakes.owner)
        elif term.startswith(GROUP_PREFIX):
            people |= membership.get(term.removeprefix(GROUP_PREFIX), frozenset())
        elif term.startswith(PERSON_PREFIX):
            people.add(PersonId(term.removeprefix(PERSON_PREFIX)))
    return people


def _is_known(term: str, membership: Membership) -> bool:
    if term.startswith(GROUP_PREFIX):
        return term.removeprefix(GROUP_PREFIX) in membership
    return term in (PRINCIPAL, AGENT_OWNER) or term.startswith(PERSON_PREFIX)


def standing(decisions: Sequence[Decision]) -> Mapping[PersonId, Decision]:
    """Return the last word of each person: one person counts once, however often they click."""
    return {decision.person: decision for decision in decisions}


def votes(
    decisions: Sequence[Decision], *, digest: Digest, among: frozenset[PersonId]
) -> frozenset[PersonId]:
    """Return the distinct people among *among* whose last word approves exactly *digest*."""
    return frozenset(
        person
        for person, decision in standing(decisions).items()
        if decision.choice is Choice.APPROVE and decision.digest == digest and person in among
    )


def has_approved(decisions: Sequence[Decision], person: PersonId, *, digest: Digest) -> bool:
    """Return whether the last word of *person* approves exactly *digest*."""
    return person in votes(decisions, digest=digest, among=frozenset({person}))


def quorum_met(
    approval: Approval,
    decisions: Sequence[Decision],
    *,
    digest: Digest,
    among: frozenset[PersonId],
) -> bool:
    """Return whether enough distinct people approve; a rejection is a veto before this is asked."""
    return len(votes(decisions, digest=digest, among=among)) >= max(1, approval.count)
