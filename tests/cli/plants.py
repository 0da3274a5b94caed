"""What can be wrong with a deployment, each planted in one of its own."""

import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.cli.deployments import Deployment, free_ports

CONNECTOR = """\
connectors:
  tickets:
    type: http
    base_url: {base_url}
    allow_private: {allow_private}
    credential: {{reference: "{reference}", send: bearer}}
    verbs:
      tickets.comment:
        summary: Add a comment to a ticket
        kind: write
        resource: tickets:{{ticket}}
        params:
          type: object
          additionalProperties: false
          required: [text]
          properties: {{text: {{type: string, minLength: 1, maxLength: 2000}}}}
        request: {{method: POST, path: "/{{resource.ticket}}", body: {{text: "{{params.text}}"}}}}
        audience: {{reach: organisation, who: Everybody}}
        say: {{effect: Comment, reversible: "No"}}
"""
SMTP = """\
connectors:
  mail:
    type: smtp
    allow_private: true
    host: 127.0.0.1
    port: {port}
    security: none
    from: [bot@acme-corp.net]
    own_domains: [acme-corp.net]
"""
RULE = "version: 1\nrules:\n  - id: a\n    verbs: [{verbs}]\n    effect: {effect}\n"
TWO_OF_SECURITY = '{hold: {mode: four_eyes, approvers: ["group:security"], count: 2}}'


def replace(deployment: Deployment, old: str, new: str) -> None:
    text = deployment.config.read_text()
    assert old in text
    deployment.config.write_text(text.replace(old, new, 1))


def connector(
    deployment: Deployment,
    *,
    base_url: str = "http://127.0.0.1:9",
    allow_private: str = "true",
    reference: str = "env:TICKETS_TOKEN",
) -> None:
    deployment.environment["TICKETS_TOKEN"] = "t-4711-tickets-4711"
    section = CONNECTOR.format(base_url=base_url, allow_private=allow_private, reference=reference)
    text = deployment.config.read_text()
    deployment.config.write_text(text[: text.index("connectors: {}")] + section)


def policy(deployment: Deployment, *, verbs: str = '"*"', effect: str = "{hold: {}}") -> None:
    (deployment.home / "policy.yaml").write_text(RULE.format(verbs=verbs, effect=effect))


def certificate(deployment: Deployment, *, names: list[str], ends_in_days: float) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    ends = datetime.now(UTC) + timedelta(days=ends_in_days)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=90))
        .not_valid_after(ends)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (deployment.home / "tls.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = deployment.home / "tls.key"
    private.touch(0o600)
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    port = deployment.ports["people"]
    replace(
        deployment,
        f"people: {{host: 127.0.0.1, port: {port}}}",
        f"people: {{host: 127.0.0.1, port: {port}, tls: {{cert: tls.pem, key: tls.key}}}}",
    )
    deployment.set("public_url", f"https://localhost:{port}")


def registered(deployment: Deployment) -> None:
    deployment.done("person", "create", "dana", "--role", "admin")
    deployment.done(
        *("agent", "create", "writer", "--owner", "dana", "--purpose", "Writes"),
        *("--for", "dana", "--verb", "*"),
    )


@dataclass(frozen=True)
class Plant:
    """``says`` and ``remedy`` are parts of what has to be told about ``setting``."""

    do: Callable[[Deployment], object]
    setting: str
    says: str
    remedy: str
    status: str = "fail"


def key(name: str, change: Callable[[Path], object]) -> Callable[[Deployment], object]:
    return lambda deployment: change(deployment.home / "keys" / name)


def clock_is_behind(deployment: Deployment) -> None:
    registered(deployment)
    later = time.time() + 9000
    os.utime(deployment.home / "keyturn.sqlite3", (later, later))


def database_is_behind(deployment: Deployment) -> None:
    registered(deployment)
    kept = {file: file.read_bytes() for file in deployment.home.glob("keyturn.sqlite3*")}
    deployment.done("person", "create", "sam")
    for file in deployment.home.glob("keyturn.sqlite3*"):
        file.unlink()
    for file, content in kept.items():
        file.write_bytes(content)


def database_is_newer(deployment: Deployment) -> None:
    registered(deployment)
    connection = sqlite3.connect(deployment.home / "keyturn.sqlite3")
    connection.execute("PRAGMA user_version = 99")
    connection.commit()
    connection.close()


def database_is_damaged(deployment: Deployment) -> None:
    registered(deployment)
    with (deployment.home / "keyturn.sqlite3").open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 4)


def quorum_is_out_of_reach(deployment: Deployment) -> None:
    registered(deployment)
    (deployment.home / "groups.yaml").write_text("groups: {security: [dana]}\n")
    policy(deployment, effect=TWO_OF_SECURITY)


