"""Grants: an agent takes one, a resource server redeems it, both may report."""

from aiohttp import web

from bot.core.actors import Agent, ResourceServer
from bot.core.errors import KeyturnError, NotAuthenticated
from bot.core.ids import ProposalId
from bot.core.proposal import Result
from bot.http.agent_api import API
from bot.http.answers import answer
from bot.http.auth import Refused, bearer
from bot.http.bodies import fit, read_json, read_model
from bot.http.models import OutcomeBody, RedeemBody
from bot.http.proposal_answer import status_of, told
from bot.http.proposals import idempotency_key
from bot.http.rate import RATE
from bot.service.credentials import Credentials
from bot.service.release import Release

#: How long a copy of the keys may be kept; a new key is looked up when it is first met.
JWKS_MAX_AGE_S = 300


class RedeemAuth:
    """Knows resource servers by their tokens; a genuine grant in other hands is recorded."""

    def __init__(self, credentials: Credentials, refused: Refused, release: Release) -> None:
        self._credentials = credentials
        self._refused = refused
        self._release = release

    async def __call__(self, request: web.Request) -> ResourceServer:
        """Return the resource server whose token *request* carries.

        Raises:
            NotAuthenticated: there is no token, or it is not a valid one of a resource server.
        """
        try:
            return await self._credentials.resource_server(bearer(request, self._refused))
        except NotAuthenticated:
            await self._record(request)
            raise

    async def _record(self, request: web.Request) -> None:
        try:
            body = fit(await read_json(request), RedeemBody)
            await self._release.wrong_credential(body.grant)
        except KeyturnError:
            # Whoever it is is refused all the same, and learns nothing from the difference.
            return


async def take_grant(request: web.Request, agent: Agent) -> web.Response:
    wanted = ProposalId(request.match_info["id"])
    proposal, token = await request.app[API].release.grant(agent, wanted)
    assert proposal.grant is not None  # it was released
    return answer(
        {
            "proposal": proposal.id,
            "grant": token,
            "audience": proposal.audience,
            "action_digest": proposal.action_digest,
            "expires_at": proposal.grant.expires_at,
        }
    )


async def redeem_grant(request: web.Request, server: ResourceServer) -> web.Response:
    key = idempotency_key(request)
    body = fit(await read_json(request), RedeemBody)
    redeemed = await request.app[API].release.redeem(
        server, body.grant, action_digest=body.action_digest, key=key
    )
    proposal = redeemed.proposal
    assert proposal.grant is not None  # it was redeemed
    action = proposal.action
    return answer(
        {
            "proposal": proposal.id,
            "state": proposal.state.value,
            "verb": action.verb,
            "resource": action.resource,
            "action_digest": proposal.action_digest,
            "digest": proposal.digest,
            "agent": proposal.agent,
            "redeemed_at": proposal.grant.redeemed_at,
            "report_by": proposal.grant.report_by,
        },
        headers={"Idempotency-Replayed": "true"} if redeemed.replayed else None,
    )


async def report_outcome(request: web.Request, by: Agent | ResourceServer) -> web.Response:
    api = request.app[API]
    request.app[RATE].take(by.id)
    body = await read_model(request, OutcomeBody)
    proposal = await api.release.report(
        by,
        ProposalId(request.match_info["id"]),
        result=Result(body.result),
        detail=body.detail,
        reference=body.reference,
    )
    return answer(await told(api.checkpoints, proposal), status=status_of(proposal))


async def jwks(request: web.Request, _: object) -> web.Response:
    return answer(
        request.app[API].release.keys.jwks(),
        headers={"Cache-Control": f"public, max-age={JWKS_MAX_AGE_S}"},
    )
