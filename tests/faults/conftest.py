import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.faults import target
from tests.faults.stage import Stage, write_plugin

MakeStage = Callable[[], Stage]


@pytest.fixture(scope="session")
def target_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("f")


@pytest.fixture(scope="session")
def target_url(target_folder: Path) -> Iterator[str]:
    """The address of a target that runs in a process of its own, for as long as the tests do."""
    with subprocess.Popen(
        [sys.executable, target.__file__, str(target_folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_plugin(tmp_path_factory.mktemp("plugin"))


@pytest.fixture(scope="session")
def first_stage(target_folder: Path, target_url: str, plugin: Path) -> Stage:
    """A deployment with a person and an agent, from which the others are copied."""
    stage = Stage(folder=target_folder / "first", plugin=plugin, target_url=target_url)
    stage.with_settings()

    async def register() -> None:
        async with stage.bot() as bot:
            stage.known = await stage.register(bot)

    asyncio.run(register())
    return stage


_numbers = count(1)


@pytest.fixture
def make_stage(first_stage: Stage, target_folder: Path) -> MakeStage:
    return lambda: first_stage.copied_to(target_folder / f"c{next(_numbers)}")


@pytest.fixture
def stage(make_stage: MakeStage) -> Stage:
    return make_stage()
