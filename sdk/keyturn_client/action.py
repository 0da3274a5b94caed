"""An action and its digest, as the gate computes it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What would be written. ``params`` holds what JSON can: no NaN, integers within 2^53."""

    verb: str
    resource: str
    params: Mapping[str, Any]


def action_digest(action: Action) -> str:
    """Return ``sha256:`` and the SHA-256 of the RFC 8785 bytes of verb, resource and params.

    Raises:
        ValueError: a value has no canonical form.
    """
    value: Any = {"params": dict(action.params), "resource": action.resource, "verb": action.verb}
    try:
        canonical = rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"The action has no canonical form: {error}") from error
    return f"sha256:{hashlib.sha256(canonical).hexdigest()}"
