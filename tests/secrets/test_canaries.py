"""No secret comes out of the bot, wherever it was put in."""

import base64
import json
from collections.abc import Callable

import pytest

from tests.secrets.acts import PLACES, PLAIN
from tests.secrets.canaries import KINDS, canary
from tests.secrets.scanner import Leak, Scanner
from tests.secrets.trial import Trial

#: The bot goes through everything once, in the setting up of the first test.
pytestmark = pytest.mark.timeout(400)

_NO_LINE = {"private_key", "google_service_account", "aws_secret_key", "authorization_header"}


@pytest.fixture(scope="module")
def scanner(trial: Trial) -> Scanner:
    scanner = Scanner()
    scanner.know(trial.token, trial.admin_token, trial.cookie.partition("=")[2])
    scanner.know(trial.credentials["keyturn"].value)
    for file in (trial.deployment.home / "keys").glob("*.key"):
        for line in file.read_text().splitlines():
            if not line.startswith("#"):
                scanner.know(line, line.split("+", 4)[-1])  # PRIVATE+KEY+name+id+key
                if len(line) == 64:
                    scanner.know(bytes.fromhex(line))
    return scanner


def test_there_are_thirty_kinds_and_more():
    assert len(KINDS) >= 30


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_proposal_with_a_secret_is_refused_with_the_place_and_the_kind(trial: Trial, kind: str):
    for place, body in PLACES.items():
        secret = canary(kind).value
        heard = trial.as_agent("POST", "/v1/proposals", body(secret))
        assert heard.status == 422, (place, heard.body)
        if len(secret) <= 200 or place not in {"/correlation", "/action/verb"}:
            assert heard.json["code"] in {"secret_in_proposal", "secret_sent"}, (place, heard.body)
            assert f"({kind})" in heard.json["detail"], (place, heard.body)
            assert place in heard.json["detail"], heard.body


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - _NO_LINE - {"mailgun"}))
def test_an_idempotency_key_that_is_a_secret_is_refused(trial: Trial, kind: str):
    heard = trial.as_agent("POST", "/v1/proposals", PLAIN, key=canary(kind).value)
    assert heard.json["code"] == "secret_in_proposal", heard.body
    assert "Idempotency-Key" in heard.json["detail"]


def test_targets_got_their_credential_in_its_own_header(trial: Trial):
    said = "\n".join(trial.mirror.credentials)
    assert all(one.value in said for one in trial.credentials.values())


def test_nobody_is_told_a_secret(trial: Trial, scanner: Scanner):
    assert len(trial.outbound) > 1_500
    assert scanner.leaks(trial.outbound) == []


def test_targets_get_no_secret_but_their_own_header(trial: Trial, scanner: Scanner):
    assert trial.mirror.received
    assert scanner.leaks({"target": b"\n".join(trial.mirror.received)}) == []


def test_the_log_has_no_secret_though_it_has_tracebacks(trial: Trial, scanner: Scanner):
    log = trial.log.read_bytes()
    assert b"Traceback" in log
    assert scanner.leaks({"log": log}) == []


def test_no_file_has_a_secret_but_those_made_for_one(trial: Trial, scanner: Scanner):
    files = trial.files()
    assert {"keyturn.sqlite3", "shelf.sqlite3", "log-state.json"} <= files.keys()
    assert scanner.leaks(files) == []


PLANTED: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda secret: b'{"detail": "bad token ' + secret + b'"}',
    "cut at the end": lambda secret: secret[:20],
    "cut at the beginning": lambda secret: secret[-14:],
    "in base64 behind a name": lambda secret: base64.b64encode(b"user:" + secret),
    "in hexadecimal": lambda secret: secret.hex().encode(),
    "in JSON": lambda secret: json.dumps({"a": [secret.decode()]}).encode(),
    "in UTF-16": lambda secret: secret.decode().encode("utf-16-le"),
    "backwards": lambda secret: secret[::-1],
}


@pytest.mark.parametrize("planted", sorted(PLANTED))
def test_the_scanner_finds_a_planted_leak(planted: str):
    secret = canary("github").value.encode()
    leaks = Scanner().leaks({"page": b"x" * 100 + PLANTED[planted](secret) + b"y" * 100})
    assert leaks
    assert all(isinstance(leak, Leak) and leak.source == "page" for leak in leaks)
