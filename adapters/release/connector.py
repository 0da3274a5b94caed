"""The port of what is only released: it says what a card needs, and can do nothing."""

from collections.abc import Mapping
from datetime import datetime

from adapters.release.config import VerbSection
from bot.core.errors import InvalidInput
from bot.core.policy_match import Globs
from bot.core.proposal import Action
from bot.core.verbs import Audience, Facts, Preview, Verb
from bot.ports.connector import Executed, Failed, LookedUp, Unknown


class ReleaseConnector:
    """Implements :class:`bot.ports.connector.Connector`."""

    def __init__(
        self,
        *,
        name: str,
        audience: str,
        verbs: Mapping[str, Verb],
        says: Mapping[str, VerbSection],
    ) -> None:
        self._name = name
        self._audience = audience
        self._verbs = verbs
        self._says = says

    @property
    def name(self) -> str:
        return self._name

    @property
    def verbs(self) -> Mapping[str, Verb]:
        return self._verbs

    async def inspect(self, action: Action) -> Facts:
        """Return who will see it, as it is declared: nothing can be asked."""
        if not Globs(self._verbs[action.verb].resources).match(action.resource):
            raise InvalidInput(
                f"'{action.verb}' has no such resource.",
                field="/action/resource",
                remedy="GET /v1/verbs lists the resources that each verb takes.",
            )
        seen = self._says[action.verb].seen_by
        return Facts(audience=Audience(reach=seen.reach, who=seen.who, readers=seen.readers))

    def preview(self, action: Action, facts: Facts) -> Preview:
        say = self._says[action.verb].say
        return Preview(
            effect=f"{say.effect} (the agent does it itself, once, at {self._audience})",
            target=action.resource,
            reversible=say.reversible,
            before=facts.before,
            after=dict(action.params),
        )

    def undo(self, action: Action, *, reference: str | None) -> Action | None:  # noqa: ARG002 - as execute
        return None

    async def execute(
        self,
        action: Action,
        *,
        key: str,  # noqa: ARG002 - nothing is sent
        etag: str | None,  # noqa: ARG002 - as above
        deadline: datetime,  # noqa: ARG002 - as above
    ) -> Executed:
        return Failed(
            reason="only_released",
            detail=f"Keyturn cannot carry out '{action.verb}': it is only released.",
        )

    async def lookup(self, action: Action, *, key: str) -> LookedUp:  # noqa: ARG002 - cannot ask
        return Unknown(detail="Keyturn cannot ask this resource server.")

    async def close(self) -> None:
        """Nothing is open."""
