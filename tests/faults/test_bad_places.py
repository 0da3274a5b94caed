"""Full disks, locked and read-only databases, leaves that cannot be written: nothing half done."""

import asyncio
import os
import resource
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path

import pytest

from tests.faults.checker import Life, faults
from tests.faults.failpoints import CARDS, TELL_ARRIVAL, read_cards
from tests.faults.stage import BotProcess, Stage
from tests.faults.target import read_record

SMALL_DISK = "8m"

Trouble = Callable[[BotProcess], AbstractAsyncContextManager[None]]


@pytest.fixture
async def small_disk_stage(
    first_stage: Stage, target_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """A deployment whose data is alone on a small disk."""
    disk = tmp_path_factory.mktemp("disk")
    if os.getuid() != 0 or not _ran("mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "t", disk):
        pytest.skip("only root can mount a small disk, and not in every container")
    try:
        disk.chmod(0o700)
        record = target_folder / f"of-{disk.name}"
        record.mkdir()
        yield first_stage.copied_to(disk, record=record)
    finally:
        assert _ran("umount", disk)


def _ran(*command: object) -> bool:
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True)
    return done.returncode == 0


@asynccontextmanager
async def full_disk(bot: BotProcess) -> AsyncIterator[None]:
    filler = bot.stage.folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 9, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    yield
    filler.unlink()


@asynccontextmanager
async def files_that_may_not_grow(bot: BotProcess) -> AsyncIterator[None]:
    was = resource.prlimit(bot.born.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bot.born.pid, resource.RLIMIT_FSIZE, (1, was[1]))
    yield
    resource.prlimit(bot.born.pid, resource.RLIMIT_FSIZE, was)


@asynccontextmanager
async def locked_database(bot: BotProcess) -> AsyncIterator[None]:
    with closing(sqlite3.connect(bot.stage.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@asynccontextmanager
async def read_only_database(bot: BotProcess) -> AsyncIterator[None]:
    # Not the shared memory beside it: who may not write a mapped page is ended by the kernel.
    files = [bot.stage.database, bot.stage.database.with_name("keyturn.sqlite3-wal")]
    if not _ran("chattr", "+i", *files):
        pytest.skip("this file system cannot make the files of a running bot read-only")
    try:
        yield
    finally:
        assert _ran("chattr", "-i", *files)


@asynccontextmanager
async def unwritable_leaf(bot: BotProcess) -> AsyncIterator[None]:
    with closing(sqlite3.connect(bot.stage.database, isolation_level=None, timeout=5)) as other:
        other.execute(
            "CREATE TRIGGER broken BEFORE INSERT ON leaf "
            "BEGIN SELECT RAISE(ABORT, 'the log is broken'); END"
        )
        yield
        other.execute("DROP TRIGGER broken")


async def _nothing_moves_until_it_is_over(stage: Stage, trouble: Trouble) -> None:
    async with stage.bot() as bot:
        first = (await bot.submit(key="first", text="first")).body
        assert await bot.is_shown(first["id"], "pending")

        async with trouble(bot):
            second, pressed, withdrawn, person, halt = await asyncio.gather(
                bot.submit(key="second", text="second"),
                bot.press(first, "approve"),
                bot.ask("POST", f"/v1/proposals/{first['id']}/withdraw", body={"reason": "r"}),
                bot.admin("POST", "people", {"handle": "eve", "display_name": "Eve"}),
                bot.admin("POST", "halts", {"scope": "all", "reason": "r"}),
            )
            for refused in (second, withdrawn):
                assert (refused.status, refused.code) == (503, "store_unavailable")
                assert "same Idempotency-Key" in refused.body["remedy"]
            assert not pressed["recorded"]
            assert pressed["code"] in {"store_unavailable", None}, pressed
            assert {person["code"], halt["code"]} == {"store_unavailable"}
            assert (await bot.read(first["id"])).body["state"] == "pending"

        own = (await bot.ask("GET", "/v1/proposals")).body["proposals"]
        assert [proposal["id"] for proposal in own] == [first["id"]]
        assert (await bot.admin("GET", "halts"))["halts"] == []
        again = await bot.submit(key="second", text="second")
        assert again.status == 202, again.body
        assert (await bot.press(first, "approve"))["recorded"]
        told = (await bot.read(first["id"], wait_s=20)).body
        assert told["state"] == "succeeded"
        assert await bot.is_shown(first["id"], "succeeded")

    remembered = await stage.remembered(first["id"])
    cards = read_cards(stage.at_target / CARDS).values()
    life = Life(
        proposal=first["id"],
        state="succeeded",
        bodies=[leaf.body for leaf in remembered.leaves],
        root=remembered.head.root,
        writes=read_record(stage.at_target),
        cards=[card.state for card in cards if card.proposal == first["id"]],
        told=[first, told],
    )
    assert faults(life) == []


@pytest.mark.parametrize(
    "trouble",
    [files_that_may_not_grow, locked_database, read_only_database, unwritable_leaf],
    ids=lambda trouble: trouble.__name__,
)
async def test_nothing_moves_that_cannot_be_recorded(stage: Stage, trouble: Trouble) -> None:
    await _nothing_moves_until_it_is_over(stage, trouble)


async def test_nothing_moves_while_the_disk_is_full(small_disk_stage: Stage) -> None:
    await _nothing_moves_until_it_is_over(small_disk_stage, full_disk)


async def test_what_happened_while_the_disk_was_full_is_recorded_when_it_is_not(
    small_disk_stage: Stage,
) -> None:
    stage = small_disk_stage
    stage.hold.touch()
    async with stage.bot(TELL_ARRIVAL) as bot:
        proposal = (await bot.submit()).body
        assert await bot.is_shown(proposal["id"], "pending")
        assert (await bot.press(proposal, "approve"))["recorded"]
        await bot.says("arrived at the target")

        async with full_disk(bot):
            stage.hold.unlink()
            await bot.says("done, but not recorded yet")
            assert (await bot.read(proposal["id"])).body["state"] == "executing"

        assert (await bot.read(proposal["id"], wait_s=20)).body["state"] == "succeeded"


async def test_a_bot_does_not_start_on_a_database_it_cannot_write(stage: Stage) -> None:
    if not _ran("chattr", "+i", stage.database):
        pytest.skip("this file system cannot make a file read-only for everybody")
    try:
        said = await _refuses(stage)
    finally:
        assert _ran("chattr", "-i", stage.database)
    assert "cannot be opened" in said
    assert "writable for the user that runs Keyturn" in said


async def test_a_second_bot_on_the_same_data_is_refused_and_the_first_goes_on(
    stage: Stage,
) -> None:
    async with stage.bot() as bot:
        said = await _refuses(stage)

        assert f"already open in another Keyturn (process {bot.born.pid})" in said
        assert (await bot.submit()).status == 202


async def test_a_database_of_a_newer_keyturn_is_refused_and_left_as_it_is(stage: Stage) -> None:
    with closing(sqlite3.connect(stage.database)) as other:
        other.execute("PRAGMA user_version = 999")

    said = await _refuses(stage)

    assert "written by a newer Keyturn" in said
    assert "Install the newer Keyturn again" in said
    with closing(sqlite3.connect(stage.database)) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (999,)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "policy.yaml cannot be read"),
        ("", "policy"),
        ("version: 1\nrules:\n  - id: a\n    efect: allow\n", "efect"),
        ("version: 1\nrules: [", "line"),
    ],
    ids=["missing", "empty", "unknown key", "not YAML"],
)
async def test_a_bot_does_not_start_without_a_policy_that_loads(
    stage: Stage, text: str | None, told: str
) -> None:
    policy = stage.folder / "policy.yaml"
    policy.unlink()
    if text is not None:
        policy.write_text(text)

    assert told in await _refuses(stage)


async def test_a_policy_that_breaks_while_it_runs_leaves_the_old_one_in_force(
    stage: Stage,
) -> None:
    policy = stage.folder / "policy.yaml"
    good = policy.read_text()
    async with stage.bot() as bot:
        policy.write_text(good + "nonsense: true\n")
        await bot.says("the old one stays")
        problem = await bot.admin("POST", "policy/reload")

        assert problem["status"] >= 400
        assert "nonsense" in str(problem)
        assert (await bot.submit(key="one")).body["state"] == "pending"

        policy.unlink()
        problem = await bot.admin("POST", "policy/reload")
        assert "cannot be read" in str(problem)
        assert (await bot.submit(key="two")).body["state"] == "pending"

        policy.write_text(
            good.replace("hold: {mode: confirm, expires: 30m, use_by: 15m}", "deny: No")
        )
        assert "digest" in await bot.admin("POST", "policy/reload")
        assert (await bot.submit(key="three")).body["state"] == "denied"


async def _refuses(stage: Stage) -> str:
    """Return what the bot says when it does not start."""
    bot = await BotProcess.start(stage, must_start=False)
    try:
        assert await bot.ended() == 3, bot.log
        assert "Traceback" not in bot.log
        return bot.log
    finally:
        await bot.stop()
