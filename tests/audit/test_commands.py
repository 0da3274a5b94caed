"""The commands as an auditor types them: what they print, and the exit codes that scripts read."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson
import pytest

from bot.core.audit.problems import Fault
from bot.core.signed_note import Signer
from tests.audit.logs import Log, new_signer
from tests.cli.deployments import KEYTURN, Deployment, make_deployment

VERIFIED, UNANCHORED, DIVERGED, INVALID, NOT_READABLE = 0, 10, 11, 12, 13


def verify(*words: object) -> subprocess.CompletedProcess[str]:
    """Run it where there is neither a deployment nor a server."""
    return subprocess.run(
        [KEYTURN, "audit", "verify", *map(str, words)],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


@pytest.fixture
def file(log: Log, tmp_path: Path) -> Path:
    return write(tmp_path / "log.jsonl", log.lines())


@pytest.fixture
def known(log: Log, tmp_path: Path) -> Path:
    path = tmp_path / "known.txt"
    path.write_text(str(log.checkpoint(20)[1]))
    return path


def write(path: Path, lines: Sequence[bytes]) -> Path:
    path.write_bytes(b"".join(lines))
    return path


def test_a_log_that_agrees_with_a_kept_checkpoint_is_exit_0(
    log: Log, file: Path, known: Path
) -> None:
    ran = verify(file, "--checkpoint", known, "--vkey", log.signer.key)

    assert ran.returncode == VERIFIED, ran.stdout + ran.stderr
    assert "verified" in ran.stdout
    assert "none has signed" in ran.stdout, "it is said plainly that no witness has"


def test_a_log_with_nothing_to_compare_is_exit_10(file: Path) -> None:
    ran = verify(file)

    assert ran.returncode == UNANCHORED
    assert "not anchored" in ran.stdout
    assert "--checkpoint" in ran.stdout, "it says what to do"


def test_a_fork_is_exit_11(log: Log, known: Path, tmp_path: Path) -> None:
    log.entries[3].set(marked="x")

    ran = verify(write(tmp_path / "fork.jsonl", log.lines()), "--checkpoint", known, "--json")

    assert ran.returncode == DIVERGED
    assert json.loads(ran.stdout)["problems_by_fault"] == {"forked": 1}


def test_a_cut_log_that_was_signed_anew_is_exit_11(log: Log, known: Path, tmp_path: Path) -> None:
    cut = Log(log.entries[:3], log.signer)

    ran = verify(write(tmp_path / "cut.jsonl", cut.lines()), "--checkpoint", known)

    assert ran.returncode == DIVERGED
    assert "shorter_than_known" in ran.stdout


def test_what_cannot_have_happened_is_exit_12_and_told_by_entry(log: Log, tmp_path: Path) -> None:
    at = log.find("execution.intent")
    log.entries[at].set(approved_by=[])

    ran = verify(write(tmp_path / "insider.jsonl", log.lines()))
    as_json = verify(write(tmp_path / "insider.jsonl", log.lines()), "--json")

    assert ran.returncode == as_json.returncode == INVALID
    assert f"entry {at}: {Fault.INTENT_WITHOUT_QUORUM}" in ran.stdout
    assert json.loads(as_json.stdout)["problems"][0]["entry"] == at


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda lines: [*lines[:-1], lines[-1][:40]], "ends in the middle"),
        (lambda lines: [*lines[:5], b"nonsense\n", *lines[6:]], "Line 6 is not JSON"),
        (lambda lines: [*lines[:5], b"{}\n", *lines[6:]], "Line 6 is not an entry"),
        (lambda lines: lines[1:], "neither an exported log nor a receipt"),
        (lambda _: [b""], "empty"),
        (
            lambda lines: [lines[0].replace(b'"version":1', b'"version":2'), *lines[1:]],
            "format version 2",
        ),
        (lambda lines: [lines[0].replace(b"size", b"sise"), *lines[1:]], "contradicts"),
        (lambda _: [b"\x00\xff\xfe" * 100], "neither"),
    ],
)
def test_a_file_that_cannot_be_read_is_exit_13(
    log: Log,
    tmp_path: Path,
    spoil: Callable[[list[bytes]], list[bytes]],
    told: str,
) -> None:
    ran = verify(write(tmp_path / "spoilt.jsonl", spoil(log.lines())))

    assert ran.returncode == NOT_READABLE, ran.stdout
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_missing_file_and_a_wrong_key_are_exit_13(file: Path, tmp_path: Path) -> None:
    assert verify(tmp_path / "nothing").returncode == NOT_READABLE
    assert verify(file, "--vkey", "nonsense").returncode == NOT_READABLE
    assert verify(file, "--checkpoint", file.with_name("nothing")).returncode == NOT_READABLE


def test_a_known_checkpoint_may_be_an_earlier_export(log: Log, file: Path, tmp_path: Path) -> None:
    earlier = write(tmp_path / "earlier.jsonl", Log(log.entries[:9], log.signer).lines())

    assert verify(file, "--checkpoint", earlier).returncode == VERIFIED


def test_a_witness_anchors_a_log(log: Log, tmp_path: Path) -> None:
    witness = new_signer()
    cosigner, policy = cosigned(log, witness, tmp_path)

    ran = verify(cosigner, "--policy", policy)

    assert ran.returncode == VERIFIED, ran.stdout + ran.stderr
    assert f"signed by {witness.key.name}" in ran.stdout


def test_too_few_witnesses_anchor_nothing(log: Log, tmp_path: Path) -> None:
    file, policy = cosigned(log, new_signer(), tmp_path)
    text = policy.read_text()
    _, other = cosigned(log, new_signer(), tmp_path)
    second = other.read_text().splitlines()[1].replace("w1", "w2")
    policy.write_text(
        text.splitlines()[0] + "\n" + text.splitlines()[1] + "\n" + second + "\n"
        "group both all w1 w2\nquorum both\n"
    )

    assert verify(file, "--policy", policy).returncode == UNANCHORED


def cosigned(log: Log, witness: Signer, folder: Path) -> tuple[Path, Path]:
    """Return an export whose checkpoint *witness* signed too, and a policy that trusts it."""
    from bot.core.signed_note import COSIGNATURE, Note, NoteKey, Signature  # noqa: PLC0415

    note = log.checkpoint()[1]
    key = NoteKey(witness.key.name, COSIGNATURE, witness.key.public)
    made = witness.sign(f"cosignature/v1\ntime 1800000000\n{note.text}").data
    signature = Signature(key.name, key.key_id, (1_800_000_000).to_bytes(8, "big") + made)
    both = Note(note.text, (*note.signatures, signature))
    file = write(folder / f"{key.key_id.hex()}.jsonl", log.lines(signed=both))
    policy = folder / f"{key.key_id.hex()}.policy"
    policy.write_text(f"log {log.signer.key}\nwitness w1 {key}\nquorum w1\n")
    return file, policy


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    made = make_deployment(tmp_path_factory.mktemp("audit") / "data")
    made.done("person", "create", "dana", "--name", "Dana Okafor")
    return made


def test_an_export_of_a_bot_that_does_not_run_verifies(
    deployment: Deployment, tmp_path: Path
) -> None:
    file, kept = tmp_path / "log.jsonl", tmp_path / "known.txt"
    deployment.done("audit", "checkpoint", str(kept))
    assert kept.read_text() == deployment.done("audit", "checkpoint")

    told = deployment.json("audit", "export", str(file))
    again = deployment.run("audit", "export", str(file))

    assert told["entries"] == len(file.read_bytes().splitlines()) - 1
    assert file.stat().st_mode & 0o777 == 0o600
    assert verify(file, "--checkpoint", kept).returncode == VERIFIED
    assert again.returncode != 0, "an export is never overwritten"
    assert b"Dana Okafor" in file.read_bytes()


def test_an_export_of_a_running_bot_verifies_and_shows_nobody_where_it_should_not(
    deployment: Deployment,
) -> None:
    with deployment.serving():
        out = deployment.done("audit", "export", "--without-openings")
    lines = out.encode().splitlines(keepends=True)

    assert "Dana Okafor" not in out
    assert orjson.loads(lines[0])["size"] == len(lines) - 1
    # The policy came into force when it was served.
    assert "policy.activated" in out


def test_what_is_kept_beside_the_database_is_the_end_of_the_log(deployment: Deployment) -> None:
    size = deployment.json("audit", "checkpoint")["size"]

    assert orjson.loads((deployment.home / "log-state.json").read_bytes())["size"] == size


def test_the_newest_entries_are_told_in_words(deployment: Deployment) -> None:
    told = deployment.done("audit", "tail", "--no-follow", "--lines", "1000")
    raw = deployment.done("audit", "tail", "--no-follow", "--lines", "1", "--json")

    assert "Person registered" in told
    assert json.loads(raw)["v"] == 1


def test_other_formats_are_one_event_a_line(deployment: Deployment) -> None:
    ocsf = deployment.done("audit", "export", "--format", "ocsf").splitlines()
    cloud = deployment.done("audit", "export", "--format", "cloudevents").splitlines()

    first = json.loads(ocsf[0])
    assert (first["class_uid"], first["metadata"]["version"]) == (6003, "1.9.0")
    assert first["type_uid"] == 6003 * 100 + first["activity_id"]
    assert len(first["attestation_list"][0]["fingerprint"]["value"]) == 64
    assert json.loads(cloud[0])["specversion"] == "1.0"
    assert json.loads(cloud[0])["type"] == "keyturn.person.created"
    assert len(ocsf) == len(cloud)


def test_a_story_that_is_not_there_is_said_so(deployment: Deployment) -> None:
    assert deployment.run("audit", "show", "prp_" + "0" * 26).returncode == 5


def test_an_older_database_does_not_start(deployment: Deployment, tmp_path: Path) -> None:
    database = deployment.home / "keyturn.sqlite3"
    old = database.read_bytes()
    deployment.done("person", "create", "eve", "--name", "Eve")
    database.write_bytes(old)

    ran = deployment.run("audit", "checkpoint")

    assert ran.returncode == 3
    assert "older copy" in ran.stderr
    assert "keyturn restore" in ran.stderr
