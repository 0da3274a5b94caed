"""Checked again at the last moment: may this proposal still go on?

What has become stricter meanwhile ends a proposal; what has become laxer changes nothing,
because an approval binds the rule it was given under.
"""

from dataclasses import dataclass

from bot.core.actors import Agent
from bot.core.approval import PRINCIPAL, Approval, ApprovalMode
from bot.core.errors import Unavailable
from bot.core.halts import ended_by
from bot.core.policy import Allow, Deny, Hold, Policy, Question, evaluate
from bot.core.proposal import Mode, Proposal
from bot.core.step import Snapshot
from bot.core.verbs import Verb

_CHANGED = "How this is carried out has changed since it was proposed."


class PolicyChanged(Unavailable):
    """The policy in force is not the one that the caller holds: load it and ask again."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a proposal may not go on; ``reason`` is a sentence for people and agents."""

    reason: str


def policy_in_force(snapshot: Snapshot, policy: Policy) -> None:
    """Check that *policy* is the one in force.

    Raises:
        PolicyChanged: it is not.
    """
    if snapshot.policy_digest != policy.digest:
        raise PolicyChanged("The policy changed meanwhile.")


def question_about(proposal: Proposal, agent: Agent) -> Question:
    action = proposal.action
    return Question(
        agent=agent.name,
        agent_id=agent.id,
        principal=proposal.principal,
        verb=action.verb,
        resource=action.resource,
        kind=proposal.kind,
        params=action.params,
    )


def stop_for(
    proposal: Proposal,
    *,
    snapshot: Snapshot,
    agent: Agent | None,
    policy: Policy,
    verb: Verb | None,
) -> Stop | None:
    """Return why *proposal* may not go on now, or None."""
    halt = ended_by(snapshot.halts, proposal)
    if halt is not None:
        return Stop(
            f"Stopped by a person: {halt.reason}" if halt.reason else "Stopped by a person."
        )
    has_changed = verb is None or verb.config_digest != proposal.verb_digest
    if proposal.undoes is not None:
        # A person takes back what they answer for: what limits agents does not limit them.
        return Stop(_CHANGED) if has_changed else None
    if agent is None or not agent.active:
        return Stop("The agent is no longer active.")
    if proposal.principal not in agent.principals:
        return Stop("The agent may no longer act for this person.")
    if verb is None or has_changed:
        return Stop(_CHANGED)
    if not agent.may_propose(verb.name):
        return Stop("The agent may no longer propose this.")
    verdict = evaluate(policy, question_about(proposal, agent))
    match verdict:
        case Deny(reason=reason):
            return Stop(f"The policy has become stricter: {reason}")
        case Hold() | Allow() if not may_be_done(
            verdict, mode=proposal.mode, audience=proposal.audience
        ):
            return Stop("The policy has become stricter: it no longer releases this.")
        case Hold(approval=approval) if _is_stricter(approval, than=proposal.approval):
            return Stop("The policy has become stricter: it now asks for another approval.")
        case Hold() | Allow():
            return None


def may_be_done(verdict: Allow | Hold, *, mode: Mode, audience: str | None) -> bool:
    """Return whether *verdict* is about *mode*: a release needs a rule that names its audience."""
    return mode is Mode.EXECUTE or audience in verdict.release


def _is_stricter(new: Approval, *, than: Approval | None) -> bool:
    old = than
    if old is None:
        return True
    if new.mode is ApprovalMode.CONFIRM and new.approvers == (PRINCIPAL,) and not new.exclude:
        return old.mode is ApprovalMode.CONFIRM and old.approvers != (PRINCIPAL,)
    same_people = new.approvers == old.approvers and set(new.exclude) <= set(old.exclude)
    return new.mode is not old.mode or not same_people or new.count > old.count
