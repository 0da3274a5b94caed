"""Asks Microsoft whether the chat can work as the settings have it; names the setting if not."""

from adapters.teams.doctor.canary import VERB
from adapters.teams.doctor.examining import Doctor
from adapters.teams.doctor.patient import Account, Around, Listener, Writer

__all__ = ["VERB", "Account", "Around", "Doctor", "Listener", "Writer"]
