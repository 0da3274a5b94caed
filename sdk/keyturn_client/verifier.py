"""What a resource server does with a grant, just before it carries an action out.

A signed token alone can be used twice. So the grant is checked here, against the action that is
about to be carried out, and then redeemed at the gate, which lets it pass once, and only while no
person and no rule has stopped it. Whatever goes wrong on the way, the action must not happen:
every doubt is raised.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from joserfc import jws
from joserfc.errors import JoseError

from keyturn_client.action import Action, action_digest
from keyturn_client.errors import GrantRefused, Refused
from keyturn_client.gate import Gate
from keyturn_client.keys import Keys

TYPE: Final = "keyturn-grant+jwt"
ALGORITHM: Final = "Ed25519"
DETAIL_TYPE: Final = "urn:keyturn:action:v1"
MAX_GRANT_CHARS: Final = 16_384
MAX_LIFE_S: Final = 120
#: How far the two clocks may differ. The gate's own decides in the end.
LEEWAY_S: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """The action may be carried out now, once.

    ``agent`` acts; ``principal`` is a pseudonym of the person on whose behalf. ``report_by`` is
    until when to report the outcome (RFC 3339).
    """

    proposal: str
    action: Action
    agent: str
    principal: str
    report_by: str


class GrantVerifier:
    """For one *audience*, with the resource server's own *token*; an async context manager.

    *issuer* is what the grants of the deployment carry as ``iss``:
    ``urn:keyturn:deployment:NAME``. *clock* returns seconds since 1970.
    """

    def __init__(
        self,
        gate_url: str,
        *,
        audience: str,
        issuer: str,
        token: str,
        timeout_s: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._gate = Gate(gate_url, token=token, timeout_s=timeout_s)
        self._keys = Keys(self._gate, clock=time.monotonic)
        self._audience = audience
        self._issuer = issuer
        self._clock = clock

    async def __aenter__(self) -> Self:
        await self._gate.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._gate.close()

    async def redeem(self, grant: str, action: Action, *, key: str | None = None) -> Redeemed:
        """Return if *action*, exactly as given, may be carried out now; use it up.

        *key* is an Idempotency-Key: with the same one, this server hears the answer again after
        a lost reply. Use one only where you can tell whether you have begun already.

        Raises:
            GrantRefused: it must not be carried out.
            GateUnreachable: nobody can tell, so it must not be carried out.
        """
        digest = self._digest(action)
        claims = await self._check(grant, action, digest)
        try:
            answer = await self._gate.ask(
                "POST",
                "/v1/grants/redeem",
                body={"grant": grant, "action_digest": digest},
                headers=None if key is None else {"Idempotency-Key": key},
            )
        except Refused as error:
            raise GrantRefused(error.message, code=error.code, remedy=error.remedy) from error
        expected = {
            "proposal": claims["txn"],
            "state": "redeemed",
            "verb": action.verb,
            "resource": action.resource,
            "action_digest": digest,
        }
        if any(answer.get(name) != value for name, value in expected.items()):
            raise GrantRefused("The gate speaks of another action.", code="gate_disagrees")
        return Redeemed(
            proposal=claims["txn"],
            action=action,
            agent=claims["act"]["sub"],
            principal=claims["sub"],
            report_by=str(answer.get("report_by")),
        )

    async def report(
        self,
        proposal: str,
        result: Literal["succeeded", "failed"],
        *,
        detail: str = "",
        reference: str | None = None,
    ) -> None:
        """Say what came of a redeemed action; ``failed`` says that nothing happened.

        Raises:
            Refused: it was not redeemed by this resource server.
            GateUnreachable: say it again.
        """
        body = {"result": result, "detail": detail, "reference": reference}
        await self._gate.ask("POST", f"/v1/proposals/{proposal}/outcome", body=body)

    def _digest(self, action: Action) -> str:
        try:
            return action_digest(action)
        except ValueError as error:
            raise GrantRefused(str(error), code="no_canonical_form") from error

    async def _check(self, grant: str, action: Action, digest: str) -> Mapping[str, Any]:
        claims = await self._verified(grant)
        wrong = _why_wrong(
            claims,
            issuer=self._issuer,
            audience=self._audience,
            action=action,
            digest=digest,
            now=self._clock(),
        )
        if wrong is not None:
            code, message = wrong
            raise GrantRefused(message, code=code, remedy="Do not carry the action out.")
        return claims

    async def _verified(self, grant: str) -> Mapping[str, Any]:
        not_genuine = GrantRefused("This is not a grant of this gate.", code="grant_not_genuine")
        if len(grant) > MAX_GRANT_CHARS or not grant.isascii():
            raise not_genuine
        try:
            header = jws.extract_compact(grant.encode()).headers()
        except (JoseError, ValueError) as error:
            raise not_genuine from error
        kid = header.get("kid")
        if not isinstance(kid, str) or header != {"typ": TYPE, "alg": ALGORITHM, "kid": kid}:
            raise not_genuine
        key = await self._keys.find(kid)
        if key is None:
            raise not_genuine
        try:
            token = jws.deserialize_compact(grant, key, algorithms=[ALGORITHM])
            claims = json.loads(token.payload)
        except (JoseError, ValueError) as error:
            raise not_genuine from error
        if not isinstance(claims, dict):
            raise not_genuine
        return claims


def _why_wrong(
    claims: Mapping[str, Any],
    *,
    issuer: str,
    audience: str,
    action: Action,
    digest: str,
    now: float,
) -> tuple[str, str] | None:
    """Return the code and sentence of the first thing that is wrong, or None."""
    match claims:
        case {
            "iss": str(iss),
            "aud": str(aud),
            "sub": str(),
            "act": {"sub": str()},
            "txn": str(),
            "jti": str(),
            "iat": int(iat),
            "nbf": int(nbf),
            "exp": int(exp),
            "authorization_details": [{"type": type_, **detail}],
        } if type_ == DETAIL_TYPE:
            pass
        case _:
            return "grant_not_genuine", "Its claims are not those of a grant."
    if iss != issuer:
        return "grant_not_genuine", "It is of another deployment."
    if aud != audience:
        return "grant_for_another_audience", "It is for another resource server."
    if now < min(iat, nbf) - LEEWAY_S or exp - iat > MAX_LIFE_S:
        return "grant_not_genuine", "Its times are not those of a grant."
    if now >= exp + LEEWAY_S:
        return "grant_expired", "Its time is over."
    approved = {"verb": action.verb, "resource": action.resource, "action_digest": digest}
    if any(detail.get(name) != value for name, value in approved.items()):
        return "grant_for_another_action", "What is about to be done is not what was approved."
    if detail.get("max_uses") != 1:
        return "grant_not_genuine", "It is not for a single use."
    return None
