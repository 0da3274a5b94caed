"""`python -m benches.audit`: what verifying, receipts and signed heads cost.

Rates and costs are in time of the processor, so that what else the machine does counts less.
"""

import asyncio
import gc
import itertools
import os
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from adapters.file.log_state import FileLogState, keep_state
from bot.cli.audit_files import verify_file
from bot.core.actors import OPERATOR, Actor, person_actor, system_actor
from bot.core.audit.export import entry_line, header_of
from bot.core.audit.verify import Known, Report, Verdict
from bot.core.canonical import Plain
from bot.core.checkpoint import new_origin
from bot.core.ids import AgentId, PersonId, ProposalId
from bot.core.leaf import LeafDraft
from bot.core.proposal import Proposal
from bot.core.signed_note import Signer
from bot.core.step import Ask, Snapshot, Transition
from bot.core.transitions.submission import submitted_leaf
from bot.ports.queries import Leaves
from bot.service.checkpoints import Checkpoints, Signed, beginning
from bot.service.receipts import Receipts
from bot.testing.clock import ManualClock
from bot.testing.proposals import a_proposal
from store.sqlite import SqliteStore

LEAVES: Final = 100_000
RECEIPTS: Final = 300
ROUNDS: Final = 7
_SUBMITS: Final = 2_000
_AT_ONCE: Final = 64
_A_COMMIT: Final = 200
_DANA: Final = PersonId("per_" + "d" * 26)
_AGENT: Final = AgentId("agt_" + "a" * 26)
_CARD: Final = "sha256:" + "c" * 64
_COUNTER: Final = itertools.count()


def beginnings() -> tuple[LeafDraft, ...]:
    """Return the entries that introduce who acts below."""
    return (
        LeafDraft(type="person.created", actor=OPERATOR, clear={"person": _DANA}),
        LeafDraft(
            type="agent.created",
            actor=OPERATOR,
            agent=_AGENT,
            clear={"owner": _DANA, "principals": [_DANA], "verbs": ["*"]},
        ),
    )


def proposed() -> Proposal:
    number = next(_COUNTER)
    return a_proposal(
        number,
        agent=_AGENT,
        principal=_DANA,
        params={"body": f"Restart the worker, then try again. {number}", "visibility": "public"},
    )


def _made(transition: Transition[None], _: Snapshot) -> Transition[None]:
    return transition


def life(proposal: Proposal) -> tuple[LeafDraft, ...]:
    """Return the five entries of an action that was approved and carried out."""

    def draft(
        type_: str, actor: Actor, state: str, private: Sequence[str] = (), **clear: Plain
    ) -> LeafDraft:
        return LeafDraft(
            type=type_,
            actor=actor,
            proposal=proposal.id,
            agent=_AGENT,
            principal=_DANA,
            clear={"state": state, "digest": proposal.digest, **clear},
            private=dict.fromkeys(private, "Said in a few words, as people do."),
        )

    return (
        submitted_leaf(proposal, verb=proposal.action.verb),
        draft(
            "card.posted",
            system_actor("courier"),
            "pending",
            to=_DANA,
            chat="web",
            card_digest=_CARD,
        ),
        draft(
            "decision.approve",
            person_actor(_DANA),
            "approved",
            ["reason"],
            chat="web",
            card_digest=_CARD,
        ),
        draft(
            "execution.intent",
            system_actor("worker"),
            "executing",
            attempt=1,
            key=proposal.id,
            approved_by=[_DANA],
        ),
        draft(
            "execution.outcome",
            system_actor("worker"),
            "succeeded",
            ["detail", "reference"],
            attempt=1,
            result="succeeded",
            reason="done",
        ),
    )


async def grow(store: SqliteStore) -> list[ProposalId]:
    """Write a log of about `LEAVES` entries; return the proposals in it."""
    await store.transact(Ask(), lambda _: Transition(value=None, leaves=beginnings()))
    ids: list[ProposalId] = []
    while len(ids) * 5 < LEAVES:
        batch = [proposed() for _ in range(_A_COMMIT)]
        drafts = tuple(itertools.chain.from_iterable(map(life, batch)))
        grown: Transition[None] = Transition(value=None, puts=tuple(batch), leaves=drafts)
        await store.transact(Ask(), partial(_made, grown))
        ids += [proposal.id for proposal in batch]
    return ids


