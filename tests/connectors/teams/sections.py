"""Sections of ``keyturn.yaml`` and actions that the tests of the connector share."""

from collections.abc import Mapping
from typing import Any

from adapters.teams.connector import TeamsConnector, create
from adapters.teams.testing.channels import WRITER_APP
from adapters.teams.testing.issuer import APP_PASSWORD, TENANT
from bot.core.proposal import Action
from bot.system_clock import SystemClock

TEAM = "19:0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d@thread.tacv2"
CHANNEL = "19:ffff0000ffff0000ffff0000ffff0000@thread.tacv2"


def section(**changed: Any) -> dict[str, Any]:
    """Return a section with keys replaced; one given as None is left out."""
    made: dict[str, Any] = {
        "type": "teams",
        "app_id": WRITER_APP,
        "tenant": TENANT,
        "credential": {"app_password": "env:TEAMS_WRITER_SECRET"},
        "timeout_s": 5,
        **changed,
    }
    return {key: value for key, value in made.items() if value is not None}


def connect(made: Mapping[str, Any], *, secret: str = APP_PASSWORD) -> TeamsConnector:
    return create("teams", made, secrets=lambda _: secret, clock=SystemClock())


def action(deed: str, place: str, **params: Any) -> Action:
    return Action(verb=f"teams.{deed}", resource=f"teams:{place}", params=params)
