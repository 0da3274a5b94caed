"""One deployment for all attacks that change nothing; each is checked to have changed nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.hostile.cast import Cast, assemble
from tests.hostile.scene import Scene, faults, playing

#: More than any test here asks for: rate and pace have their own tests.
_CAPS = {
    "submits_per_minute": 100_000,
    "requests_per_second": 10_000,
    "pending_per_agent": 5_000,
    "pending_per_principal": 9_000,
}
_CONFIGURED = ("agents", "people", "halts", "keys", "policy", "resource-servers")
_REFUSALS = frozenset({"click.refused", "grant.refused"})
_CLOCK_KEEPERS = ("system:", "resource:")
#: What its own clock may end while the attacks go on, and how: a grant is good for two minutes.
_WITH_A_CLOCK = ("released", "redeemed")
_BY_THE_CLOCK = {"released": "expired", "redeemed": "in_doubt"}


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Once every attack is over its log has to verify, and say the same as each attack saw."""
    folder = tmp_path_factory.mktemp("hostile")
    with playing(folder, caps=_CAPS) as scene:
        known = scene.manage("GET", "checkpoint")
        yield scene
        seen = scene.entries()
        exported = scene.verified(folder, known=known)
        assert exported[: len(seen)] == seen


@pytest.fixture(scope="session")
def cast(scene: Scene) -> Cast:
    return assemble(scene)


@pytest.fixture
def unmoved(scene: Scene, cast: Cast) -> Iterator[None]:
    """Whatever the test does: nothing moves that is not its own, and nothing is decided."""
    before, size = _standing(scene, cast), len(scene.entries())
    written, printed = list(scene.target.written), len(scene.printed)
    yield
    after = _standing(scene, cast)
    for name in _WITH_A_CLOCK:
        if after[name]["state"] == _BY_THE_CLOCK.get(before[name]["state"]):
            before[name] = after[name]
    assert after == before
    assert scene.target.written == written
    assert foreign(scene.entries(size), cast) == []
    found = faults(scene.printed[printed:])
    assert not found, "\n".join(found)


def _standing(scene: Scene, cast: Cast) -> dict[str, Any]:
    # That somebody was refused is on record about a proposal, and moves nothing.
    theirs = {
        name: {key: value for key, value in scene.state(proposal).items() if key != "leaves"}
        for name, proposal in cast.theirs.items()
    }
    return {**theirs, **{name: scene.manage("GET", name) for name in _CONFIGURED}}


def foreign(entries: list[dict[str, Any]], cast: Cast) -> list[dict[str, Any]]:
    """Return the entries that no attack may cause: all but those about its own proposals, made
    by itself or by Keyturn, and what says that it was refused.
    """
    attacker = f"agent:{cast.mallory.id}"
    clocks = {cast.theirs[name] for name in _WITH_A_CLOCK}
    return [
        entry
        for entry in entries
        if not (
            entry["type"] in _REFUSALS
            or (
                entry.get("proposal") in clocks
                and entry["actor"].startswith("system:")
                and entry.get("state") in {"expired", "in_doubt"}
            )
            or (
                entry.get("agent") == cast.mallory.id
                and (entry["actor"] == attacker or entry["actor"].startswith(_CLOCK_KEEPERS))
                and entry.get("state") not in {"executing", "succeeded", "failed", "in_doubt"}
            )
        )
    ]
