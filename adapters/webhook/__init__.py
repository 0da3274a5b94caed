"""Brings messages to agents' webhooks over HTTP."""

from adapters.webhook.notifier import HttpNotifier

__all__ = ["HttpNotifier"]
