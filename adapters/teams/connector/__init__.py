"""The connector that writes messages in Teams channels, as a bot that is not the chat's."""

from adapters.teams.connector.connector import TeamsConnector
from adapters.teams.connector.load import create

__all__ = ["TeamsConnector", "create"]
