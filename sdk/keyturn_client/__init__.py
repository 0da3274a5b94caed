"""What agents and resource servers install: a small client, and a verifier of grants."""

from keyturn_client.action import Action, action_digest
from keyturn_client.agent import Grant, Keyturn, Proposal
from keyturn_client.errors import GateUnreachable, GrantRefused, KeyturnError, Refused
from keyturn_client.verifier import GrantVerifier, Redeemed

__all__ = [
    "Action",
    "GateUnreachable",
    "Grant",
    "GrantRefused",
    "GrantVerifier",
    "Keyturn",
    "KeyturnError",
    "Proposal",
    "Redeemed",
    "Refused",
    "action_digest",
]
