"""Asks Slack whether the chat can work as the settings have it, and names the setting if not."""

from adapters.slack.doctor.canary import CANARY
from adapters.slack.doctor.examining import Doctor
from adapters.slack.doctor.patient import Around, Credentials

__all__ = ["CANARY", "Around", "Credentials", "Doctor"]
