"""What the agents' handlers work with."""

from dataclasses import dataclass

from aiohttp import web

from bot.http.metrics import Metrics
from bot.http.rate import SubmitRate
from bot.http.waits import Waits
from bot.service.gate import Gate
from bot.service.reading import Reading
from bot.service.submit import Submit
from bot.service.withdraw import Withdraw


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentApi:
    gate: Gate
    submit: Submit
    reading: Reading
    withdraw: Withdraw
    metrics: Metrics
    waits: Waits
    rate: SubmitRate


API = web.AppKey("agent_api", AgentApi)
