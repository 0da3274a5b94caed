"""A log that goes on after a restore, and one that only says so."""

import os
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bot.core.audit.problems import Fault
from bot.core.erasure import PERSON_ERASED
from bot.core.transitions.restoring import LogEnd, Reopened
from bot.ports.queries import Head, Leaves
from bot.service.erase import Erase
from bot.service.restore import Restore
from tests.audit.logs import Log, log_of, new_signer, verify
from tests.service.office import OPERATOR, open_office


@pytest.fixture
async def log() -> Log:
    """A log of one proposal that was open when its backup was put back."""
    signer, old = new_signer(), new_signer()
    async with open_office() as office:
        await office.propose()
        head = await office.store.read(Head())
        before = LogEnd(origin=old.key.name, epoch=0, size=head.size, root=head.root)
        reopened = Reopened(
            origin=signer.key.name,
            epoch=1,
            before=before,
            known=None,
            made_at=datetime.now(UTC),
        )
        restore = Restore(office.store, reopened=reopened, since=None, entropy=os.urandom)
        assert (await restore.make_safe()).revoked == 1
        leaves = await office.store.read(Leaves(limit=1000))
    return log_of(leaves, signer)


def test_a_log_that_goes_on_after_a_restore_has_nothing_wrong(log: Log):
    assert verify(log).problems == ()


def _from_another_root(log: Log) -> None:
    entry = log.entries[log.find("log.opened")]
    entry.set(before={**entry.value()["before"], "root": "00" * 32})


def _from_another_place(log: Log) -> None:
    entry = log.entries[log.find("log.opened")]
    entry.set(before={**entry.value()["before"], "size": 1})


def _as_another_log(log: Log) -> None:
    log.signer = new_signer()


@pytest.mark.parametrize("forge", [_from_another_root, _from_another_place, _as_another_log])
def test_a_log_that_goes_on_from_elsewhere_is_found(log: Log, forge: Callable[[Log], None]):
    forge(log)
    assert {problem.fault for problem in verify(log).problems} == {Fault.BROKEN_LINK}


def test_nothing_is_carried_over_where_nothing_was_restored(log: Log):
    entry = log.entries[log.find("proposal.submitted")]
    entry.set(type="proposal.carried_over", state="succeeded", proposer=entry.value()["actor"])
    assert Fault.IMPOSSIBLE_STEP in {problem.fault for problem in verify(log).problems}


async def test_a_log_verifies_after_an_erasure_and_says_so():
    async with open_office() as office:
        await office.propose()
        before = await office.store.read(Leaves(limit=1000))
        await office.agents.revoke(OPERATOR, office.agent.id, reason="Nobody answers for it.")
        erase = Erase(office.gate, office.people)
        erased = await erase.erase(OPERATOR, office.dana.handle, reason="Asked for it.")
        after = await office.store.read(Leaves(limit=1000))

    assert (erased.proposals, erased.agents) == (1, 1)
    assert [leaf.body for leaf in after[: len(before)]] == [leaf.body for leaf in before]
    assert after[-1].type == PERSON_ERASED
    report = verify(log_of(after, new_signer()))
    assert report.problems == ()
    assert report.unknown_types == {}
