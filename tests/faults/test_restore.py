"""A restore is killed at each of its steps, and tried again: it ends in the same place."""

import asyncio
import json
import multiprocessing
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.file.log_state import FileLogState, read_state
from bot.backups import back_up
from bot.chosen import DATABASE, open_store
from bot.cli.first_files import first_files, write
from bot.core.actors import OPERATOR, RESTORER, Token
from bot.core.erasure import Erasure
from bot.core.errors import StoreRefused
from bot.core.ids import TokenId
from bot.core.leaf import LeafDraft
from bot.core.states import TERMINAL, State
from bot.core.step import Ask
from bot.core.tokens import TokenKind, token_hash
from bot.keys import LOG_KEY, LOG_STATE, SHELF_KEY, SHELF_KEY_BYTES, read_key, read_log_keys
from bot.ports.queries import Halts, PersonById, Proposals, TokenById
from bot.restoring import restore
from bot.service.checkpoints import Checkpoints
from bot.settings import Settings, load
from bot.system_clock import SystemClock
from bot.testing.proposals import NOW
from bot.testing.stores import acts
from bot.testing.stores.acts import ADA, BEN, CLERK, SCOUT
from store.sqlite import SqliteStore
from tests.faults.restoring import restore_until

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(["tests.faults.nursery_preload"])

#: In the order in which the backup knows them, as acts.proposal numbers them.
BEFORE = (
    State.PENDING,
    State.APPROVED,
    State.EXECUTING,
    State.RELEASED,
    State.REDEEMED,
    State.IN_DOUBT,
    State.SUCCEEDED,
    State.REJECTED,
)
AFTER_RESTORE = {
    State.PENDING: State.REVOKED,
    State.APPROVED: State.REVOKED,
    State.RELEASED: State.REVOKED,
    State.EXECUTING: State.IN_DOUBT,
    State.REDEEMED: State.IN_DOUBT,
}
LATE = range(20, 23)


@dataclass(frozen=True)
class Case:
    """A deployment that did much after its backup was made."""

    settings: Settings
    backup: Path

    @property
    def data_dir(self) -> Path:
        return self.settings.data_dir

    def copied_to(self, folder: Path) -> "Case":
        shutil.copytree(self.data_dir, folder)
        return Case(load(folder / "keyturn.yaml"), self.backup)

    def restore_until(self, step: int) -> int | None:
        """Restore in another process, which kills itself at *step*; return how it ended."""
        process = _forking.Process(
            target=restore_until, args=(str(self.settings.file), str(self.backup), step)
        )
        process.start()
        process.join(30)
        code = process.exitcode
        process.close()
        return code


async def _open(data_dir: Path) -> SqliteStore:
    return await SqliteStore.open(data_dir / DATABASE, clock=SystemClock())


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return asyncio.run(_made(tmp_path_factory.mktemp("restore")))


async def _made(folder: Path) -> Case:
    home = folder / "live"
    write(first_files(home / "keyturn.yaml", with_forum=False))
    settings = load(home / "keyturn.yaml")
    store = await _open(home)
    await acts.keep(store, ADA, BEN, SCOUT, CLERK, _token())
    for number, state in enumerate(BEFORE):
        await acts.hold(store, number, state=state)
    await _sign(store, home)
    await store.close()
    made = back_up(settings, folder / "backups", with_keys=False, now=NOW, tell=lambda _: None)

    store = await _open(home)
    first = acts.proposal(0)
    await acts.move(store, first.id, State.SUCCEEDED)
    for number, state in zip(LATE, (State.SUCCEEDED, State.PENDING, State.EXECUTING), strict=True):
        await acts.hold(store, number, idempotency_key=f"late-{number}", state=state)
    await acts.keep(store, replace(_token(), ends_at=NOW), leaves=[acts.draft()])
    await acts.keep(store, replace(CLERK, active=False))
    told = LeafDraft(type="test.happened", actor=OPERATOR, principal=BEN.id, private={"x": "y"})
    await acts.keep(store, leaves=[told])
    await store.erase(Erasure(person=BEN.id, actor=OPERATOR, reason="Asked for it."))
    await _sign(store, home)
    await store.close()
    return Case(settings, Path(made.folder))


async def _sign(store: SqliteStore, home: Path) -> Checkpoints:
    """Return the checkpoints of *store*, which is what was kept of it, or ahead."""
    signers = read_log_keys(home / "keys" / LOG_KEY)
    checkpoints = await Checkpoints.open(store, signers, keeper=FileLogState(home / LOG_STATE))
    await checkpoints.close()
    return checkpoints


def _token() -> Token:
    return Token(
        id=TokenId("tok_1"),
        kind=TokenKind.AGENT,
        hash=token_hash("kta_1"),
        holder=SCOUT.id,
        created_at=NOW,
    )


