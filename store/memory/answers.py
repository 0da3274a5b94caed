"""The answers to queries, from records held in memory."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import dropwhile, islice, takewhile
from operator import attrgetter
from typing import Any, TypeVar

from bot.core.approval import PRINCIPAL
from bot.core.ids import PersonId, ProposalId
from bot.core.leaf import Leaf
from bot.core.news import News
from bot.core.proposal import Proposal
from bot.core.states import STOPPABLE, State
from bot.ports import queries as ask
from store.memory.records import Records

K = TypeVar("K")
V = TypeVar("V")


def answer(query: ask.Query[Any], records: Records) -> Any:
    """Return the answer to *query*.

    Raises:
        TypeError: there is no such query.
    """
    match query:
        case ask.ProposalById(id):
            return records.proposals.get(id)
        case ask.ProposalByKey(agent, key):
            return _maybe(records.proposals, records.keys.get((agent, key)))
        case ask.Proposals():
            return _proposals(query, records)
        case ask.Due():
            return _due(query, records)
        case ask.NextDue():
            clocks = [p.due_at for p in records.proposals.values()]
            ready = [work.ready_at for work in records.work.values()]
            return min((at for at in (*clocks, *ready) if at is not None), default=None)
        case ask.Stoppable():
            return _stoppable(query, records)
        case ask.TokenByHash(hash):
            return _maybe(records.tokens, records.hashes.get(hash))
        case ask.TokenById(id):
            return records.tokens.get(id)
        case ask.TokensOf(holder):
            return [t for t in reversed(records.tokens.values()) if t.holder == holder]
        case ask.AgentById(id):
            return records.agents.get(id)
        case ask.AgentByName(name):
            return _maybe(records.agents, records.agent_names.get(name))
        case ask.Agents():
            return sorted(records.agents.values(), key=attrgetter("name"))
        case ask.PersonById(id):
            return records.people.get(id)
        case ask.PersonByHandle(handle):
            return _maybe(records.people, records.handles.get(handle))
        case ask.People():
            return sorted(records.people.values(), key=attrgetter("handle"))
        case ask.PersonByEmail():
            return _maybe(records.people, records.emails.get(query.folded))
        case ask.LinkOf(identity):
            return records.identities.get(identity.key)
        case ask.LinksOfPerson(person):
            links = [link for link in records.identities.values() if link.person == person]
            return sorted(links, key=attrgetter("linked_at"), reverse=True)
        case ask.NoticeRoutes():
            return list(records.routes.values())
        case ask.Happenings(since, until):
            return Counter(
                _happened(leaf) for leaf in records.leaves.values() if since <= leaf.at < until
            )
        case ask.ResourceServerById(id):
            return records.resource_servers.get(id)
        case ask.ResourceServerByName(name):
            return _maybe(records.resource_servers, records.resource_server_names.get(name))
        case ask.ResourceServers():
            return sorted(records.resource_servers.values(), key=attrgetter("name"))
        case ask.Halts(in_force, limit):
            newest = reversed(records.halts.values())
            fitting = (h for h in newest if h.is_active or not h.swept or not in_force)
            return list(islice(fitting, limit))
        case ask.ActivePolicy():
            return records.policy
        case ask.EffectsOf(subject):
            return [
                work.effect
                for work in records.work.values()
                if work.effect.subject == subject and work.ready_at is not None
            ]
        case ask.PendingCount(agent, principal):
            return sum(
                n
                for (of_agent, of_principal), n in records.pending.items()
                if agent in (None, of_agent) and principal in (None, of_principal)
            )
        case ask.Leaves(start, limit, proposal):
            leaves = (records.leaves[index] for index in range(start, len(records.leaves)))
            wanted = (leaf for leaf in leaves if proposal in (None, leaf.proposal))
            return list(islice(wanted, limit))
        case ask.NewsOfProposal(proposal, after):
            return [n for n in _news(records) if n.proposal == proposal and n.cursor > after]
        case ask.NewsOfAgent():
            return _news_page(query, records)
        case ask.ErasureScope(person):
            return records.erasing(person).found
        case ask.LeafHashes(start, limit):
            known = range(start, min(start + limit, len(records.leaves)))
            return [records.leaves[index].hash for index in known]
        case ask.Head():
            return ask.LogHead(size=records.frontier.size, root=records.frontier.root())
        case _:
            raise TypeError(f"not a query: {query!r}")


def _proposals(query: ask.Proposals, records: Records) -> Sequence[Proposal]:
    found = _until(query.before, records)
    wanted = (
        p
        for p in (found if query.oldest_first else reversed(found))
        if query.agent in (None, p.agent)
        and query.principal in (None, p.principal)
        and (not query.states or p.state in query.states)
        and (query.concerning is None or _may_concern(query.concerning, p))
    )
    return list(islice(wanted, query.skip, query.skip + query.limit))


def _may_concern(person: PersonId, proposal: Proposal) -> bool:
    asked = None if proposal.approval is None else proposal.approval.approvers
    return proposal.principal != person and asked not in (None, (PRINCIPAL,))


def _due(query: ask.Due, records: Records) -> Sequence[Proposal]:
    clocks = ((p.due_at, n, p) for n, p in enumerate(records.proposals.values()))
    due = sorted(
        (due_at, n, p) for due_at, n, p in clocks if due_at is not None and due_at <= query.at
    )
    return [p for _, _, p in due[: query.limit]]


def _stoppable(query: ask.Stoppable, records: Records) -> Sequence[Proposal]:
    wanted = (
        p
        for p in _after(query.after, records)
        if p.state in STOPPABLE
        and p.created_at <= query.until
        and query.agent in (None, p.agent)
        and query.principal in (None, p.principal)
        and query.connector in (None, p.connector)
    )
    return list(islice(wanted, query.limit))


def _news_page(query: ask.NewsOfAgent, records: Records) -> ask.NewsPage:
    size = len(records.leaves)
    looked_to = min(query.after + query.leaves, size - 1)
    found = [
        news
        for news in _news(records)
        if query.after < news.cursor <= looked_to
        and records.proposals[news.proposal].is_of(query.agent)
    ]
    if len(found) > query.limit:
        del found[query.limit :]
        looked_to = found[-1].cursor
    return ask.NewsPage(
        news=found, looked_to=max(query.after, looked_to), is_last=looked_to >= size - 1
    )


def _news(records: Records) -> Iterator[News]:
    """Yield each state that any proposal entered, in the order of the log."""
    states: dict[ProposalId, State] = {}
    for leaf in records.leaves.values():
        state = json.loads(leaf.body).get("state")
        if leaf.proposal is None or state is None or states.get(leaf.proposal) == state:
            continue
        states[leaf.proposal] = State(state)
        yield News(cursor=leaf.index, proposal=leaf.proposal, state=State(state), at=leaf.at)


def _happened(leaf: Leaf) -> ask.Happened:
    body = json.loads(leaf.body)
    state = body.get("state")
    return ask.Happened(
        type=leaf.type,
        agent=body.get("agent"),
        state=State(state) if leaf.proposal is not None and state is not None else None,
    )


def _until(end: ProposalId | None, records: Records) -> Sequence[Proposal]:
    """Return what is older than *end*, oldest first; nothing if *end* is not known."""
    if end is None:
        return list(records.proposals.values())
    if end not in records.proposals:
        return []
    return list(takewhile(lambda proposal: proposal.id != end, records.proposals.values()))


def _after(start: ProposalId | None, records: Records) -> Iterable[Proposal]:
    """Return what is newer than *start*, oldest first; nothing if *start* is not known."""
    if start is None:
        return records.proposals.values()
    from_start = dropwhile(lambda proposal: proposal.id != start, records.proposals.values())
    return islice(from_start, 1, None)


def _maybe(records: Mapping[K, V], key: K | None) -> V | None:
    return None if key is None else records.get(key)
