"""What the agents' handlers work with."""

from dataclasses import dataclass

from aiohttp import web

from bot.http.metrics import Metrics
from bot.service.acknowledge import Acknowledge
from bot.service.checkpoints import Checkpoints
from bot.service.credentials import Credentials
from bot.service.gate import Gate
from bot.service.news import NewsDesk
from bot.service.reading import Reading
from bot.service.receipts import Receipts
from bot.service.release import Release
from bot.service.submit import Submit
from bot.service.withdraw import Withdraw


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentApi:
    gate: Gate
    credentials: Credentials
    submit: Submit
    reading: Reading
    news: NewsDesk
    acknowledge: Acknowledge
    withdraw: Withdraw
    release: Release
    checkpoints: Checkpoints
    receipts: Receipts
    metrics: Metrics


API = web.AppKey("agent_api", AgentApi)
