"""What a receiver's answer means."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bot.ports.notifier import Gone, Notified, NotNow, Sent


def meaning(status: int, headers: Mapping[str, str], *, now: datetime) -> Notified:
    """Return what an answer with *status* and *headers* (names in lower case) says."""
    if 200 <= status < 300:
        return Sent()
    if status == 410:
        return Gone()
    what = "redirected, which is not followed" if 300 <= status < 400 else f"answered {status}"
    return NotNow(
        why=f"The receiver {what}.",
        retry_after_s=retry_after_s(headers.get("retry-after", ""), now=now),
    )


def retry_after_s(written: str, *, now: datetime) -> float | None:
    """Return the seconds of a Retry-After (RFC 9110, 10.2.3), or None if it says none."""
    if written.isascii() and written.isdigit() and len(written) < 10:
        return float(written)
    try:
        at = parsedate_to_datetime(written)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max((at - now).total_seconds(), 0.0)
