"""What a credential is and may propose."""

from aiohttp import web

from bot.core.actors import Agent
from bot.core.policy import Deny, Policy, Verdict
from bot.core.verbs import Verb
from bot.http.agent_api import API
from bot.http.answers import answer


async def list_verbs(request: web.Request, agent: Agent) -> web.Response:
    gate = request.app[API].gate
    policy = gate.policies.current
    return answer(
        {
            "verbs": [
                {
                    "name": verb.name,
                    "kind": verb.kind.value,
                    "summary": verb.summary,
                    "resources": list(verb.resources),
                    "params_schema": dict(verb.params_schema),
                    "release_to": None if verb.release is None else verb.release.audience,
                }
                for name, verb in sorted(gate.connectors.verbs.items())
                if agent.may_propose(name) and not always_denied(policy, agent.name, verb)
            ]
        }
    )


async def whoami(request: web.Request, agent: Agent) -> web.Response:
    return answer(
        {
            "agent": agent.id,
            "name": agent.name,
            "purpose": agent.purpose,
            "principals": list(agent.principals),
            "verbs": list(agent.verbs),
            "deployment": request.app[API].gate.deployment,
        }
    )


def always_denied(policy: Policy, agent: str, verb: Verb) -> bool:
    """Return whether *policy* refuses *verb* to *agent* whatever the resource and params."""
    rules = policy.about(agent=agent, verb=verb.name)
    if not any(_may_permit(rule.effect, verb) for rule in rules):
        return True
    return any(
        isinstance(rule.effect, Deny) and rule.resources.everything and not rule.where
        for rule in rules
    )


def _may_permit(effect: Verdict, verb: Verb) -> bool:
    if isinstance(effect, Deny):
        return False
    return verb.release is None or verb.release.audience in effect.release
