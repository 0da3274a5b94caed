"""One call of the Web API as the fake sees it, and how it is refused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from adapters.slack.testing.world import Json, Team, Token, World


class Refusal(Exception):
    """Answered as ``{"ok": false, "error": code}``."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


@dataclass(slots=True, kw_only=True)
class Call:
    """``bearer`` is the token as it was sent.

    ``answer`` is what was said; None while nothing was, or when the connection was dropped.
    """

    method: str
    args: Json
    world: World
    token: Token | None
    bearer: str = field(repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    is_json: bool
    at: float
    answer: Json | None = field(default=None)

    @property
    def team(self) -> Team:
        """The workspace that the call is about.

        Raises:
            Refusal: an organisation's token, and no team_id.
        """
        token = self.caller
        team = token.team or self.args.get("team_id")
        if not isinstance(team, str) or team not in self.world.teams:
            raise Refusal("missing_argument")
        return self.world.teams[team]

    @property
    def caller(self) -> Token:
        if self.token is None:
            raise Refusal("not_authed")
        return self.token

    def text(self, name: str) -> str:
        value = self.args.get(name)
        if not isinstance(value, str) or not value:
            raise Refusal("invalid_arguments", response_metadata={"messages": [f"missing {name}"]})
        return value

    def has_scope(self, scope: str) -> bool:
        return scope in self.caller.scopes


Answers: TypeAlias = Callable[[Call], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """``scope`` is what the token needs, "" where any will do; ``is_read`` refuses JSON bodies."""

    answer: Answers
    scope: str = ""
    is_read: bool = False
    needs_token: bool = True
