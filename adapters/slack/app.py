"""The Bolt app: told everything explicitly, so that it takes nothing from the environment."""

import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, Final

from slack_bolt.async_app import AsyncApp, AsyncBoltContext
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.response import BoltResponse
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)

from adapters.slack.client import Wire
from adapters.slack.errors import SlackBusy, SlackUnclear
from adapters.slack.listeners import register
from adapters.slack.listeners.office import Office
from adapters.slack.logs import quiet
from adapters.slack.people import ELSEWHERE
from adapters.slack.workspaces import Workspaces

log = logging.getLogger("keyturn.slack")

_TRIES: Final = 2


class _Authorize(AsyncAuthorize):
    """Gives each request the token of the workspace it comes from, where that is admitted."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,  # noqa: ARG002 - Bolt passes all of it by name
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        actor_enterprise_id: str | None = None,  # noqa: ARG002
        actor_team_id: str | None = None,  # noqa: ARG002
        actor_user_id: str | None = None,  # noqa: ARG002
    ) -> AuthorizeResult | None:
        try:
            found = await self._workspaces.of(enterprise=enterprise_id, team=team_id)
        except (SlackBusy, SlackUnclear):
            return None
        if found is None:
            return None
        return AuthorizeResult(
            enterprise_id=found.enterprise,
            team_id=found.team or team_id,
            bot_id=found.bot,
            bot_user_id=found.bot_user,
            bot_token=found.token,
            user_id=user_id,
        )


def build_app(
    *,
    wire: Wire,
    workspaces: Workspaces,
    office: Office,
    signing_secret: str,
    flow: AsyncOAuthFlow,
) -> AsyncApp:
    """Return the app with every listener; *signing_secret* is "" where no request is signed.

    *flow* is needed where nothing can be installed, too: without one Bolt would take
    ``SLACK_CLIENT_ID`` from the environment and keep tokens in files.
    """
    app = AsyncApp(
        name="keyturn",
        logger=quiet("bolt"),
        client=wire.client(""),
        signing_secret=signing_secret,
        authorize=_Authorize(workspaces),  # type: ignore[arg-type] # Bolt takes both
        oauth_flow=flow,
        verification_token="",
        user_facing_authorize_error_message=ELSEWHERE,
    )

    @app.middleware
    async def _prepare(
        context: AsyncBoltContext,
        next: Callable[[], Awaitable[Any]],
    ) -> None:
        # Each request gets a client of its own, and that takes a proxy from the environment.
        context.client.proxy = None
        # It speaks to whoever has just pressed: to be told twice is better than not at all.
        context.client.retry_handlers = [
            AsyncConnectionErrorRetryHandler(max_retry_count=_TRIES),
            AsyncServerErrorRetryHandler(max_retry_count=_TRIES),
            AsyncRateLimitErrorRetryHandler(max_retry_count=_TRIES),
        ]
        await next()

    register(app, office)

    @app.error
    async def _failed(error: Exception, response: BoltResponse | None) -> BoltResponse | None:
        at = traceback.extract_tb(error.__traceback__)[-1:]
        log.error(
            "a slack listener failed",
            # Not the message: it may repeat what somebody wrote.
            extra={
                "error": type(error).__name__,
                "at": [f"{frame.filename}:{frame.lineno}" for frame in at],
            },
        )
        # Bolt takes none from here once Slack has been answered: it would raise, and tell all.
        return None if response is None else BoltResponse(status=200, body="")

    return app
