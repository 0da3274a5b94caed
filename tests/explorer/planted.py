"""Faults planted in the bot's own code, to see that they are found.

A fault is a small change of the source of one function, or of one statement of the store. It
is in force wherever the function is used, for as long as the block lasts.
"""

import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any, Final, cast

from bot.core import approval, halts
from bot.core.transitions import (
    decision,
    execution,
    last_check,
    release,
    settlement,
    submission,
    undo,
)
from bot.service import execute
from store.sqlite import transaction, writer


@dataclass(frozen=True, slots=True)
class Change:
    """*was* stands once in the source of *function* and is made *becomes*; *also* another such."""

    function: Callable[..., Any]
    was: str
    becomes: str
    also: tuple[str, str] | None = None

    @contextmanager
    def made(self) -> Iterator[None]:
        function = cast("FunctionType", self.function)
        source = textwrap.dedent(inspect.getsource(function))
        changes = [(self.was, self.becomes), *([self.also] if self.also else [])]
        for was, becomes in changes:
            assert source.count(was) == 1, (
                f"{function.__qualname__} has changed: plant the fault in it anew"
            )
            source = source.replace(was, becomes)
        made: dict[str, Any] = {}
        code = compile(source, function.__code__.co_filename, "exec")
        exec(code, function.__globals__, made)  # noqa: S102 - our own source
        whole = function.__code__
        function.__code__ = made[function.__name__].__code__
        try:
            yield
        finally:
            function.__code__ = whole


@dataclass(frozen=True, slots=True)
class Setting:
    """The same for a constant of *module*; *was* is text in it, or empty for all of it."""

    module: ModuleType
    name: str
    was: str
    becomes: Any

    @contextmanager
    def made(self) -> Iterator[None]:
        whole = getattr(self.module, self.name)
        if self.was:
            assert whole.count(self.was) == 1, f"{self.name} has changed: plant the fault anew"
        value = whole.replace(self.was, self.becomes) if self.was else self.becomes
        setattr(self.module, self.name, value)
        try:
            yield
        finally:
            setattr(self.module, self.name, whole)


@dataclass(frozen=True, slots=True)
class Planted:
    """``world`` is where it shows."""

    world: str
    change: Change | Setting


