from bot.testing.chat import ChatConformance


class TestWebInbox(ChatConformance):
    """The inbox keeps what every chat has to keep."""
