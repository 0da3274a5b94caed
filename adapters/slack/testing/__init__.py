"""A fake Slack that speaks the wire, for testing whatever speaks to Slack."""

from adapters.slack.testing.calls import Call, Refusal
from adapters.slack.testing.deliveries import ACK_S, Delivery, Kind, Retry, encoded, sign
from adapters.slack.testing.faults import Fault, Trouble
from adapters.slack.testing.hand import Hand, NothingToPress, elements_of
from adapters.slack.testing.limits import check_message, check_view, texts_of
from adapters.slack.testing.slack import FakeSlack, Mode, open_fake_slack
from adapters.slack.testing.world import (
    BOT_SCOPES,
    Account,
    Channel,
    Message,
    Team,
    Token,
    UserGroup,
)

__all__ = [
    "ACK_S",
    "BOT_SCOPES",
    "Account",
    "Call",
    "Channel",
    "Delivery",
    "FakeSlack",
    "Fault",
    "Hand",
    "Kind",
    "Message",
    "Mode",
    "NothingToPress",
    "Refusal",
    "Retry",
    "Team",
    "Token",
    "Trouble",
    "UserGroup",
    "check_message",
    "check_view",
    "elements_of",
    "encoded",
    "open_fake_slack",
    "sign",
    "texts_of",
]