PLANTED: Final[Mapping[str, Planted]] = {
    "quorum is counted by the click": Planted(
        "two people decide",
        Change(
            approval.quorum_met,
            "len(votes(decisions, digest=digest, among=among))",
            "len(decisions) + 1",
        ),
    ),
    "who has left the group still counts": Planted(
        "two people decide",
        Change(last_check.last_check, "if len(voters) < max(1, approval.count)", "if False"),
    ),
    "the policy is not read again": Planted(
        "two people decide",
        Change(last_check.last_check, "if stop is not None:", "if False:"),
    ),
    "what is approved never ends": Planted(
        "two people decide",
        Change(
            execution.claim, "snapshot.now >= proposal.use_by", "snapshot.now < proposal.use_by"
        ),
    ),
    "the digest on the button is not compared": Planted(
        "one proposal replaces another",
        Change(decision.names, "hexadecimal.startswith(prefix)", "True"),
    ),
    "what is replaced stays": Planted(
        "one proposal replaces another",
        Change(submission.submit, "puts += (ended,)", "pass"),
    ),
    "what was told before is written again": Planted(
        "one proposal replaces another",
        Change(
            submission.replay,
            "return Replay(Submitted(proposal=earlier, replayed=True))",
            "return Transition(value=Submitted(proposal=earlier, replayed=True), "
            "leaves=(submitted_leaf(earlier, verb=''),))",
        ),
    ),
    "what has ended is carried out": Planted(
        "stopped",
        Change(
            execution.claim,
            "if proposal.state is not State.APPROVED or proposal.mode is not Mode.EXECUTE:",
            "proposal = replace(proposal, state=State.APPROVED)\n    if False:",
        ),
    ),
    "a claim does not see stops": Planted(
        "stopped",
        Change(last_check.last_check, "if stop is not None:", "if False:"),
    ),
    "stops are not read before sending": Planted(
        "stopped",
        Change(
            execute.Execute._is_halted,
            "return stopped_by(halts, proposal) is not None",
            "return False",
        ),
    ),
    "what was stopped goes on when it is resumed": Planted(
        "stopped",
        Change(
            halts.ended_by, "halt.is_active or proposal.created_at <= halt.set_at", "halt.is_active"
        ),
    ),
    "anything is taken over and sent again": Planted(
        "carried out once",
        Change(
            execution._take_over,
            "may_repeat = verb is not None and verb.idempotent and",
            "may_repeat = verb is not None and",
        ),
    ),
    "absent is believed at once": Planted(
        "carried out once",
        Change(settlement.absent_in_look_up, "if snapshot.now < settled_at:", "if False:"),
    ),
    "a worker sends after its lease": Planted(
        "carried out once", Setting(execute, "ATTEMPT_S", "", 90.0)
    ),
    "a failure after a take-over is believed": Planted(
        "carried out under a key",
        Change(execution.outcome, "proposal.intents > 1 and", "False and"),
    ),
    "the word of an earlier attempt ends a later one": Planted(
        "carried out under a key",
        Change(execution._still_open, "if proposal.attempt != attempt:", "if False:"),
    ),
    "an intent is not recorded": Planted(
        "carried out once",
        Change(execution._intent, '"execution.intent"', '"execution.begun"'),
    ),
    "an undo is possible for ever": Planted(
        "taken back", Change(undo.why_not, "if snapshot.now >= original.undo_until:", "if False:")
    ),
    "an undo is begun twice": Planted(
        "taken back",
        Change(undo.under_way, "if original.undone_by is None:", "if True:"),
    ),
    "a redemption is not kept": Planted(
        "released",
        Change(
            release.redeem,
            "state=next_state(proposal.state, Event.REDEEM, actor=ActorKind.RESOURCE)",
            "state=proposal.state",
            also=("redeemed_at=snapshot.now,", "redeemed_at=None,"),
        ),
    ),
    "a grant is for any action": Planted(
        "released",
        Change(release.redeem, "if proposal.action_digest != action_digest:", "if False:"),
    ),
    "a grant outlives its time": Planted(
        "released",
        Change(release.redeem, "snapshot.now >= proposal.grant.expires_at", "False"),
    ),
    "a grant outlives a stop": Planted(
        "released and stopped",
        Change(last_check.last_check, "if stop is not None:", "if False:"),
    ),
    "store: the fence is not looked at": Planted(
        "carried out under a key",
        Setting(transaction, "_RENEW", "AND attempt = ? AND held", "AND attempt >= ?"),
    ),
    "store: a lost lease is no conflict": Planted(
        "carried out under a key",
        Change(
            transaction.Transaction._write,
            "if execute(_RENEW, (micros(renewed.until), *key)).rowcount != 1:",
            "if execute(_RENEW, (micros(renewed.until), *key)).rowcount > 1:",
        ),
    ),
    "store: a step that failed is half kept": Planted(
        "shown",
        Change(
            transaction.Transaction._write_in_savepoint,
            'self._execute("ROLLBACK TO step")',
            "pass",
        ),
    ),
    "store: a commit leaves out the log": Planted(
        "one proposal replaces another",
        Change(transaction.Transaction.flush, "if self._leaves:", "if False:"),
    ),
    "store: the head of the log stays behind": Planted(
        "one proposal replaces another",
        Change(transaction.Transaction.finish, "self._frontier = frontier =", "frontier ="),
    ),
    "store: what failed to commit is remembered": Planted(
        "at once, and on a full disk",
        Change(writer.Writer._failed, "self._transaction.forget()", "pass"),
    ),
    "store: what failed to commit is told": Planted(
        "at once, and on a full disk",
        Change(writer.Writer._failed, "job.error = unavailable(error)", "pass"),
    ),
    "store: a stop is forgotten when the process dies": Planted(
        "at once, and on a full disk",
        Setting(transaction, "_HALTS", "WHERE active OR NOT swept", "WHERE NOT active"),
    ),
}
