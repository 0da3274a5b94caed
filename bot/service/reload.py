"""Watches the policy file and keeps the old policy when the new one is bad."""

import asyncio
from collections.abc import Callable
from logging import getLogger

from bot.core.actors import system_actor
from bot.core.errors import KeyturnError, PolicyInvalid
from bot.service.policy_book import PolicyBook

log = getLogger(__name__)

_POLL_S = 1.0
_ACTOR = system_actor("policy_file")


class PolicyReload:
    """``problems`` are those of the file as it is now; empty when it is in force.

    *read* returns the file's text, and raises OSError when it cannot be read.
    """

    def __init__(self, policies: PolicyBook, read: Callable[[], str]) -> None:
        self._policies = policies
        self._read = read
        self._seen = policies.current.text
        self.problems: tuple[str, ...] = ()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_POLL_S)
            await self.check()

    async def check(self) -> None:
        """Put the file in force if it has changed and loads; say so if it does not."""
        try:
            text = await asyncio.to_thread(self._read)
        except (OSError, UnicodeDecodeError) as error:
            self._keep_old((f"The policy file cannot be read: {error}.",))
            return
        if text == self._seen and not self.problems:
            return
        try:
            await self._policies.activate(text, actor=_ACTOR)
        except PolicyInvalid as error:
            self._keep_old(error.problems or (error.message,))
        except KeyturnError as error:
            self._keep_old((error.message,))
            return
        else:
            self.problems = ()
            log.info("policy in force", extra={"digest": self._policies.current.digest})
        self._seen = text

    def _keep_old(self, problems: tuple[str, ...]) -> None:
        if problems != self.problems:
            log.error("policy not loaded, the old one stays", extra={"problems": list(problems)})
        self.problems = problems
