"""The claims of a grant's token: a JWT for one resource server, about exactly one action.

RFC 7519 names the registered claims, RFC 8693 ``act``, RFC 9396 ``authorization_details``.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.canonical import Json, canonical
from bot.core.ids import GrantId, PersonId, ProposalId
from bot.core.proposal import Proposal

DETAIL_TYPE = "urn:keyturn:action:v1"
_PSEUDONYM_CHARS = 32


def issuer_of(deployment: str) -> str:
    """Return what the grants of *deployment* carry as ``iss``."""
    return f"urn:keyturn:deployment:{deployment}"


def pseudonym(person: PersonId, *, deployment: str, audience: str) -> str:
    """Return the same name for the same person at one audience, and another at every other."""
    name = canonical(["keyturn.pseudonym.v1", deployment, audience, person])
    return "psn_" + hashlib.sha256(name).hexdigest()[:_PSEUDONYM_CHARS]


def claims_of(proposal: Proposal, *, deployment: str) -> Mapping[str, Json]:
    """Return what the grant of *proposal* says; the same at every call."""
    grant, audience = proposal.grant, proposal.audience
    assert grant is not None  # only asked of what was released
    assert audience is not None  # the same
    action = proposal.action
    issued_at = int(grant.issued_at.timestamp())
    return {
        "iss": issuer_of(deployment),
        "aud": audience,
        "sub": pseudonym(proposal.principal, deployment=deployment, audience=audience),
        "act": {"sub": proposal.agent},
        "jti": grant.id,
        "iat": issued_at,
        "nbf": issued_at,
        "exp": int(grant.expires_at.timestamp()),
        "txn": proposal.id,
        "authorization_details": [
            {
                "type": DETAIL_TYPE,
                "verb": action.verb,
                "resource": action.resource,
                "action_digest": proposal.action_digest,
                "digest": proposal.digest,
                "max_uses": 1,
            }
        ],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A grant that a resource server was handed.

    ``claims`` are those of a genuine signature, None for anything else. Without one ``proposal``
    and ``grant`` are only what somebody has written there.
    """

    proposal: ProposalId | None
    grant: GrantId | None
    claims: Mapping[str, Json] | None


def presented(claims: Mapping[str, Json], *, genuine: bool) -> Presented:
    txn, jti = claims.get("txn"), claims.get("jti")
    return Presented(
        proposal=ProposalId(txn) if isinstance(txn, str) else None,
        grant=GrantId(jti) if isinstance(jti, str) else None,
        claims=claims if genuine else None,
    )
