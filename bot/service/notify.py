"""Tells agents, through their webhooks, that something happened: at least once, in no order."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from logging import getLogger
from typing import assert_never

from bot.core import effects
from bot.core.actors import Agent
from bot.core.effects import Lease
from bot.core.ids import AgentId, ProposalId
from bot.core.news import News
from bot.core.states import TERMINAL
from bot.core.step import Ask
from bot.core.transitions.telling import NotSaid, Said, Told, Unwanted, pause_s, told
from bot.core.webhook import Webhook
from bot.core.webhook_message import message_of
from bot.ports.notifier import Gone, NotNow, Sent
from bot.ports.queries import AgentById, NewsOfProposal, ProposalById
from bot.service.checkpoints import Checkpoints
from bot.service.gate import Gate
from bot.service.webhooks import WebhookBook

log = getLogger(__name__)

#: How many messages one agent is sent at once; the others come back after a moment.
AT_ONCE = 8
_MOMENT_S = 1.0
_LONGEST_REST_S = 300.0
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_LONGEST_RETRY_AFTER_S = 24 * 3600.0


@dataclass(slots=True)
class _Receiver:
    """How one agent's receiver has answered of late; lost with the process, without harm."""

    sending: int = 0
    failures: int = 0
    rests_until: datetime = _LONG_AGO

    def rest_s(self, now: datetime) -> float:
        """Return for how long it is left in peace; a clock that went back does not prolong it."""
        left_s = (self.rests_until - now).total_seconds()
        return left_s if 0 < left_s <= _LONGEST_RETRY_AFTER_S else 0.0

    def failed(self, now: datetime, *, asked_s: float) -> None:
        """Note a failure; those of messages that were under way together count once."""
        if not self.rest_s(now):
            self.failures += 1
        rest_s = max(min(2.0**self.failures, _LONGEST_REST_S), asked_s)
        self.rests_until = max(self.rests_until, now + timedelta(seconds=rest_s))

    def answered(self) -> None:
        self.failures = 0
        self.rests_until = _LONG_AGO


class Notify:
    def __init__(self, gate: Gate, checkpoints: Checkpoints) -> None:
        self._gate = gate
        self._checkpoints = checkpoints
        self._webhooks = WebhookBook(gate)
        self._receivers: defaultdict[AgentId, _Receiver] = defaultdict(_Receiver)

    async def notify(self, lease: Lease) -> None:
        """Send the message of *lease* once and record what came of it.

        Raises:
            Conflict: somebody else has the lease by now, and sends it again.
        """
        gate = self._gate
        proposal_id = ProposalId(lease.effect.subject)
        proposal = await gate.store.read(ProposalById(proposal_id))
        agent = None if proposal is None else await gate.store.read(AgentById(proposal.agent))
        news = await self._news(proposal_id, lease)
        if agent is None or not agent.is_told or agent.webhook is None or news is None:
            came: Told = Said()
        else:
            came = await self._tell(agent, agent.webhook, news, lease)
        await gate.commit(
            Ask(proposals=(proposal_id,), agent=None if agent is None else agent.id),
            lambda snapshot: told(snapshot, lease, came),
        )

    async def _news(self, proposal: ProposalId, lease: Lease) -> News | None:
        for news in await self._gate.store.read(NewsOfProposal(proposal)):
            if effects.notify(proposal, news.state).id == lease.effect.id:
                return news
        return None

    async def _tell(self, agent: Agent, webhook: Webhook, news: News, lease: Lease) -> Told:
        secrets = await self._webhooks.secrets(agent.id, webhook)
        if not secrets:
            why = "Its signing secret is no longer on the shelf."
            return self._unwanted(agent, webhook, why)
        receiver, now = self._receivers[agent.id], self._gate.clock.now()
        rest_s = receiver.rest_s(now)
        if rest_s or receiver.sending >= AT_ONCE:
            pause = rest_s + _MOMENT_S * (1 + self._chance())
            return NotSaid(news=news, pause_s=pause, why="The receiver is busy or does not answer.")
        if news.state in TERMINAL:
            await self._checkpoints.sign()
        receiver.sending += 1
        message = message_of(news, effect=lease.effect.id)
        try:
            answer = await self._gate.notifier.send(
                webhook.url, headers=message.headers(secrets, at=now), body=message.body
            )
        finally:
            receiver.sending -= 1
        match answer:
            case Sent():
                receiver.answered()
                self._gate.tally.count("told", "sent")
                return Said()
            case NotNow(why=why, retry_after_s=asked_s):
                asked = min(asked_s or 0.0, _LONGEST_RETRY_AFTER_S)
                receiver.failed(now, asked_s=asked)
                self._gate.tally.count("told", "not_now")
                log.info("webhook did not answer", extra={"agent": agent.id, "why": why})
                pause = max(pause_s(news, now=now, chance=self._chance()), receiver.rest_s(now))
                return NotSaid(news=news, pause_s=pause, why=why)
            case Gone():
                self._gate.tally.count("told", "gone")
                return self._unwanted(agent, webhook, "The receiver answered 410: it is gone.")
            case _:
                assert_never(answer)

    def _unwanted(self, agent: Agent, webhook: Webhook, why: str) -> Unwanted:
        log.warning("webhook stopped", extra={"agent": agent.id, "why": why})
        return Unwanted(url=webhook.url, why=why)

    def _chance(self) -> float:
        return self._gate.entropy(1)[0] / 255
