"""Everything people do in Slack, as listeners of a Bolt app: the same over HTTP and a socket."""

from slack_bolt.async_app import AsyncApp

from adapters.slack.listeners import actions, commands, home, lifecycle, shortcuts, views
from adapters.slack.listeners.office import CardKeeper, Lifecycle, Office

__all__ = ["CardKeeper", "Lifecycle", "Office", "register"]


def register(app: AsyncApp, office: Office) -> None:
    """Have *app* serve *office*; what is known comes first, and what is outdated last."""
    for listeners in (commands, shortcuts, home, lifecycle, views, actions):
        listeners.register(app, office)