async def check_restored(case: Case) -> None:
    """Check everything that a restore promises of the files that are in place now."""
    home = case.data_dir
    manifest = json.loads((case.backup / "manifest.json").read_text())
    store = await _open(home)
    try:
        checkpoints = await _sign(store, home)
        assert (checkpoints.epoch, checkpoints.origin) != (0, manifest["log"]["origin"])
        for number, state in enumerate(BEFORE):
            found = await acts.known(store, acts.proposal(number).id)
            assert found.state is AFTER_RESTORE.get(state, state)
            if state in AFTER_RESTORE:
                assert found.reason_by == RESTORER
        for number, state in zip(
            LATE, (State.SUCCEEDED, State.REVOKED, State.IN_DOUBT), strict=True
        ):
            again = await acts.submit(store, number, key=f"late-{number}")
            assert again.state is state, "a key that was used after the backup is answered"
        everything = await store.read(Proposals(limit=100))
        assert all(one.state in TERMINAL | {State.IN_DOUBT} for one in everything)
        assert len(everything) == len(BEFORE) + len(LATE)
        (halt,) = await store.read(Halts(in_force=True))
        assert (halt.target.scope, halt.is_active) == ("all", True)
        assert (await store.read(TokenById(TokenId("tok_1")))).ends_at == NOW
        assert not (await store.read(PersonById(BEN.id))).active
        assert (await acts.look(store, Ask(agent=CLERK.id))).agent.active is False
        opened = (await acts.log(store))[manifest["log"]["size"]]
        body = json.loads(opened.body)
        assert opened.type == "log.opened"
        assert body["origin"] == checkpoints.origin
        assert body["before"] == {key: manifest["log"][key] for key in body["before"]}
        assert body["known"]["size"] > manifest["log"]["size"]
    finally:
        await store.close()
    assert not (home / "restore.json").exists()
    assert not (home / "restoring").exists()


def test_a_restore_ends_everything_and_keeps_what_was_learned_since(case: Case, tmp_path: Path):
    here = case.copied_to(tmp_path / "here")
    before = (here.data_dir / DATABASE).read_bytes()

    assert here.restore_until(10_000) == 0

    asyncio.run(check_restored(here))
    (kept,) = here.data_dir.glob("replaced-*")
    assert (kept / DATABASE).read_bytes() == before
    assert read_state(kept / LOG_STATE).epoch == 0


def test_killed_at_every_step_and_tried_again_it_ends_in_the_same_place(case: Case, tmp_path: Path):
    for step in _steps():
        here = case.copied_to(tmp_path / f"at-{step}")
        ended = here.restore_until(step)
        asyncio.run(_check_between(here, case))
        assert here.restore_until(10_000) == 0
        asyncio.run(check_restored(here))
        assert len(list(here.data_dir.glob(f"replaced-*/{DATABASE}"))) == (1 if ended else 2)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        shutil.rmtree(here.data_dir)
    else:
        pytest.fail("it never came to its end")
    assert step > 12, "there are fewer steps than files"


def _steps() -> Iterator[int]:
    yield from range(60)


async def _check_between(here: Case, original: Case) -> None:
    """After a kill a bot either finds everything as it was, or the restored, or is refused."""
    home = here.data_dir
    key = read_key(home / "keys" / SHELF_KEY, length_bytes=SHELF_KEY_BYTES)
    try:
        store, shelf = await open_store(
            "sqlite", data_dir=home, shelf_keys=[key], clock=SystemClock()
        )
    except StoreRefused as error:
        if "has not ended" not in error.message:
            raise
        return
    try:
        checkpoints = await _sign_of(store, home)
    finally:
        await store.close()
        await shelf.close()
    was = read_state(original.data_dir / LOG_STATE)
    assert checkpoints.epoch == 1 or checkpoints.origin == was.origin


async def _sign_of(store: object, home: Path) -> Checkpoints:
    assert isinstance(store, SqliteStore)
    return await _sign(store, home)


def test_killed_again_and_again_it_still_ends(case: Case, tmp_path: Path):
    here = case.copied_to(tmp_path / "here")
    for step in (4, 6, 1, 2, 2, 2, 3, 1):
        here.restore_until(step)

    assert here.restore_until(10_000) == 0

    asyncio.run(check_restored(here))


async def test_a_restore_of_another_backup_waits_for_the_one_that_was_begun(
    case: Case, tmp_path: Path
):
    here = case.copied_to(tmp_path / "here")
    other = shutil.copytree(case.backup, tmp_path / "other")
    manifest = other / "manifest.json"
    manifest.write_text(manifest.read_text().replace("2030", "2031"))
    while not (here.data_dir / "restore.json").exists():
        here.restore_until(6)

    with pytest.raises(StoreRefused, match="has not ended"):
        await restore(here.settings, other, clock=SystemClock(), tell=lambda _: None)


async def test_while_a_bot_runs_nothing_is_restored(case: Case, tmp_path: Path):
    here = case.copied_to(tmp_path / "here")
    store = await _open(here.data_dir)
    try:
        with pytest.raises(StoreRefused, match="already open in another"):
            await restore(here.settings, here.backup, clock=SystemClock(), tell=lambda _: None)
    finally:
        await store.close()
    assert not list(here.data_dir.glob("replaced-*"))


async def test_what_is_damaged_is_replaced_and_nothing_is_believed_of_it(
    case: Case, tmp_path: Path
):
    here = case.copied_to(tmp_path / "here")
    database = here.data_dir / DATABASE
    torn = bytearray(database.read_bytes())
    torn[5000:9000] = bytes(4000)
    database.write_bytes(torn)

    done = await restore(here.settings, here.backup, clock=SystemClock(), tell=lambda _: None)

    assert not done.learned_from
    store = await _open(here.data_dir)
    assert len(await store.read(Proposals(limit=100))) == len(BEFORE)
    await store.close()


async def test_another_deployments_backup_is_refused(case: Case, tmp_path: Path):
    here = case.copied_to(tmp_path / "here")
    text = here.settings.file.read_text()
    name = here.settings.deployment
    here.settings.file.write_text(text.replace(f"deployment: {name}", "deployment: elsewhere"))

    with pytest.raises(StoreRefused, match="This is a backup of"):
        await restore(
            load(here.settings.file), here.backup, clock=SystemClock(), tell=lambda _: None
        )
