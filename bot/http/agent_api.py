"""What the agents' handlers work with."""

from dataclasses import dataclass

from aiohttp import web

from bot.http.metrics import Metrics
from bot.service.credentials import Credentials
from bot.service.gate import Gate
from bot.service.reading import Reading
from bot.service.submit import Submit
from bot.service.withdraw import Withdraw


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentApi:
    gate: Gate
    credentials: Credentials
    submit: Submit
    reading: Reading
    withdraw: Withdraw
    metrics: Metrics


API = web.AppKey("agent_api", AgentApi)
