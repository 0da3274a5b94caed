"""Does what commits ask for: delivers, executes, looks up, sweeps, tells, expires."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from logging import getLogger

from bot.core.effects import EffectKind, Lease
from bot.core.errors import Conflict, KeyturnError
from bot.ports.queries import NextDue
from bot.service.announce import Announce
from bot.service.checkpoints import Checkpoints
from bot.service.deliver import Deliver
from bot.service.execute import LEASE_S, Execute
from bot.service.expire import Expire
from bot.service.gate import Gate
from bot.service.halt import Halts
from bot.service.notify import Notify
from bot.service.settle import Settle
from bot.service.waiting import Waiters

log = getLogger(__name__)

#: How long a stop waits for what has begun; within what supervisors allow before they kill.
FINISH_WITHIN_S = 8.0

_BATCH = 64
_AT_ONCE = 1024
_LONGEST_PAUSE_S = 0.5
_AFTER_FAILURE_S = 1.0
_LEASE_LIMIT = 200


class Workers:
    """``run`` goes on until cancelled, and finishes first what it has begun to carry out.

    What takes longer than that is leased anew by whoever is next.
    """

    def __init__(
        self, gate: Gate, *, waiters: Waiters, halts: Halts, checkpoints: Checkpoints
    ) -> None:
        self._gate = gate
        self._waiters = waiters
        self._deliver = Deliver(gate)
        self._execute = Execute(gate)
        self._settle = Settle(gate)
        self._expire = Expire(gate)
        self._notify = Notify(gate, checkpoints)
        self._announce = Announce(gate)
        self._halts = halts
        self._running = False

    @property
    def running(self) -> bool:
        return self._running

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._waiters.run(self._gate.store))
                group.create_task(self._batches(EffectKind.DELIVER, self._deliver.deliver))
                group.create_task(self._batches(EffectKind.REFRESH, self._deliver.refresh))
                group.create_task(self._each(EffectKind.EXECUTE, self._execute.execute))
                group.create_task(self._each(EffectKind.LOOK_UP, self._settle.look_up))
                group.create_task(self._each(EffectKind.SWEEP, self._halts.sweep))
                group.create_task(
                    self._each(EffectKind.NOTIFY, self._notify.notify, finish_within_s=0)
                )
                group.create_task(self._each(EffectKind.ANNOUNCE, self._announce.announce))
                group.create_task(self._clocks())
                self._running = True
        finally:
            self._running = False

    async def _batches(
        self, kind: EffectKind, do: Callable[[Sequence[Lease]], Awaitable[None]]
    ) -> None:
        while True:
            leases = await self._gate.dispatch.take(kind, limit=_BATCH)
            try:
                await do(leases)
            except Conflict:
                # One of them was lost to another worker: the others must not suffer for it.
                for lease in leases:
                    await self._survive(kind, do([lease]))
            except Exception:
                log.exception("work failed", extra={"kind": kind})

    async def _each(
        self,
        kind: EffectKind,
        do: Callable[[Lease], Awaitable[None]],
        *,
        finish_within_s: float = FINISH_WITHIN_S,
    ) -> None:
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def one(lease: Lease) -> None:
            try:
                await self._survive(kind, do(lease))
            finally:
                at_once.release()

        begun: set[asyncio.Task[None]] = set()
        try:
            while True:
                for lease in await self._gate.dispatch.take(kind, limit=_BATCH):
                    await at_once.acquire()
                    task = asyncio.create_task(one(lease))
                    begun.add(task)
                    task.add_done_callback(begun.discard)
        finally:
            # What was sent cannot be called back: there is time to record how it went.
            if begun:
                await asyncio.wait(begun, timeout=finish_within_s)
            for task in begun:
                task.cancel()
            await asyncio.gather(*begun, return_exceptions=True)

    async def _survive(self, kind: EffectKind, work: Awaitable[None]) -> None:
        """Log what goes wrong; the lease ends by itself and the work is done again."""
        try:
            await work
        except KeyturnError as error:
            log.warning("work has to be done again", extra={"kind": kind, "code": error.code})
        except Exception:
            log.exception("work failed", extra={"kind": kind})

    async def _clocks(self) -> None:
        """Begin what has become due: postponed or abandoned effects, and ended clocks."""
        gate = self._gate
        while True:
            pause_s = _LONGEST_PAUSE_S
            try:
                due = await gate.store.read(NextDue())
                if due is not None and due <= gate.clock.now():
                    leases = await gate.store.lease(
                        list(EffectKind), limit=_LEASE_LIMIT, for_s=LEASE_S
                    )
                    gate.begin(tuple(leases))
                    expired = await self._expire.sweep()
                    if leases or expired:
                        pause_s = 0
            except KeyturnError as error:
                log.warning("clocks have to wait", extra={"code": error.code})
                pause_s = _AFTER_FAILURE_S
            await asyncio.sleep(pause_s)
