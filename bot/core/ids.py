"""Identifiers as types, and how they are spelled from given randomness.

An id says what it names by its prefix. Ids that are sorted by time carry 48 bits of
milliseconds before 80 random bits; the others are 128 random bits. None is a secret:
seeing one never gives a right.
"""

import hashlib
from datetime import datetime
from typing import NewType

ProposalId = NewType("ProposalId", str)
AgentId = NewType("AgentId", str)
PersonId = NewType("PersonId", str)
HaltId = NewType("HaltId", str)
TokenId = NewType("TokenId", str)
EffectId = NewType("EffectId", str)
ResourceServerId = NewType("ResourceServerId", str)
GrantId = NewType("GrantId", str)
WebhookSecretId = NewType("WebhookSecretId", str)

ID_ENTROPY_BYTES = 16

#: Crockford's base 32: no letter that reads like a digit.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def proposal_id(at: datetime, entropy: bytes) -> ProposalId:
    """Return an id that sorts by *at*, with 80 of the 128 bits of *entropy*."""
    milliseconds = int(at.timestamp() * 1000) & (2**48 - 1)
    return ProposalId("prp_" + _spell(milliseconds << 80 | int.from_bytes(entropy[:10], "big")))


def agent_id(entropy: bytes) -> AgentId:
    return AgentId("agt_" + _spell(int.from_bytes(entropy[:16], "big")))


def person_id(entropy: bytes) -> PersonId:
    return PersonId("per_" + _spell(int.from_bytes(entropy[:16], "big")))


def halt_id(entropy: bytes) -> HaltId:
    return HaltId("hlt_" + _spell(int.from_bytes(entropy[:16], "big")))


def token_id(entropy: bytes) -> TokenId:
    return TokenId("tok_" + _spell(int.from_bytes(entropy[:16], "big")))


def resource_server_id(entropy: bytes) -> ResourceServerId:
    return ResourceServerId("rsv_" + _spell(int.from_bytes(entropy[:16], "big")))


def grant_id(entropy: bytes) -> GrantId:
    return GrantId("gnt_" + _spell(int.from_bytes(entropy[:16], "big")))


def webhook_secret_id(entropy: bytes) -> WebhookSecretId:
    return WebhookSecretId("whs_" + _spell(int.from_bytes(entropy[:16], "big")))


def notice_route_id(entropy: bytes) -> str:
    return "ntr_" + _spell(int.from_bytes(entropy[:16], "big"))


def effect_id(subject: str, kind: str, occasion: str) -> EffectId:
    """Return the same id for the same work, so that asking for it twice is asking once."""
    name = f"{subject}\n{kind}\n{occasion}".encode()
    return EffectId("eff_" + hashlib.sha256(name).hexdigest()[:26])


def _spell(number: int) -> str:
    """Return *number* as 26 digits, two at a time."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(120, -1, -10)
