"""The command `keyturn`: one file a command."""

from bot.cli.app import app, main

__all__ = ["app", "main"]
