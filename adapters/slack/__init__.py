"""The chat in Slack."""
