"""Admins say where an agent is told; whoever does not want to be told any more is left alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.core.actors import Actor, Agent, system_actor
from bot.core.effects import Lease
from bot.core.errors import InvalidInput, NotFound
from bot.core.ids import WebhookSecretId
from bot.core.leaf import LeafDraft
from bot.core.step import Refusal, Replay, Snapshot, Step, Transition
from bot.core.webhook import Webhook, WebhookSecret

MESSENGER: Final = system_actor("messenger")

_NO_AGENT: Final = "There is no such agent."


def set_webhook(
    snapshot: Snapshot, *, url: str, secret: WebhookSecretId, actor: Actor
) -> Step[Agent]:
    """Tell the agent at *url* from now on, signed with *secret* alone."""
    agent = snapshot.agent
    if agent is None:
        return Refusal(NotFound(_NO_AGENT))
    if not agent.active:
        return Refusal(
            InvalidInput("This agent has been revoked.", remedy="Register a new agent instead.")
        )
    webhook = Webhook(url=url, secrets=(WebhookSecret(id=secret),))
    return _changed(replace(agent, webhook=webhook), "agent.webhook_set", actor)


def rotate(
    snapshot: Snapshot, *, secret: WebhookSecretId, overlap_s: int, actor: Actor
) -> Step[Agent]:
    """Sign with *secret* from now on, and for *overlap_s* seconds with the earlier ones too."""
    agent = snapshot.agent
    if agent is None:
        return Refusal(NotFound(_NO_AGENT))
    if agent.webhook is None:
        return Refusal(
            InvalidInput("This agent has no webhook.", remedy="Set one with its address first.")
        )
    rotated = agent.webhook.rotated(
        secret, now=snapshot.now, others_end_at=snapshot.now + timedelta(seconds=overlap_s)
    )
    return _changed(replace(agent, webhook=rotated), "agent.webhook_rotated", actor)


def remove(snapshot: Snapshot, *, actor: Actor) -> Step[Agent]:
    """Tell the agent nothing any more."""
    agent = snapshot.agent
    if agent is None:
        return Refusal(NotFound(_NO_AGENT))
    if agent.webhook is None:
        return Replay(agent)
    return _changed(replace(agent, webhook=None), "agent.webhook_removed", actor)


def stop(snapshot: Snapshot, lease: Lease, *, url: str, why: str) -> Step[None]:
    """Send nothing to *url* any more, until an admin sets a webhook again."""
    agent = snapshot.agent
    # An admin may have named another address meanwhile: that one is still wanted.
    if agent is None or agent.webhook is None or not agent.is_told or agent.webhook.url != url:
        return Transition(value=None, leaves=(), done=(lease,))
    stopped = replace(agent, webhook=replace(agent.webhook, stopped=why))
    changed = _changed(stopped, "agent.webhook_stopped", MESSENGER, why=why)
    return Transition(value=None, puts=changed.puts, leaves=changed.leaves, done=(lease,))


def _changed(agent: Agent, type_: str, actor: Actor, **private: str) -> Transition[Agent]:
    webhook = agent.webhook
    if webhook is not None:
        # An address may lead to a person; what signs is named, never shown.
        private["url"] = webhook.url
    return Transition(
        value=agent,
        puts=(agent,),
        leaves=(
            LeafDraft(
                type=type_,
                actor=actor,
                agent=agent.id,
                clear={"secrets": [] if webhook is None else [s.id for s in webhook.secrets]},
                private={"name": agent.name, **private},
            ),
        ),
    )
