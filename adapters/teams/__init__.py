"""The chat in Microsoft Teams."""
