"""What happens to the app and to accounts, so that nobody counts on what is gone."""

from typing import Any

from slack_bolt.async_app import AsyncApp

from adapters.slack.inbound import is_of_people_only, parse_changed, parse_removed
from adapters.slack.listeners.office import Lifecycle, Office


def register(app: AsyncApp, office: Office) -> None:
    if office.lifecycle is not None:
        _listen(app, office.lifecycle)


def _listen(app: AsyncApp, lifecycle: Lifecycle) -> None:
    async def _removed(body: dict[str, Any]) -> None:
        if is_of_people_only(body):
            return
        enterprise, team = parse_removed(body)
        await lifecycle.removed(enterprise=enterprise, team=team)

    app.event("app_uninstalled")(_removed)
    app.event("tokens_revoked")(_removed)

    @app.event("user_change")
    async def _changed(body: dict[str, Any]) -> None:
        team, user = parse_changed(body)
        await lifecycle.changed(team=team, user=user)
