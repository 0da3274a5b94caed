"""The web inbox: a chat that Keyturn serves itself."""

from adapters.web.inbox import WebInbox

__all__ = ["WebInbox"]
