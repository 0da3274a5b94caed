"""Entries of the log: what is written in clear, what only as a salted commitment.

A leaf is RFC 8785 bytes and is never re-encoded: verification hashes what is stored.
Personal and free-text values stand in it as ``{"commitment": "sha256:…"}``, where the digest
is SHA-256 over the RFC 8785 bytes of ``["keyturn.commitment.v1", path, salt, value]``. The
salt and value are kept beside the log as an opening; erasing them leaves the root unchanged.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime

from bot.core.actors import Actor
from bot.core.canonical import Digest, Json, Plain, canonical, plain, sha256_digest
from bot.core.frozen import frozen
from bot.core.ids import AgentId, PersonId, ProposalId
from bot.core.merkle import leaf_hash

LEAF_VERSION = 1
SALT_BYTES = 16
#: What a commitment's bytes begin with, so that they are those of nothing else.
COMMITMENT = "keyturn.commitment.v1"


@frozen
class LeafDraft:
    """What a step wants recorded; the store adds index and time and seals it.

    ``private`` maps a field's name to a personal or free-text value.
    """

    type: str
    actor: Actor
    proposal: ProposalId | None = None
    agent: AgentId | None = None
    principal: PersonId | None = None
    clear: Mapping[str, Plain] = field(default_factory=dict)
    private: Mapping[str, Json] = field(default_factory=dict)


@frozen
class Opening:
    """What opens one commitment; ``salt`` is hexadecimal."""

    path: str
    salt: str
    value: Json


@frozen
class Leaf:
    """A sealed entry: its position, its exact bytes, their RFC 6962 leaf hash, its openings."""

    index: int
    at: datetime
    type: str
    proposal: ProposalId | None
    body: bytes
    hash: bytes
    openings: tuple[Opening, ...]


def seal(
    draft: LeafDraft, *, index: int, at: datetime, policy_digest: str | None, entropy: bytes
) -> Leaf:
    """Return *draft* as it enters the log.

    *entropy* holds ``SALT_BYTES`` fresh random bytes for each private field.
    """
    openings = tuple(
        Opening(path=path, salt=entropy[n * SALT_BYTES : (n + 1) * SALT_BYTES].hex(), value=value)
        for n, (path, value) in enumerate(draft.private.items())
    )
    value: dict[str, Plain] = {
        "v": LEAF_VERSION,
        "i": index,
        "at": timestamp(at),
        "type": draft.type,
        "actor": str(draft.actor),
        "policy": policy_digest,
        **draft.clear,
    }
    if draft.proposal is not None:
        value["proposal"] = draft.proposal
    if draft.agent is not None:
        value["agent"] = draft.agent
    if draft.principal is not None:
        value["principal"] = draft.principal
    for opening in openings:
        value[opening.path] = {"commitment": commitment(opening)}
    body = plain(value)
    return Leaf(
        index=index,
        at=at,
        type=draft.type,
        proposal=draft.proposal,
        body=body,
        hash=leaf_hash(body),
        openings=openings,
    )


def commitment(opening: Opening) -> Digest:
    """Return what stands in the leaf for *opening*."""
    value = opening.value
    if type(value) is str:
        return sha256_digest(plain([COMMITMENT, opening.path, opening.salt, value]))
    return sha256_digest(canonical([COMMITMENT, opening.path, opening.salt, value]))


def timestamp(at: datetime) -> str:
    """Return *at* as RFC 3339 in UTC, always with microseconds."""
    in_utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return in_utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
