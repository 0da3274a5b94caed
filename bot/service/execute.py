"""Carries out what was approved: intent before the socket opens, outcome after."""

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from logging import getLogger
from typing import assert_never

from bot.core.actors import system_actor
from bot.core.effects import Lease
from bot.core.errors import Conflict, InvalidInput, KeyturnError
from bot.core.halts import stopped_by
from bot.core.ids import ID_ENTROPY_BYTES, ProposalId, proposal_id
from bot.core.leaf import SALT_BYTES
from bot.core.proposal import Outcome, Proposal, Result
from bot.core.step import Ask
from bot.core.transitions import execution
from bot.core.transitions.execution import Claimed, NothingToDo
from bot.core.transitions.submission import Draft
from bot.core.verbs import Facts, Verb
from bot.ports.connector import STALE, Connector, Executed, Failed, InDoubt, Succeeded
from bot.ports.queries import AgentById, Halts, ProposalById
from bot.service.approvers import membership_for
from bot.service.gate import Gate

log = getLogger(__name__)

#: Looking once more and carrying out end before this, well inside the lease.
ATTEMPT_S = 30.0
LEASE_S = 60.0
#: How many attempts may run at once for each connector: a slow target must not hold up others.
_AT_ONCE = 32


class Execute:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._slots: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(_AT_ONCE)
        )

    async def execute(self, lease: Lease) -> None:
        """Claim, carry out and record the proposal of *lease*.

        Raises:
            Conflict: somebody else has the lease by now.
        """
        found = await self._gate.store.read(ProposalById(ProposalId(lease.effect.subject)))
        async with self._slots["" if found is None else found.connector]:
            await self._execute(lease, found)

    async def _execute(self, lease: Lease, found: Proposal | None) -> None:
        gate = self._gate
        verb = None if found is None else gate.connectors.verbs.get(found.action.verb)
        membership = {} if found is None else await membership_for(gate, found)
        claim = await gate.commit(
            Ask(
                proposals=(ProposalId(lease.effect.subject),),
                agent=None if found is None else found.agent,
            ),
            lambda snapshot: execution.claim(
                snapshot,
                lease,
                policy=gate.policies.current,
                verb=verb,
                membership=membership,
                lease_s=LEASE_S,
            ),
        )
        match claim:
            case NothingToDo():
                return
            case Claimed():
                await self._carry_out(lease, claim, verb=verb)
            case _:
                assert_never(claim)

    async def _carry_out(self, lease: Lease, claim: Claimed, *, verb: Verb | None) -> None:
        gate, proposal = self._gate, claim.proposal
        connector = gate.connectors.named(proposal.connector)
        successor: Draft | None = None
        if connector is None or verb is None:
            executed: Executed = Failed(
                reason="not_configured", detail="Its connector is not configured."
            )
        else:
            executed = await self._attempt(connector, proposal, key=claim.key, verb=verb)
            if isinstance(executed, Failed) and executed.reason == STALE:
                successor = await self._ask_anew(connector, proposal, verb)
        await self._record(lease, proposal, executed, verb=verb, successor=successor)
        gate.tally.count("executed", result_of(executed))

    async def _attempt(
        self, connector: Connector, proposal: Proposal, *, key: str, verb: Verb
    ) -> Executed:
        deadline = self._gate.clock.now() + timedelta(seconds=ATTEMPT_S)
        try:
            async with asyncio.timeout(ATTEMPT_S / 2):
                stale = await _drifted(connector, proposal, verb)
        except TimeoutError:
            return Failed(reason="unreachable", detail="The target did not answer in time.")
        except InvalidInput as error:
            return Failed(reason=STALE, detail=error.message)
        except KeyturnError as error:
            return Failed(reason="unreachable", detail=error.message)
        except Exception:
            log.exception("connector raised", extra={"proposal": proposal.id})
            return Failed(reason="connector_error", detail="The target could not be looked at.")
        if stale is not None:
            return stale
        if await self._is_halted(proposal):
            return Failed(reason="halted", detail="It was stopped before anything was sent.")
        try:
            return await connector.execute(
                proposal.action,
                key=key,
                etag=proposal.etag or proposal.facts.etag,
                deadline=deadline,
            )
        except Exception:
            # A connector must not raise; whatever it had begun may have had its effect.
            log.exception("connector raised", extra={"proposal": proposal.id})
            return InDoubt(reason="connector_error", detail="The connector failed unexpectedly.")

    async def _is_halted(self, proposal: Proposal) -> bool:
        halts = await self._gate.store.read(Halts(in_force=True))
        return stopped_by(halts, proposal) is not None

    async def _ask_anew(self, connector: Connector, proposal: Proposal, verb: Verb) -> Draft | None:
        """Return the draft of a successor that shows the target as it is now."""
        gate = self._gate
        agent = await gate.store.read(AgentById(proposal.agent))
        if agent is None or proposal.approval is None or proposal.undoes is not None:
            return None
        action = proposal.action
        try:
            facts = await connector.inspect(action)
        except KeyturnError:
            return None
        entropy = gate.entropy(ID_ENTROPY_BYTES + SALT_BYTES)
        return Draft(
            id=proposal_id(gate.clock.now(), entropy[:ID_ENTROPY_BYTES]),
            salt=entropy[ID_ENTROPY_BYTES:].hex(),
            agent=agent,
            proposer=system_actor("successor"),
            principal=proposal.principal,
            mode=proposal.mode,
            audience=proposal.audience,
            action=action,
            action_bytes=proposal.action_json.encode(),
            verb=verb,
            facts=facts,
            preview=connector.preview(action, facts),
            rationale=proposal.rationale,
            etag=facts.etag if proposal.etag is not None else None,
            correlation=proposal.correlation,
            idempotency_key=f"successor of {proposal.id}",
            request_digest=proposal.request_digest,
            expires_in_s=None,
            supersedes=None,
            successor_of=proposal.id,
        )

    async def _record(
        self,
        lease: Lease,
        proposal: Proposal,
        executed: Executed,
        *,
        verb: Verb | None,
        successor: Draft | None,
    ) -> None:
        gate = self._gate
        found = outcome_of(executed, proposal)

        async def record(held: Lease | None) -> None:
            await gate.commit_done(
                Ask(proposals=(proposal.id,), agent=proposal.agent),
                lambda snapshot: execution.outcome(
                    snapshot,
                    proposal_id=proposal.id,
                    attempt=proposal.attempt,
                    lease=held,
                    found=found,
                    verb=verb,
                    successor=successor,
                    policy=gate.policies.current,
                    deployment=gate.deployment,
                ),
            )

        try:
            await record(lease)
        except Conflict:
            log.warning("lease was lost while carrying out", extra={"proposal": proposal.id})
            await record(None)


