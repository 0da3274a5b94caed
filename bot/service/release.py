"""Release mode: an agent takes its grant, a resource server redeems it, both may report."""

from typing import assert_never

from bot.core.actors import Agent, ResourceServer, agent_actor, resource_actor
from bot.core.errors import GrantNotGenuine, IllegalTransition, TooMany
from bot.core.grant_claims import claims_of
from bot.core.ids import ID_ENTROPY_BYTES, ProposalId, grant_id
from bot.core.leaf import LeafDraft
from bot.core.proposal import Proposal, Result
from bot.core.status import status_line
from bot.core.step import Ask, Snapshot, Step, Transition
from bot.core.transitions import release, reporting
from bot.core.transitions.release import Ended, Granted, Redeemed, Redemption, Refused
from bot.core.transitions.reporting import Report
from bot.ports.queries import ProposalById
from bot.service.approvers import membership_for
from bot.service.gate import Gate
from bot.service.grant_keys import GrantKeys

#: How many grants that are not ours one resource server may present before it has to wait.
MAX_FORGERIES = 100
FORGERY_WINDOW_S = 60.0


class Release:
    def __init__(self, gate: Gate, keys: GrantKeys) -> None:
        self._gate = gate
        self._keys = keys
        self._forgeries: dict[str, tuple[float, int]] = {}

    @property
    def keys(self) -> GrantKeys:
        return self._keys

    async def grant(self, agent: Agent, proposal_id: ProposalId) -> tuple[Proposal, str]:
        """Return the grant of an approved proposal, the same one until it ends.

        Raises:
            NotFound: there is no such proposal, or it is another agent's.
            IllegalTransition: it is not approved, not for release, or has just ended.
            Unavailable: there is no key to sign with.
        """
        gate, key = self._gate, self._keys.newest
        found = await gate.store.read(ProposalById(proposal_id))
        verb = None if found is None else gate.connectors.verbs.get(found.action.verb)
        membership = {} if found is None else await membership_for(gate, found)
        new = grant_id(gate.entropy(ID_ENTROPY_BYTES))
        done = await gate.commit(
            Ask(proposals=(proposal_id,), agent=agent.id),
            lambda snapshot: release.grant(
                snapshot,
                proposal_id=proposal_id,
                agent=agent.id,
                policy=gate.policies.current,
                verb=verb,
                membership=membership,
                new=new,
                key=key,
            ),
        )
        match done:
            case Granted(proposal):
                return proposal, self._token(proposal)
            case Ended(proposal):
                raise IllegalTransition(f"There is no grant. {status_line(proposal)}")
            case _:
                assert_never(done)

    async def redeem(
        self, server: ResourceServer, token: str, *, action_digest: str, key: str | None
    ) -> Redeemed:
        """Take *token* for the action of *action_digest*, once.

        *key* is the Idempotency-Key under which the same server may hear the answer again.

        Raises:
            GrantRefused: it permits nothing, and why.
            NotAuthenticated: the resource server has been revoked.
            TooMany: this server has presented too many that are not ours.
        """
        gate = self._gate
        shown = self._keys.read(token)
        if shown is None or shown.proposal is None:
            raise await self._forgery(server)
        found = await gate.store.read(ProposalById(shown.proposal))
        if found is None or found.grant is None or found.grant.id != shown.grant:
            raise await self._forgery(server)
        membership = await membership_for(gate, found)
        verb = gate.connectors.verbs.get(found.action.verb)

        def step(snapshot: Snapshot) -> Step[Redemption]:
            return release.redeem(
                snapshot,
                shown,
                server=server.id,
                action_digest=action_digest,
                redeem_key=key,
                deployment=gate.deployment,
                policy=gate.policies.current,
                verb=verb,
                membership=membership,
            )

        ask = Ask(proposals=(found.id,), agent=found.agent, resource_server=server.id)
        done = await gate.commit(ask, step)
        match done:
            case Redeemed():
                gate.tally.count("redeemed", "replayed" if done.replayed else "redeemed")
                return done
            case Refused(error):
                gate.tally.count("redeemed", error.code)
                raise error
            case _:
                assert_never(done)

    async def report(
        self,
        by: Agent | ResourceServer,
        proposal_id: ProposalId,
        *,
        result: Result,
        detail: str,
        reference: str | None,
    ) -> Proposal:
        """Record what *by* says came of a redeemed grant.

        Raises:
            NotFound: there is no such proposal of this agent, or redeemed by this server.
            NotPermitted: an agent says that nothing happened.
            IllegalTransition: nothing was redeemed.
        """
        actor = agent_actor(by.id) if isinstance(by, Agent) else resource_actor(by.id)
        claim = Report(by=actor, result=result, detail=detail, reference=reference)
        return await self._gate.commit(
            Ask(proposals=(proposal_id,)),
            lambda snapshot: reporting.report(snapshot, proposal_id, claim),
        )

    async def wrong_credential(self, token: str) -> None:
        """Record that a genuine grant came without a resource server's credential."""
        shown = self._keys.read(token)
        if shown is None or shown.claims is None or shown.proposal is None:
            return
        gate, known = self._gate, shown
        await gate.commit(
            Ask(proposals=(shown.proposal,)),
            lambda snapshot: release.wrong_credential(snapshot, known, deployment=gate.deployment),
        )

    def _token(self, proposal: Proposal) -> str:
        assert proposal.grant is not None  # it was just released
        claims = claims_of(proposal, deployment=self._gate.deployment)
        return self._keys.sign(claims, key=proposal.grant.key)

    async def _forgery(self, server: ResourceServer) -> GrantNotGenuine:
        """Record a grant that names none of ours; return what its bearer is told.

        Raises:
            TooMany: it is one of too many, and is only counted.
        """
        gate = self._gate
        gate.tally.count("redeemed", GrantNotGenuine.code)
        now = gate.clock.now().timestamp()
        since, count = self._forgeries.get(server.id, (now, 0))
        if now - since >= FORGERY_WINDOW_S:
            since, count = now, 0
        if count >= MAX_FORGERIES:
            raise TooMany(
                "This resource server presents too many grants that are not ours.",
                cap="forgeries_per_minute",
                retry_after_s=int(FORGERY_WINDOW_S),
            )
        self._forgeries[server.id] = (since, count + 1)
        error = GrantNotGenuine("This deployment knows no such grant.")
        leaf = LeafDraft(
            type="grant.refused", actor=resource_actor(server.id), clear={"why": error.code}
        )
        await gate.commit(Ask(), lambda _: Transition(value=None, leaves=(leaf,)))
        return error
