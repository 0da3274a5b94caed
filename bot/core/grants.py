"""What is kept of one grant. Its token is made anew from this whenever it is asked for."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.ids import GrantId, ResourceServerId

#: No grant lives longer.
MAX_GRANT_S = 120

#: How many refusals of one grant are entries of the log; later ones are only counted.
MAX_REFUSALS_RECORDED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """``key`` names the key that signs it. Its times are whole seconds, as in its token.

    ``redeem_key`` is the Idempotency-Key under which it was redeemed, if one was sent;
    ``report_by`` is when the outcome becomes doubtful unless somebody has reported it.
    """

    id: GrantId
    key: str
    issued_at: datetime
    expires_at: datetime
    refusals: int = 0
    redeemed_by: ResourceServerId | None = None
    redeemed_at: datetime | None = None
    redeem_key: str | None = None
    report_by: datetime | None = None
