"""Slack does what every chat must do, over a socket and over HTTP."""

from bot.testing.chat import ChatConformance


class TestSlack(ChatConformance):
    pass
