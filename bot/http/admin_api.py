"""What the admins' handlers work with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from bot.core.actors import Actor
from bot.http.metrics import Metrics
from bot.ports.desk import SignInLink
from bot.service.agents import AgentBook
from bot.service.gate import Gate
from bot.service.halt import Halts
from bot.service.people import PeopleBook
from bot.service.sign_in import SignIn


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminApi:
    """``reload_policy`` reads the policy file anew; ``sign_in_url`` is where a link leads."""

    gate: Gate
    agents: AgentBook
    people: PeopleBook
    sign_in: SignIn
    halts: Halts
    metrics: Metrics
    reload_policy: Callable[[Actor], Awaitable[object]]
    sign_in_url: Callable[[SignInLink], str]


API = web.AppKey("admin_api", AdminApi)