def owner_has_left(deployment: Deployment) -> None:
    registered(deployment)
    deployment.done("person", "deactivate", "dana")


def webhook_is_private_no_longer(deployment: Deployment) -> None:
    replace(deployment, "log:", "webhooks: {private_hosts: [localhost]}\nlog:")
    registered(deployment)
    deployment.done("agent", "webhook", "writer", "--url", "http://localhost:9/news")
    replace(deployment, "webhooks: {private_hosts: [localhost]}\n", "")


def webhook_is_down(deployment: Deployment) -> None:
    replace(deployment, "log:", "webhooks: {private_hosts: [localhost]}\nlog:")
    registered(deployment)
    (port,) = free_ports(1)
    deployment.done("agent", "webhook", "writer", "--url", f"http://localhost:{port}/news")


def log_state_cannot_be_replaced(deployment: Deployment) -> None:
    registered(deployment)
    (deployment.home / "log-state.json.new").mkdir()


PLANTS = {
    "a key that others may read": Plant(
        key("shelf.key", lambda file: file.chmod(0o644)),
        "data_dir",
        "shelf.key may be read by others",
        "chmod 600",
    ),
    "a key that is gone": Plant(
        key("log.key", Path.unlink), "data_dir", "log.key is not there", "Put it back"
    ),
    "an example key": Plant(
        key("shelf.key", lambda file: file.write_text("00" * 32 + "\n")),
        "data_dir",
        "shelf.key holds an example key",
        "delete it",
    ),
    "a key that is none": Plant(
        key("grant-1.key", lambda file: file.write_text("changeme\n")),
        "data_dir",
        "grant-1.key does not hold 32 bytes",
        "Grants",
    ),
    "data that others may read": Plant(
        lambda d: d.home.chmod(0o755), "data_dir", "open to others", "chmod 700"
    ),
    "data nowhere": Plant(
        lambda d: d.set("data_dir", "nowhere"), "data_dir", "no such file", "mkdir"
    ),
    "no policy": Plant(
        lambda d: (d.home / "policy.yaml").unlink(),
        "policy",
        "policy.yaml cannot be read (no such file or directory)",
        "Put a policy file there",
    ),
    "a policy with a wrong key": Plant(
        lambda d: (d.home / "policy.yaml").write_text("version: 1\nrulez: []\n"),
        "policy",
        "unknown key rulez",
        "Correct it",
    ),
    "a policy that anybody may change": Plant(
        lambda d: (d.home / "policy.yaml").chmod(0o666),
        "policy",
        "may be changed by others",
        "chmod go-w",
    ),
    "a verb that no rule mentions": Plant(
        lambda d: (connector(d), policy(d, verbs='"mail.*"')),
        "policy",
        "no rule is about tickets.comment",
        "Add a rule",
        "warn",
    ),
    "a group that is not there": Plant(
        lambda d: policy(d, effect=TWO_OF_SECURITY),
        "policy",
        "the group security is not known",
        "add the group",
    ),
    "a quorum that cannot be reached": Plant(
        quorum_is_out_of_reach, "policy", "the quorum cannot be reached", "Lower count"
    ),
    "somebody unknown in a group": Plant(
        lambda d: (d.home / "groups.yaml").write_text("groups: {security: [dnaa]}\n"),
        "groups",
        "dnaa",
        "Correct the file",
        "warn",
    ),
    "a chat that is not installed": Plant(
        lambda d: replace(d, "  web: {}\n", "  web: {}\n  pager: {}\n"),
        "chats.pager",
        "nothing installed is called pager",
        "install",
    ),
    "no chat": Plant(
        lambda d: replace(d, "chats:\n  web: {}\n", "chats: {}\n"),
        "chats",
        "nobody can be asked",
        "web",
    ),
    "a credential that is not there": Plant(
        lambda d: connector(d, reference="env:OTHER_TOKEN"),
        "connectors.tickets.credential",
        "OTHER_TOKEN is not set",
        "Set it",
    ),
    "a credential's file that is not there": Plant(
        lambda d: connector(d, reference="file:tickets.key"),
        "connectors.tickets.credential",
        "tickets.key cannot be read",
        "Create it",
    ),
    "a credential in the settings": Plant(
        lambda d: connector(d, reference="t-4711-tickets"),
        "connectors.tickets.credential",
        "where a reference belongs",
        "env:NAME",
    ),
    "a private address that is not declared": Plant(
        lambda d: connector(d, base_url="https://localhost:9", allow_private="false"),
        "connectors.tickets.allow_private",
        "localhost leads to",
        "Set it to true",
    ),
    "a target that does not answer": Plant(
        lambda d: connector(d, base_url=f"http://127.0.0.1:{free_ports(1)[0]}"),
        "connectors.tickets.base_url",
        "does not answer",
        "correct the address",
        "warn",
    ),
    "a mail server that does not answer": Plant(
        lambda d: replace(d, "connectors: {}", SMTP.format(port=free_ports(1)[0])),
        "connectors.mail.host",
        "does not answer",
        "correct the address",
        "warn",
    ),
    "a connector of no kind": Plant(
        lambda d: replace(d, "connectors: {}", "connectors: {tickets: {type: telnet}}"),
        "connectors.tickets.type",
        "nothing installed is called telnet",
        "http",
    ),
    "an unknown setting": Plant(
        lambda d: replace(d, "chats:", "chatz:"), "chatz", "is not a setting", "Write chats"
    ),
    "an unknown setting in a section": Plant(
        lambda d: replace(d, "pending_per_agent", "pending_per_agnt"),
        "caps.pending_per_agnt",
        "is not a setting",
        "pending_per_agent",
    ),
    "links to another port": Plant(
        lambda d: d.set("public_url", "http://127.0.0.1:1"),
        "public_url",
        "links lead to port 1",
        "listeners.people",
    ),
    "links in the clear": Plant(
        lambda d: d.set("public_url", "http://keyturn.acme-corp.net"),
        "public_url",
        "in the clear",
        "https://",
    ),
    "links to a name that nobody knows": Plant(
        lambda d: d.set("public_url", "https://keyturn.invalid"),
        "public_url",
        "keyturn.invalid is not known",
        "correct it",
        "warn",
    ),
    "https that nobody speaks": Plant(
        lambda d: d.set("public_url", "https://keyturn.invalid"),
        "trusted_proxies",
        "neither the inbox nor a named proxy",
        "Name the proxy",
        "warn",
    ),
    "everybody as a proxy": Plant(
        lambda d: d.set("trusted_proxies", '["0.0.0.0/0"]'),
        "trusted_proxies",
        "everybody",
        "your proxies alone",
        "warn",
    ),
    "a certificate that has expired": Plant(
        lambda d: certificate(d, names=["localhost"], ends_in_days=-2),
        "listeners.people.tls.cert",
        "it expired on",
        "renewed",
    ),
    "a certificate that will expire": Plant(
        lambda d: certificate(d, names=["localhost"], ends_in_days=5),
        "listeners.people.tls.cert",
        "it expires on",
        "Renew it",
        "warn",
    ),
    "a certificate for another name": Plant(
        lambda d: certificate(d, names=["keyturn.acme-corp.net"], ends_in_days=60),
        "public_url",
        "localhost is not a name of tls.pem",
        "Write a name",
    ),
    "a clock that is behind": Plant(clock_is_behind, "the clock", "behind", "NTP"),
    "a log state that is gone": Plant(
        lambda d: (registered(d), (d.home / "log-state.json").unlink()),
        "data_dir",
        "log-state.json is not there",
        "keyturn restore",
    ),
    "a log state that is damaged": Plant(
        lambda d: (registered(d), (d.home / "log-state.json").write_text("{")),
        "data_dir",
        "log-state.json is damaged",
        "keyturn restore",
    ),
    "a log state that cannot be replaced": Plant(
        log_state_cannot_be_replaced, "data_dir", "cannot be replaced", "remove log-state.json.new"
    ),
    "an older database put back": Plant(
        database_is_behind, "store", "The database is behind", "keyturn restore"
    ),
    "a database of a newer Keyturn": Plant(
        database_is_newer, "store", "schema is version 99", "Install the newer Keyturn"
    ),
    "a damaged database": Plant(
        database_is_damaged, "store", "keyturn.sqlite3 is damaged", "keyturn restore"
    ),
    "an agent whose owner has left": Plant(
        owner_has_left, "agents", "owner is not active", "keyturn agent revoke writer", "warn"
    ),
    "a webhook that became private": Plant(
        webhook_is_private_no_longer,
        "webhooks.private_hosts",
        "not a public address",
        "Add localhost",
    ),
    "a webhook that does not answer": Plant(
        webhook_is_down, "agents", "webhook: localhost does not answer", "--url URL", "warn"
    ),
    "a socket's path that is too long": Plant(
        lambda d: replace(d, "socket: admin.sock", f"socket: {'deep/' * 24}admin.sock"),
        "listeners.admin.socket",
        "too long for a socket",
        "shorter",
    ),
    "an admin port for everybody": Plant(
        lambda d: replace(
            d,
            "admin: {socket: admin.sock}\n",
            "admin: {socket: admin.sock, host: 0.0.0.0, port: 8999}\n",
        ),
        "listeners.admin.tls",
        "in the clear",
        "127.0.0.1",
    ),
    "settings that are not YAML": Plant(
        lambda d: d.config.write_text("\tdeployment: [}\n"), "settings", "line 1", "Correct"
    ),
}
