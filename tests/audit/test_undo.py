"""An undo in the log: of something done, by people, and not past a stop of everything."""

from collections.abc import Callable

import pytest

from bot.core.actors import OPERATOR
from bot.core.audit.problems import Fault
from bot.core.card import Button
from bot.core.errors import Halted
from bot.core.halts import HaltScope, HaltTarget
from bot.ports.queries import Leaves
from bot.testing.notebook import Notebook
from tests.audit.logs import Log, log_of, new_signer, verify
from tests.service.office import open_office
from tests.service.undoing import ONLY_WRITE, done, undone


@pytest.fixture
async def log() -> Log:
    """A log with one note, which was taken back while its agent was stopped."""
    async with open_office(policy=ONLY_WRITE, notebook=Notebook.with_undo()) as office:
        original = await done(office)
        agent = HaltTarget(scope=HaltScope.AGENT, agent=office.agent.id)
        await office.halts.halt(OPERATOR, agent, reason="wrong")
        with pytest.raises(Halted):
            await office.propose(key="k2")
        await office.press(original, Button.UNDO)
        await undone(office, original)
        leaves = await office.store.read(Leaves(limit=1000))
    return log_of(leaves, new_signer())


def undo_of(log: Log) -> int:
    return log.find("proposal.submitted", where=lambda value: bool(value["undoes"]))


def test_an_undo_past_the_stop_of_its_agent_has_nothing_wrong(log: Log) -> None:
    assert verify(log).problems == ()


def _of_nothing(log: Log) -> None:
    log.entries[undo_of(log)].set(undoes="prp_" + "0" * 26)


def _by_the_agent(log: Log) -> None:
    entry = log.entries[undo_of(log)]
    entry.set(actor="agent:" + entry.value()["agent"])


def _before_it_was_done(log: Log) -> None:
    at = log.find("execution.outcome")
    log.entries[at].set(state="failed", result="failed")


def _past_a_stop_of_everything(log: Log) -> None:
    log.entries[log.find("halt.set")].set(scope="all", agent=None)


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (_of_nothing, Fault.BROKEN_LINK),
        (_before_it_was_done, Fault.BROKEN_LINK),
        (_by_the_agent, Fault.WRONG_ACTOR),
        (_past_a_stop_of_everything, Fault.INTENT_WHILE_HALTED),
    ],
)
def test_what_cannot_be_is_found(log: Log, tamper: Callable[[Log], None], fault: Fault) -> None:
    forged = log.copy()
    tamper(forged)

    assert fault in verify(forged).counts
