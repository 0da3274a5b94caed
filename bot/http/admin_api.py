"""What the admins' handlers work with."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from bot.http.metrics import Metrics
from bot.ports.backup import Backups
from bot.ports.desk import SignInLink
from bot.service.agents import AgentBook
from bot.service.checkpoints import Checkpoints
from bot.service.credentials import Credentials
from bot.service.erase import Erase
from bot.service.gate import Gate
from bot.service.halt import Halts
from bot.service.key_rotation import KeyRotation
from bot.service.linking import Linking
from bot.service.notice_routes import NoticeBook
from bot.service.people import PeopleBook
from bot.service.reload import PolicyReload
from bot.service.resource_servers import ResourceBook
from bot.service.sign_in import SignIn
from bot.service.webhooks import WebhookBook


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminApi:
    """``sign_in_url`` is where a link leads."""

    gate: Gate
    credentials: Credentials
    agents: AgentBook
    webhooks: WebhookBook
    people: PeopleBook
    erase: Erase
    resource_servers: ResourceBook
    sign_in: SignIn
    linking: Linking
    notices: NoticeBook
    halts: Halts
    checkpoints: Checkpoints
    keys: KeyRotation
    backups: Backups
    metrics: Metrics
    reload: PolicyReload
    sign_in_url: Callable[[SignInLink], str]


API = web.AppKey("admin_api", AdminApi)
