"""One question to Slack, with what only the headers of its answer tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from slack_sdk.errors import SlackApiError

from adapters.slack.client import Wire, scopes_in
from adapters.slack.errors import SlackUnclear, reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``said_at`` is Slack's own time, in seconds; None where it says none."""

    told: Mapping[str, Any]
    scopes: frozenset[str]
    said_at: float | None


async def ask(wire: Wire, token: str, method: str, **params: str) -> Answer:
    """Call a *method* that changes nothing.

    Raises:
        SlackRefused: Slack refused it.
        SlackBusy: not now.
        SlackUnclear: whatever it is, Slack said nothing.
    """
    client = wire.client(token)
    try:
        response = await client.api_call(method, http_verb="GET", params=params)
    except SlackApiError as error:
        raise reading(error) from None
    except Exception as error:  # noqa: BLE001 - whatever it is, Slack said nothing
        read = reading(error)
        raise (SlackUnclear(type(error).__name__) if read is error else read) from None
    headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
    data = response.data
    return Answer(
        told=data if isinstance(data, Mapping) else {},
        scopes=scopes_in(headers),
        said_at=_seconds(headers.get("date", "")),
    )


def _seconds(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
