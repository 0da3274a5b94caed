"""What every bot imports, imported once."""

import uvloop

import bot.cli.serve
import bot.main
import tests.faults.failpoints

__all__ = ["bot", "tests", "uvloop"]
