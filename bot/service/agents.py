"""Admins register agents, limit them, and renew or end their credentials."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from bot.core.actors import Actor, Agent
from bot.core.errors import Conflict, InvalidInput, NotFound
from bot.core.halts import HaltScope, HaltTarget
from bot.core.ids import ID_ENTROPY_BYTES, AgentId, PersonId, agent_id
from bot.core.leaf import LeafDraft
from bot.core.step import Ask, Refusal, Snapshot, Step, Transition
from bot.core.tokens import TokenKind
from bot.ports.queries import AgentById, AgentByName, Agents, PersonById, TokensOf
from bot.service.gate import Gate
from bot.service.halt import Halts
from bot.service.programs import ended_by, new_token, renewed, require_name, require_overlap


class AgentBook:
    def __init__(self, gate: Gate, halts: Halts) -> None:
        self._gate = gate
        self._halts = halts
        self._naming = asyncio.Lock()

    async def create(
        self,
        actor: Actor,
        *,
        name: str,
        owner: PersonId,
        purpose: str,
        principals: Sequence[PersonId],
        verbs: Sequence[str],
    ) -> tuple[Agent, str]:
        """Register an agent; return it and its token, which is shown this once.

        Raises:
            InvalidInput: a value is missing or of the wrong form, or a person is unknown.
            Conflict: the name is taken.
        """
        require_name(name, of="An agent")
        if not purpose.strip():
            raise InvalidInput("Say what the agent is for.", field="/purpose")
        await self._require_people(owner, *principals)
        _require_verbs(verbs)
        async with self._naming:
            if await self._gate.store.read(AgentByName(name)) is not None:
                raise Conflict(
                    f"There is an agent called '{name}' already.",
                    remedy="Choose another name: a name is for one alone, for good.",
                )
            new = agent_id(self._gate.entropy(ID_ENTROPY_BYTES))
            secret, token = new_token(self._gate, TokenKind.AGENT, holder=new)

            def step(snapshot: Snapshot) -> Step[Agent]:
                agent = Agent(
                    id=new,
                    name=name,
                    owner=owner,
                    purpose=purpose.strip(),
                    principals=tuple(dict.fromkeys(principals)),
                    verbs=tuple(dict.fromkeys(verbs)),
                    created_at=snapshot.now,
                )
                issued = replace(token, created_at=snapshot.now)
                return Transition(
                    value=agent,
                    puts=(agent, issued),
                    leaves=(_leaf("agent.created", agent, actor, token=issued.id),),
                )

            return await self._gate.commit(Ask(), step), secret

    async def rotate(self, actor: Actor, agent: AgentId, *, overlap_s: int) -> tuple[Agent, str]:
        """Give the agent a new token; the earlier ones end after *overlap_s* seconds.

        Raises:
            NotFound: there is no such agent.
            InvalidInput: the overlap is too long, or the agent has been revoked.
        """
        require_overlap(overlap_s)
        found = await self.get(agent)
        if not found.active:
            raise InvalidInput(
                "This agent has been revoked.", remedy="Register a new agent instead."
            )
        earlier = await self._gate.store.read(TokensOf(agent))
        secret, token = new_token(self._gate, TokenKind.AGENT, holder=agent)

        def step(snapshot: Snapshot) -> Step[Agent]:
            tokens = renewed(token, earlier=earlier, now=snapshot.now, overlap_s=overlap_s)
            return Transition(
                value=found,
                puts=tokens,
                leaves=(
                    _leaf("agent.token_rotated", found, actor, token=token.id, overlap=overlap_s),
                ),
            )

        return await self._gate.commit(Ask(), step), secret

    async def revoke(self, actor: Actor, agent: AgentId, *, reason: str) -> Agent:
        """End the agent for good: its tokens, its waiting proposals, and its right to propose.

        Raises:
            NotFound: there is no such agent.
        """
        await self.get(agent)
        tokens = await self._gate.store.read(TokensOf(agent))

        def step(snapshot: Snapshot) -> Step[Agent]:
            if snapshot.agent is None:
                return Refusal(NotFound("There is no such agent."))
            ended = replace(snapshot.agent, active=False)
            return Transition(
                value=ended,
                puts=(ended, *ended_by(snapshot.now, tokens)),
                leaves=(_leaf("agent.revoked", ended, actor, private={"reason": reason}),),
            )

        revoked = await self._gate.commit(Ask(agent=agent), step)
        await self._halts.halt(
            actor,
            HaltTarget(scope=HaltScope.AGENT, agent=agent),
            reason=reason or "The agent has been revoked.",
        )
        return revoked

    async def bind(
        self,
        actor: Actor,
        agent: AgentId,
        *,
        principals: Sequence[PersonId],
        verbs: Sequence[str],
    ) -> Agent:
        """Replace for whom the agent may act and what it may propose.

        Raises:
            NotFound: there is no such agent.
            InvalidInput: a person is unknown, or a verb is malformed.
        """
        await self._require_people(*principals)
        _require_verbs(verbs)

        def step(snapshot: Snapshot) -> Step[Agent]:
            if snapshot.agent is None:
                return Refusal(NotFound("There is no such agent."))
            bound = replace(
                snapshot.agent,
                principals=tuple(dict.fromkeys(principals)),
                verbs=tuple(dict.fromkeys(verbs)),
            )
            return Transition(
                value=bound, puts=(bound,), leaves=(_leaf("agent.limits_changed", bound, actor),)
            )

        return await self._gate.commit(Ask(agent=agent), step)

    async def list(self) -> Sequence[Agent]:
        return await self._gate.store.read(Agents())

    async def get(self, ref: str) -> Agent:
        """Return the agent with the id or name *ref*.

        Raises:
            NotFound: there is none.
        """
        found = await self._gate.store.read(AgentById(AgentId(ref)))
        found = found or await self._gate.store.read(AgentByName(ref))
        if found is None:
            raise NotFound(f"There is no agent '{ref}'.", remedy="List the agents to see them all.")
        return found

    async def _require_people(self, *people: PersonId) -> None:
        for person in people:
            found = await self._gate.store.read(PersonById(person))
            if found is None or not found.active:
                raise InvalidInput(
                    f"There is no active person '{person}'.",
                    remedy="Create the person first, or list the people to see their ids.",
                )


def _require_verbs(verbs: Sequence[str]) -> None:
    for verb in verbs:
        if not verb or not verb.isprintable() or " " in verb:
            raise InvalidInput(f"'{verb}' is not a verb or a pattern of verbs.", field="/verbs")


def _leaf(
    type_: str,
    agent: Agent,
    actor: Actor,
    *,
    token: str | None = None,
    overlap: int | None = None,
    private: dict[str, str] | None = None,
) -> LeafDraft:
    return LeafDraft(
        type=type_,
        actor=actor,
        agent=agent.id,
        clear={
            "owner": agent.owner,
            "principals": list(agent.principals),
            "verbs": list(agent.verbs),
            "active": agent.active,
            **({} if token is None else {"token": token}),
            **({} if overlap is None else {"overlap_s": overlap}),
        },
        private={"name": agent.name, "purpose": agent.purpose, **(private or {})},
    )
