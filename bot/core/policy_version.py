"""The policy that is in force, as a row that every replica can read."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.canonical import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """``digest`` is over ``text``, the policy file's exact content."""

    digest: Digest
    text: str
    activated_at: datetime