async def exported(store: SqliteStore, checkpoints: Checkpoints) -> list[bytes]:
    signed = await checkpoints.sign()
    lines = [header_of(signed.note, checkpoints.keys, with_openings=True).line()]
    for start in range(0, signed.checkpoint.size, 5000):
        leaves = await store.read(Leaves(start, 5000))
        lines += [entry_line(leaf.body, leaf.openings) for leaf in leaves]
    return lines


def verified(file: Path) -> Report:
    _, report = verify_file(file, Known(), progress=lambda _done, _of: None)
    return report


async def submits(store: SqliteStore) -> float:
    """Return the microseconds of the processor that one of many submits at once costs."""
    left = iter(range(_SUBMITS))

    async def submit() -> None:
        for _ in left:
            proposal = proposed()
            leaf = submitted_leaf(proposal, verb=proposal.action.verb)
            step: Transition[None] = Transition(value=None, puts=(proposal,), leaves=(leaf,))
            await store.transact(Ask(), partial(_made, step))

    started = time.process_time()
    await asyncio.gather(*(submit() for _ in range(_AT_ONCE)))
    return (time.process_time() - started) / _SUBMITS * 1e6


async def measure(folder: Path) -> None:
    signer = Signer(new_origin("benches", os.urandom(8)), os.urandom(32))
    state = folder / "log-state.json"
    keep_state(state, beginning(signer))
    store = await SqliteStore.open(folder / "log.sqlite3", clock=ManualClock())
    try:
        ids = await grow(store)
        checkpoints = await Checkpoints.open(store, [signer], keeper=FileLogState(state))
        await checkpoints.close()
        size = checkpoints.latest.checkpoint.size
        print(f"a log of {size:,} entries")

        file = folder / "log.jsonl"
        file.write_bytes(b"".join(await exported(store, checkpoints)))
        rates = []
        gc.disable()  # as the command does
        for _ in range(ROUNDS):
            started = time.perf_counter()
            report = verified(file)
            rates.append(size / (time.perf_counter() - started))
            if report.verdict is not Verdict.UNANCHORED:
                raise SystemExit(
                    f"the log of this bench is {report.verdict}: {report.problems[:3]}"
                )
        gc.enable()
        _tell("verified, entries a second", statistics.median(rates), "at least 50,000")

        started = time.perf_counter()
        again = await Checkpoints.open(store, [signer], keeper=FileLogState(state))
        await again.root(size - 1)
        _tell("past recomputed at start, ms", _ms(started), "")

        receipts = Receipts(store, checkpoints)
        started = time.perf_counter()
        await receipts.whole(ids[0])
        _tell("first receipt, ms", _ms(started), "")
        taken = []
        for proposal in random.Random(7).sample(ids, RECEIPTS):
            started = time.perf_counter()
            await receipts.whole(proposal)
            taken.append(_ms(started))
        _tell("a receipt, ms", statistics.median(taken), "under 5")

        await _cost(store, signer, FileLogState(state))
    finally:
        await store.close()


class _Timed(Checkpoints):
    """Knows how long it was busy on the loop, where it holds up everything else."""

    busy_s = 0.0

    async def sign(self) -> Signed:
        started = time.perf_counter()
        try:
            return await super().sign()
        finally:
            self.busy_s += time.perf_counter() - started


async def _cost(store: SqliteStore, signer: Signer, keeper: FileLogState) -> None:
    """Tell what part of the time signing takes while many submit as fast as the store can."""
    checkpoints = await _Timed.open(store, [signer], keeper=keeper)
    shares, costs = [], []
    for _ in range(ROUNDS):
        checkpoints.busy_s = 0.0
        running = asyncio.create_task(checkpoints.run())
        started = time.perf_counter()
        costs.append(await submits(store))
        shares.append(100 * checkpoints.busy_s / (time.perf_counter() - started))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    _tell("a submit into the store, µs", statistics.median(costs), "")
    _tell("of that, signing heads, percent", statistics.median(shares), "under 3")


def _tell(what: str, found: float, wanted: str) -> None:
    print(f"  {what:<36} {found:12,.2f}   {wanted}")


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1e3


def main() -> None:
    Path("build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="benches-", dir="build") as name:
        asyncio.run(measure(Path(name).absolute()))


if __name__ == "__main__":
    main()
