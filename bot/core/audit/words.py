"""Entries in words."""

from collections.abc import Mapping
from typing import Any, Final

WHAT: Final[Mapping[str, str]] = {
    "proposal.submitted": "Proposed",
    "proposal.superseded": "Replaced by a newer proposal",
    "proposal.withdrawn": "Taken back",
    "proposal.expired": "Ended: its time was over",
    "proposal.revoked": "Stopped",
    "card.lost": "Card cannot be reached any more",
    "card.posted": "Card shown",
    "card.undeliverable": "Card could not be shown to anybody",
    "card.viewed": "Full view read to its end",
    "click.refused": "A click that did not count",
    "decision.approve": "Approved",
    "decision.reject": "Rejected",
    "execution.intent": "Began to carry it out",
    "execution.outcome": "Carried out",
    "execution.late_report": "A late report came in",
    "settlement": "Doubt settled",
    "proposal.acknowledged": "The agent has taken note",
    "proposal.not_told": "The agent could not be told; it can still ask",
    "grant.released": "Released to the agent",
    "grant.redeemed": "The grant was used",
    "grant.refused": "A grant was refused",
    "grant.outcome": "Reported",
    "grant.late_report": "A late report came in",
    "agent.created": "Agent registered",
    "agent.limits_changed": "An agent's limits changed",
    "agent.revoked": "Agent ended",
    "agent.token_rotated": "An agent got a new token",
    "agent.webhook_removed": "An agent is told nothing more",
    "agent.webhook_rotated": "An agent's messages got a new signing secret",
    "agent.webhook_set": "An agent is told at an address",
    "agent.webhook_stopped": "An agent's receiver wants nothing more",
    "halt.ended": "Let new work begin again",
    "halt.set": "Stopped by a person",
    "identity.code_made": "A code that links an account in a chat was made",
    "identity.linked": "An account in a chat was linked to a person",
    "identity.unlinked": "An account in a chat was unlinked from a person",
    "notice_route.ended": "A channel is told nothing more",
    "notice_route.set": "A channel is told what happens",
    "person.admin_token": "A person got an admin token",
    "person.created": "Person registered",
    "log.opened": "A backup was put back, and the log goes on from it",
    "proposal.carried_over": "Known from the database that a backup replaced",
    "token.ended": "A token ended once more",
    "person.erased": "Everything about a person was erased",
    "person.deactivated": "All access of a person ended",
    "person.email_set": "A person's address changed",
    "person.roles_changed": "A person's roles changed",
    "policy.activated": "A policy came into force",
    "sign_in.done": "Signed in",
    "sign_in.link_made": "A sign-in link was made",
    "undo.requested": "Undo asked for",
}
SYSTEM_NAMES: Final[Mapping[str, str]] = {
    "clock": "Keyturn's clock",
    "gate": "Keyturn",
    "worker": "Keyturn",
    "courier": "Keyturn",
    "matcher": "Keyturn",
    "operator": "The operator",
    "messenger": "Keyturn",
    "successor": "Keyturn",
    "restore": "A restore",
}
RESULTS: Final[Mapping[str, str]] = {
    "succeeded": "it happened",
    "failed": "it did not happen",
    "in_doubt": "not known whether it happened",
}
_TOLD_WITH_RESULT: Final = frozenset(
    {
        "execution.outcome",
        "execution.late_report",
        "grant.outcome",
        "grant.late_report",
        "settlement",
    }
)
_TOLD_WITH_CHAT: Final = frozenset(
    {"card.lost", "card.posted", "decision.approve", "decision.reject"}
)


def what_of(body: Mapping[str, Any]) -> str:
    """Return what the entry *body* records, in a few words."""
    type_: str = body["type"]
    what = WHAT.get(type_, type_)
    if type_ == "proposal.submitted" and body["state"] != "pending":
        return f"{what}, and {'allowed' if body['state'] == 'approved' else 'refused'} by a rule"
    if type_ in _TOLD_WITH_RESULT and "result" in body:
        return f"{what}: {RESULTS.get(body['result'], body['result'])}"
    if type_ in _TOLD_WITH_CHAT:
        return f"{what} in {body['chat']}"
    return what