async def _drifted(connector: Connector, proposal: Proposal, verb: Verb) -> Failed | None:
    """Observe once more; what more people would see, or has changed, is stale."""
    if not verb.inspects:
        return None
    facts: Facts = await connector.inspect(proposal.action)
    if facts.audience.is_wider_than(proposal.facts.audience):
        return Failed(
            reason=STALE, detail="More people, or others, would see it than the card said."
        )
    shown = proposal.etag or proposal.facts.etag
    if shown is not None and facts.etag is not None and facts.etag != shown:
        return Failed(reason=STALE, detail="The target has changed since it was shown.")
    return None


def result_of(executed: Executed) -> Result:
    match executed:
        case Succeeded():
            return Result.SUCCEEDED
        case Failed():
            return Result.FAILED
        case InDoubt():
            return Result.IN_DOUBT


def outcome_of(executed: Executed, proposal: Proposal) -> Outcome:
    """Return *executed* as it is recorded; the store's time replaces ``at``."""
    base = Outcome(
        result=result_of(executed), reason="done", detail=executed.detail, at=proposal.changed_at
    )
    match executed:
        case Succeeded(reference=reference):
            return replace(base, reference=reference)
        case Failed(reason=reason) | InDoubt(reason=reason):
            return replace(base, reason=reason)
