"""Sections of ``keyturn.yaml`` and actions that the tests of the connector share."""

from collections.abc import Mapping
from typing import Any

from adapters.slack.connector import SlackConnector, create
from bot.core.proposal import Action
from bot.system_clock import SystemClock

TEAM = "T0ACME"
CHANNEL = "C0HELP"
SECRET = "xoxb-1234567890-s3cr3tOfTheConnector"


def section(**changed: Any) -> dict[str, Any]:
    """Return a section with keys replaced; one given as None is left out."""
    made: dict[str, Any] = {
        "type": "slack",
        "team": TEAM,
        "credential": {"reference": "env:SLACK_WRITER_TOKEN"},
        "timeout_s": 5,
        **changed,
    }
    return {key: value for key, value in made.items() if value is not None}


def connect(made: Mapping[str, Any], *, token: str = SECRET) -> SlackConnector:
    return create("slack", made, secrets=lambda _: token, clock=SystemClock())


def action(deed: str, place: str, **params: Any) -> Action:
    return Action(verb=f"slack.{deed}", resource=f"slack:{place}", params=params)
