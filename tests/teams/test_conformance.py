"""Teams does what every chat must do, in clients of today and in old ones."""

from bot.testing.chat import ChatConformance


class TestTeams(ChatConformance):
    pass
