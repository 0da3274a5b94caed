"""A credential that is written into the settings by mistake is refused, and not repeated."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.deployments import Deployment, make_deployment
from tests.secrets.canaries import canary, opaque
from tests.secrets.key_files import key_and_certificate
from tests.secrets.scanner import Scanner

PLACES: dict[str, Callable[[dict[str, Any], str], None]] = {
    "a reference": lambda s, secret: s["connectors"]["x"]["credential"].update(reference=secret),
    "a credential": lambda s, secret: s["connectors"]["x"].update(credential=secret),
    "a number's place": lambda s, secret: s["connectors"]["x"].update(timeout_s=secret),
    "how it is sent": lambda s, secret: s["connectors"]["x"]["credential"].update(send=secret),
    "a port": lambda s, secret: s["listeners"]["people"].update(port=secret),
    "an address": lambda s, secret: s.update(public_url=f"https://app:{secret}@keyturn.test"),
    "a base address": lambda s, secret: s["connectors"]["x"].update(
        base_url=f"https://app:{secret}@forum.test"
    ),
    "a variable's name": lambda s, secret: s["connectors"]["x"]["credential"].update(
        reference=f"env:{secret}"
    ),
    "the password of a mail server": lambda s, secret: s["connectors"].update(
        x={"type": "smtp", "host": "127.0.0.1", "credential": {"user": "a", "reference": secret}}
    ),
}


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return make_deployment(tmp_path / "data")


@pytest.mark.parametrize("place", sorted(PLACES))
def test_what_was_written_is_not_repeated(deployment: Deployment, place: str):
    settings = yaml.safe_load(deployment.config.read_text())
    connector = {
        "type": "http",
        "base_url": "http://127.0.0.1:1",
        "credential": {"reference": "env:X", "send": "bearer"},
        "verbs": {},
    }
    settings["connectors"] = {"x": connector}
    PLACES[place](settings, opaque("key"))
    deployment.config.write_text(yaml.safe_dump(settings))
    for words in (["serve"], ["serve", "--debug"], ["doctor", "--json"], ["doctor", "--debug"]):
        ran = deployment.run(*words)
        assert ran.returncode != 0
        assert Scanner().leaks({" ".join(words): (ran.stdout + ran.stderr).encode()}) == []


@pytest.mark.parametrize("words", [["serve"], ["serve", "--debug"], ["doctor"]])
def test_a_credential_that_cannot_be_sent_is_not_repeated(deployment: Deployment, words: list[str]):
    settings = yaml.safe_load(deployment.config.read_text())
    connector = {
        "type": "http",
        "base_url": "http://127.0.0.1:1",
        "allow_private": True,
        "credential": {"reference": "env:X", "send": "bearer"},
        "verbs": {},
    }
    settings["connectors"] = {"x": connector}
    deployment.config.write_text(yaml.safe_dump(settings))
    deployment.environment["X"] = opaque("one") + "\n" + opaque("two")
    ran = deployment.run(*words)
    assert ran.returncode != 0
    assert Scanner().leaks({"all": (ran.stdout + ran.stderr).encode()}) == []


KNOWN: dict[str, Callable[[dict[str, Any]], None]] = {
    "a reference to a file": lambda s: s["connectors"]["x"]["credential"].update(
        reference=f"file:{canary('github').value}"
    ),
    "anywhere else": lambda s: s.update(
        {canary("stripe").value: 1},
        webhooks={"private_hosts": [canary("github").value]},
        listeners={"agents": {"tls": {"cert": "x.pem", "key": canary("private_key").value}}},
    ),
}


@pytest.mark.parametrize("place", sorted(KNOWN))
def test_a_known_kind_is_not_repeated_wherever_it_was_written(deployment: Deployment, place: str):
    settings = yaml.safe_load(deployment.config.read_text())
    credential = {"reference": "env:X", "send": "bearer"}
    connector = {"type": "http", "base_url": "http://127.0.0.1:1", "credential": credential}
    settings["connectors"] = {"x": {**connector, "verbs": {}}}
    KNOWN[place](settings)
    deployment.config.write_text(yaml.safe_dump(settings))
    for words in (["serve"], ["doctor", "--json"]):
        ran = deployment.run(*words)
        assert "[a secret]" in ran.stdout + ran.stderr
        assert Scanner().leaks({words[0]: (ran.stdout + ran.stderr).encode()}) == []


@pytest.mark.parametrize("state", ["malformed", "with a pass phrase", "readable by others"])
def test_a_key_of_tls_that_cannot_be_used_is_not_repeated(deployment: Deployment, state: str):
    locked = b"long-enough" if state == "with a pass phrase" else None
    key, certificate = key_and_certificate(password=locked)
    lines = key.splitlines()
    scanner = Scanner()
    scanner.know(*lines[1:3])
    (deployment.home / "tls.pem").write_bytes(certificate)
    file = deployment.home / "tls.key"
    file.write_bytes(b"\n".join(lines[:2] + lines[-1:]) if state == "malformed" else key)
    file.chmod(0o644 if state == "readable by others" else 0o600)
    settings = yaml.safe_load(deployment.config.read_text())
    settings["listeners"]["agents"]["tls"] = {"cert": "tls.pem", "key": "tls.key"}
    deployment.config.write_text(yaml.safe_dump(settings))
    for words in (["serve", "--debug"], ["doctor", "--json"]):
        ran = deployment.run(*words)
        assert ran.returncode != 0
        assert "pass phrase:" not in ran.stdout + ran.stderr
        assert scanner.leaks({words[0]: (ran.stdout + ran.stderr).encode()}) == []
