"""Whom a proposal concerns, and the card as each of them may see it now."""

from bot.core.actors import Agent, Person
from bot.core.card import Card, build_card
from bot.core.errors import NotAuthenticated, NotFound
from bot.core.ids import PersonId, ProposalId
from bot.core.proposal import Proposal
from bot.core.status import status_line
from bot.ports.queries import AgentById, PersonById, ProposalById
from bot.service.approvers import approvers_of
from bot.service.gate import Gate
from bot.service.reading import as_they_are
from bot.service.undo import standing_of


async def active_person(gate: Gate, person: PersonId) -> Person:
    """Return the person as they are now.

    Raises:
        NotAuthenticated: unknown, or no longer active.
    """
    found = await gate.store.read(PersonById(person))
    if found is None or not found.active:
        raise NotAuthenticated("This person is no longer active.")
    return found


async def known(gate: Gate, proposal: ProposalId) -> Proposal:
    """Return the committed row of *proposal*.

    Raises:
        NotFound: there is no such proposal.
    """
    found = await gate.store.read(ProposalById(proposal))
    if found is None:
        raise NotFound("There is no such proposal.")
    return found


async def visible(gate: Gate, person: PersonId, proposal: ProposalId) -> tuple[Proposal, Agent]:
    """Return the proposal as it is now, and its agent, for those it concerns.

    Raises:
        NotFound: there is no such proposal, or it does not concern *person*.
        NotAuthenticated: *person* is no longer active.
    """
    found = await known(gate, proposal)
    agent = await gate.store.read(AgentById(found.agent))
    reader = await active_person(gate, person)
    if agent is None:
        raise NotFound("There is no such proposal.")
    concerned = {agent.owner, *_people_of(found)}
    if found.undoes is not None:
        concerned |= _people_of(await known(gate, found.undoes))
    if reader.id not in concerned and reader.id not in await approvers_of(gate, found, agent):
        raise NotFound("There is no such proposal.")
    return (await as_they_are(gate, [found]))[0], agent


async def card_of(
    gate: Gate, proposal: Proposal, agent: Agent, reader: PersonId, *, max_chars: int
) -> Card:
    """Return the card of *proposal* as *reader* sees it.

    Raises:
        NotFound: its principal is not known.
    """
    principal = await gate.store.read(PersonById(proposal.principal))
    if principal is None:
        raise NotFound("There is no such proposal.")
    return build_card(
        proposal,
        agent=agent,
        principal=principal,
        reader=reader,
        may_decide=reader in await approvers_of(gate, proposal, agent),
        undo=await standing_of(gate, proposal, reader),
        status=status_line(proposal),
        max_chars=max_chars,
    )


def _people_of(proposal: Proposal) -> set[PersonId]:
    return {proposal.principal, *(decision.person for decision in proposal.decisions)}
