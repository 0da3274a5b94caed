"""Signs the head of the log after each batch of commits, and keeps it outside of the database."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from logging import getLogger
from typing import Final, Self

from bot.core.checkpoint import Checkpoint, parse_checkpoint
from bot.core.errors import StoreRefused
from bot.core.merkle import EMPTY_ROOT
from bot.core.signed_note import Note, NoteInvalid, NoteKey, Signer
from bot.core.tiles import TILE, Tiles
from bot.ports.log_state import LogKeeper, LogState
from bot.ports.queries import Head, LeafHashes
from bot.ports.store import Store

log = getLogger(__name__)

#: Between two looks at a head that nobody told about; commits of proposals are told at once.
LOOK_EVERY_S: Final = 1.0
#: Between two signatures nobody waits for: commits in between are signed together.
SIGN_EVERY_S: Final = 0.02
#: Between two writes to the keeper.
KEEP_EVERY_S: Final = 0.5

_PAGE: Final = 64 * TILE
_RESTORE: Final = (
    "Put the newest database and log-state.json back together. If only an older backup is left, "
    "run `keyturn restore`: it stops everything, treats what was under way as in doubt, and "
    "begins a new log."
)


@dataclass(frozen=True, slots=True)
class Signed:
    """A head of the log, and the note that signs it."""

    checkpoint: Checkpoint
    note: Note


class Checkpoints:
    """The signed head of the log in *store*; made by :meth:`open`."""

    def __init__(
        self, store: Store, signers: Sequence[Signer], *, keeper: LogKeeper | None, epoch: int
    ) -> None:
        """*signers* are from the oldest to the newest; all of them sign, in the newest's name."""
        self._store = store
        self._signers = tuple(signers)
        self._keeper = keeper
        self._tiles = Tiles()
        self._latest = self._sign(0, EMPTY_ROOT)
        self._kept_size = 0
        self.epoch = epoch

    @classmethod
    async def open(
        cls, store: Store, signers: Sequence[Signer], *, keeper: LogKeeper | None
    ) -> Self:
        """Return the checkpoints of *store*, which has to be where its keeper left it, or ahead.

        Without a *keeper* nothing is kept, as for a store that keeps nothing itself.

        Raises:
            StoreRefused: the log in the store is behind what was kept, or another one.
        """
        state = None if keeper is None else await keeper.read()
        opened = cls(store, signers, keeper=keeper, epoch=0 if state is None else state.epoch)
        if state is not None:
            await opened._require(state)
        await opened.sign()
        return opened

    @property
    def origin(self) -> str:
        return self._signers[-1].key.name

    @property
    def keys(self) -> tuple[NoteKey, ...]:
        return tuple(signer.key for signer in self._signers)

    def sign_with(self, signer: Signer) -> None:
        """Let *signer* sign too, beside those before it, in the same name."""
        self._signers = (*self._signers, signer)
        latest = self._latest.checkpoint
        self._latest = self._sign(latest.size, latest.root)
        self._kept_size = 0

    @property
    def latest(self) -> Signed:
        """The head that was signed last."""
        return self._latest

    async def sign(self) -> Signed:
        """Return the committed head, signed. What was committed before is under it.

        Raises:
            StoreUnavailable: the head could not be read.
        """
        head = await self._store.read(Head())
        if head.size > self._latest.checkpoint.size:
            self._latest = self._sign(head.size, head.root)
        return self._latest

    async def inclusion_proofs(
        self, indexes: Sequence[int], size: int
    ) -> Sequence[tuple[bytes, ...]]:
        """Return for each entry the hashes that show it in the log of *size* entries.

        Raises:
            InvalidInput: there is no such entry.
            StoreUnavailable: the log could not be read.
        """
        wanted = {size // TILE, *(index // TILE for index in indexes)}
        opened = await self._open_tiles(size, wanted)
        return self._tiles.inclusion_proofs(indexes, size, opened)

    async def root(self, size: int) -> bytes:
        """Return the root of the first *size* entries.

        Raises:
            StoreUnavailable: the log could not be read.
        """
        opened = await self._open_tiles(size, {size // TILE})
        return self._tiles.root(size, opened)

    async def run(self) -> None:
        """Sign and keep what is committed, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._keep_up())

    async def close(self) -> None:
        """Keep the head as it is now; the store has to be open still."""
        await self.sign()
        await self._keep()

    async def _follow(self) -> None:
        while True:
            # A new one each time: only that there is news matters, not what all of it is.
            news = self._store.watch()
            await self.sign()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await anext(news, None)
            await asyncio.sleep(SIGN_EVERY_S)

    async def _keep_up(self) -> None:
        while True:
            await asyncio.sleep(KEEP_EVERY_S)
            try:
                await self._keep()
            except OSError as error:
                # The log itself is safe: only how far it has come is not written down.
                log.error("state of the log not kept", extra={"cause": str(error)})  # noqa: TRY400

    async def _keep(self) -> None:
        latest = self._latest
        if self._keeper is None or latest.checkpoint.size == self._kept_size:
            return
        await self._keeper.keep(state_of(latest, epoch=self.epoch))
        self._kept_size = latest.checkpoint.size

    def _sign(self, size: int, root: bytes) -> Signed:
        checkpoint = Checkpoint(origin=self.origin, size=size, root=root)
        return Signed(checkpoint, checkpoint.signed_by(self._signers))

    async def _open_tiles(self, size: int, wanted: set[int]) -> Mapping[int, Sequence[bytes]]:
        """Learn the tiles below *size*, and return the leaves of those *wanted*."""
        whole = size - size % TILE
        while self._tiles.leaves < whole:
            start = self._tiles.leaves
            found = await self._store.read(LeafHashes(start, min(_PAGE, whole - start)))
            if start == self._tiles.leaves:  # nobody else was faster meanwhile
                self._tiles.add(found)
        return {
            tile: await self._store.read(LeafHashes(tile * TILE, min(TILE, size - tile * TILE)))
            for tile in wanted
            if tile * TILE < size
        }

    async def _require(self, state: LogState) -> None:
        """Check that the log in the store is the one that *state* was kept of.

        Raises:
            StoreRefused: it is not.
        """
        if state.origin != self.origin or not self._is_ours(state):
            raise StoreRefused(
                f"The key of the log is not the one of its last checkpoint ({state.origin}).",
                remedy="Put keys/log.key and log-state.json back together.",
            )
        head = await self._store.read(Head())
        if head.size < state.size:
            raise StoreRefused(
                f"The database is behind: its log has {head.size} entries, and had {state.size} "
                "when it was last kept. It is an older copy.",
                remedy=_RESTORE,
            )
        root = head.root if head.size == state.size else await self.root(state.size)
        if root != state.root:
            raise StoreRefused(
                f"The database has another past: the first {state.size} entries of its log are "
                "not those that were there when it was last kept.",
                remedy=_RESTORE,
            )
        self._kept_size = state.size

    def _is_ours(self, state: LogState) -> bool:
        try:
            checkpoint, note = parse_checkpoint(state.note)
        except NoteInvalid:
            return False
        told = (checkpoint.origin, checkpoint.size, checkpoint.root)
        return told == (state.origin, state.size, state.root) and any(
            key.signed(note) for key in self.keys
        )


def state_of(signed: Signed, *, epoch: int) -> LogState:
    """Return what is kept of *signed*."""
    checkpoint = signed.checkpoint
    return LogState(
        origin=checkpoint.origin,
        epoch=epoch,
        size=checkpoint.size,
        root=checkpoint.root,
        note=str(signed.note),
    )


def beginning(signer: Signer, *, epoch: int = 0) -> LogState:
    """Return what is kept of a log of *signer* that has no entries yet."""
    checkpoint = Checkpoint(origin=signer.key.name, size=0, root=EMPTY_ROOT)
    return state_of(Signed(checkpoint, checkpoint.signed_by([signer])), epoch=epoch)
