"""The connector that writes messages in Slack, with a token that is not the chat's."""

from adapters.slack.connector.connector import SlackConnector
from adapters.slack.connector.load import create

__all__ = ["SlackConnector", "create"]
