"""A Bot Connector, an issuer of tokens, and Graph, on this machine."""

from adapters.teams.testing.calls import Call, Refusal
from adapters.teams.testing.deliveries import Delivery, NotAnAnswer
from adapters.teams.testing.faults import Fault, Trouble
from adapters.teams.testing.hand import Hand, NothingToPress, actions_of
from adapters.teams.testing.issuer import Issuer
from adapters.teams.testing.limits import check_activity, check_card, elements_of, texts_of
from adapters.teams.testing.teams import FakeTeams, open_fake_teams
from adapters.teams.testing.world import Account, Activity, Chat

__all__ = [
    "Account",
    "Activity",
    "Call",
    "Chat",
    "Delivery",
    "FakeTeams",
    "Fault",
    "Hand",
    "Issuer",
    "NotAnAnswer",
    "NothingToPress",
    "Refusal",
    "Trouble",
    "actions_of",
    "check_activity",
    "check_card",
    "elements_of",
    "open_fake_teams",
    "texts_of",
]
