"""What a log says about grants is checked like everything else in it."""

from collections.abc import Callable

import pytest

from bot.core.audit.problems import Fault
from bot.ports.queries import Leaves
from tests.audit.logs import Log, log_of, new_signer, verify
from tests.release.counter import Counter


async def story(counter: Counter) -> Log:
    """Return the log of a release with everything that can happen to it."""
    proposal, grant = await counter.granted()
    await counter.redeem("a.b.c", proposal)
    await counter.redeem(grant, proposal)
    await counter.redeem(grant, proposal)
    await counter.report(proposal.id, "succeeded")
    leaves = await counter.served.office.store.read(Leaves())
    return log_of(leaves, new_signer())


async def test_the_log_of_a_release_verifies(counter: Counter) -> None:
    report = verify(await story(counter))

    assert report.problems == ()
    assert report.unknown_types == {}


def _nobody_approved(log: Log) -> None:
    log.entries[log.find("grant.released")].set(approved_by=[])


def _somebody_else_approved(log: Log) -> None:
    log.entries[log.find("grant.redeemed")].set(approved_by=["per_" + "0" * 26])


def _never_released(log: Log) -> None:
    del log.entries[log.find("grant.released")]


def _never_redeemed(log: Log) -> None:
    del log.entries[log.find("grant.redeemed")]


def _redeemed_by_the_agent(log: Log) -> None:
    entry = log.entries[log.find("grant.redeemed")]
    entry.set(actor=f"agent:{entry.value()['agent']}")


def _another_digest(log: Log) -> None:
    log.entries[log.find("grant.redeemed")].set(digest="sha256:" + "0" * 64)


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (_nobody_approved, Fault.INTENT_WITHOUT_QUORUM),
        (_somebody_else_approved, Fault.INTENT_WITHOUT_QUORUM),
        (_never_released, Fault.IMPOSSIBLE_STEP),
        (_never_redeemed, Fault.IMPOSSIBLE_STEP),
        (_redeemed_by_the_agent, Fault.WRONG_ACTOR),
        (_another_digest, Fault.WRONG_DIGEST),
    ],
)
async def test_what_is_wrong_with_a_release_is_found(
    counter: Counter, tamper: Callable[[Log], None], fault: Fault
) -> None:
    log = await story(counter)
    tamper(log)
    log.renumber()

    assert fault in verify(log).counts
