"""Admins set, renew and remove an agent's webhook; its signing secrets are on the shelf.

The agent's record says which secrets sign; the shelf holds them, encrypted. A secret is put there
before the record names it, so that an interrupted change leaves what was in force.
"""

from collections.abc import Callable, Sequence

from bot.core.actors import Actor, Agent
from bot.core.errors import InvalidInput, NotFound
from bot.core.ids import ID_ENTROPY_BYTES, AgentId, WebhookSecretId, webhook_secret_id
from bot.core.step import Ask, Snapshot, Step
from bot.core.transitions import webhooks
from bot.core.webhook import Webhook
from bot.core.webhook_message import SECRET_ENTROPY_BYTES, spell_secret
from bot.ports.queries import AgentById
from bot.service.gate import Gate
from bot.service.programs import require_overlap

_KIND = "webhook"


class WebhookBook:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def set(self, actor: Actor, agent: AgentId, *, url: str) -> tuple[Agent, str]:
        """Tell the agent at *url* from now on; return it and the secret, shown this once.

        Raises:
            NotFound: there is no such agent.
            InvalidInput: nothing may be sent to *url*, or the agent has been revoked.
        """
        if why := self._gate.notifier.why_refused(url):
            raise InvalidInput(why, field="/url")
        return await self._signed_anew(
            agent,
            lambda snapshot, new: webhooks.set_webhook(snapshot, url=url, secret=new, actor=actor),
        )

    async def rotate(self, actor: Actor, agent: AgentId, *, overlap_s: int) -> tuple[Agent, str]:
        """Sign with a new secret, shown this once; the earlier ones sign too for *overlap_s*.

        Raises:
            NotFound: there is no such agent.
            InvalidInput: it has no webhook, or the overlap is too long.
        """
        require_overlap(overlap_s)
        return await self._signed_anew(
            agent,
            lambda snapshot, new: webhooks.rotate(
                snapshot, secret=new, overlap_s=overlap_s, actor=actor
            ),
        )

    async def remove(self, actor: Actor, agent: AgentId) -> Agent:
        """Tell the agent nothing any more.

        Raises:
            NotFound: there is no such agent.
        """
        changed = await self._gate.commit(
            Ask(agent=agent), lambda snapshot: webhooks.remove(snapshot, actor=actor)
        )
        await self._forget_others(changed)
        return changed

    async def secrets(self, agent: AgentId, webhook: Webhook) -> Sequence[str]:
        """Return the secrets that sign now, the newest first; empty when they are lost."""
        found = [
            await self._gate.shelf.get(_KIND, _key(agent, secret))
            for secret in webhook.signing(self._gate.clock.now())
        ]
        return [item.value.decode() for item in found if item is not None]

    async def _signed_anew(
        self, agent: AgentId, step: Callable[[Snapshot, WebhookSecretId], Step[Agent]]
    ) -> tuple[Agent, str]:
        new = webhook_secret_id(self._gate.entropy(ID_ENTROPY_BYTES))
        secret = spell_secret(self._gate.entropy(SECRET_ENTROPY_BYTES))
        await self._gate.shelf.put(_KIND, _key(agent, new), secret.encode())
        try:
            changed = await self._gate.commit(
                Ask(agent=agent), lambda snapshot: step(snapshot, new)
            )
        except (NotFound, InvalidInput):
            await self._gate.shelf.delete(_KIND, _key(agent, new))
            raise
        await self._forget_others(changed)
        return changed, secret

    async def _forget_others(self, agent: Agent) -> None:
        """Remove every secret that the committed record does not name."""
        now = await self._gate.store.read(AgentById(agent.id))
        webhook = None if now is None else now.webhook
        kept = set() if webhook is None else {_key(agent.id, s.id) for s in webhook.secrets}
        for item in await self._gate.shelf.list(_KIND, f"{agent.id}/"):
            if item.key not in kept:
                await self._gate.shelf.delete(_KIND, item.key)


def _key(agent: AgentId, secret: WebhookSecretId) -> str:
    return f"{agent}/{secret}"
