"""A deployment under attack: `keyturn serve` in its own process, its people and its programs."""

import json
import re
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from subprocess import Popen
from typing import Any

import yaml

from tests.cli.deployments import START_WITHIN_S, Deployment, free_ports
from tests.cli.test_stopping import notes
from tests.hostile.wire import Answer, Door
from tests.web.dom import Node, Parser
from tests.web.seat import fields, said

AUDIENCE = "https://pay.example"
ELSEWHERE = "https://elsewhere.example"
PAYMENTS = {
    "type": "release",
    "audience": AUDIENCE,
    "verbs": {
        "payment.send": {
            "summary": "Send a payment",
            "kind": "write",
            "resources": ["account:*"],
            "params": {"type": "object", "properties": {"to": {"type": "string"}}},
            "seen_by": {"reach": "private", "who": "The payee sees this"},
            "say": {"effect": "Send a payment"},
        }
    },
}
POLICY = f"""
version: 1
rules:
  - id: notes
    verbs: [notes.add]
    effect: {{hold: {{mode: confirm, expires: 1h, use_by: 30m}}}}
  - id: payments
    verbs: [payment.send]
    effect: {{allow: {{release: ["{AUDIENCE}"]}}}}
"""
_FAULT = re.compile(r"^\S+ (error|critical):|Traceback", re.MULTILINE)
_keys = count(1)


class Target:
    """Where notes are written; ``written`` is what reached it."""

    def __init__(self) -> None:
        self.written: list[str] = []
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                target.written.append(body["text"])
                self.send_response(201)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @contextmanager
    def listening(self) -> Iterator[str]:
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{self.server.server_port}"
        finally:
            self.server.shutdown()
            self.server.server_close()
            thread.join()


@dataclass(frozen=True, slots=True)
class Program:
    """An agent or a resource server, with its token."""

    id: str
    token: str


@dataclass(frozen=True, slots=True)
class Someone:
    """A person, with the session of their browser."""

    id: str
    session: str


@dataclass(slots=True, kw_only=True)
class Scene:
    """``printed`` is what the bot says while it runs, line by line."""

    deployment: Deployment
    target: Target
    process: Popen[str]
    printed: list[str]
    agents: Door
    people: Door
    admin: Door
    operator: Door

    @property
    def doors(self) -> Mapping[str, Door]:
        return {"agents": self.agents, "people": self.people, "admin": self.admin}

    def manage(self, method: str, path: str, body: object = None) -> Any:
        """Return what the operator is answered."""
        answer = self.operator.ask(method, f"/v1/admin/{path}", body=body)
        assert answer.status in {200, 201}, answer.body
        return answer.json

    def person(self, handle: str, *roles: str) -> Someone:
        body = {"handle": handle, "display_name": handle.title(), "roles": roles}
        person = self.manage("POST", "people", body)["id"]
        link = self.manage("POST", f"people/{person}/sign-in-link", {})["url"]
        code = link.partition("#")[2]
        entered = self.people.ask("POST", "/signin", form={"code": code, "then": "/"})
        assert entered.status == 303, entered.body
        session = entered.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
        return Someone(person, session)

    def agent(self, name: str, *principals: Someone, verbs: Sequence[str] = ("*",)) -> Program:
        body = {
            "name": name,
            "owner": principals[0].id,
            "purpose": "Plays its part",
            "principals": [person.id for person in principals],
            "verbs": verbs,
        }
        made = self.manage("POST", "agents", body)
        return Program(made["id"], made["token"])

    def resource_server(self, name: str, audience: str) -> Program:
        made = self.manage("POST", "resource-servers", {"name": name, "audience": audience})
        return Program(made["id"], made["token"])

    def admin_token(self, handle: str) -> str:
        return str(self.manage("POST", f"people/{handle}/admin-token")["token"])

    def propose(
        self, agent: Program, body: object = None, *, key: str | None = None, **more: Any
    ) -> Answer:
        """Submit *body*, by default a plain note with *more* fields, under a new key."""
        headers = {"Idempotency-Key": f"key-{next(_keys)}" if key is None else key}
        return self.agents.ask(
            *("POST", "/v1/proposals"),
            token=agent.token,
            headers=headers,
            body=note(**more) if body is None else body,
        )

    def pay(self, agent: Program, *, on_behalf_of: str) -> Any:
        action = {"verb": "payment.send", "resource": "account:1", "params": {"to": "acme"}}
        body = {"action": action, "mode": "release", "audience": AUDIENCE}
        proposed = self.propose(agent, {**body, "on_behalf_of": on_behalf_of})
        assert proposed.status == 202, proposed.body
        return proposed.json

    def grant(self, agent: Program, proposal: str) -> Any:
        taken = self.agents.ask("POST", f"/v1/proposals/{proposal}/grant", token=agent.token)
        assert taken.status == 200, taken.body
        return taken.json

    def page(self, someone: Someone, path: str) -> Node:
        answer = self.people.ask("GET", path, cookie=someone.session)
        assert answer.status == 200, f"{path}: {answer.status} {answer.body[:500]!r}"
        return Parser.parse(answer.body.decode())

    def card(self, someone: Someone, proposal: str) -> dict[str, str]:
        """Return the form behind the buttons of the card."""
        path = f"/proposals/{proposal}"
        return fields(self.page(someone, path).all("form", action=f"{path}/press")[0])

    def press(
        self, someone: Someone, proposal: str, form: Mapping[str, str], button: str = "approve"
    ) -> str:
        """Press *button* as *someone*; return what the page that follows says."""
        answer = self.people.ask(
            "POST",
            f"/proposals/{proposal}/press",
            cookie=someone.session,
            form={**form, "button": button},
        )
        if answer.status != 303:
            return said(Parser.parse(answer.body.decode()))
        return said(self.page(someone, answer.headers["Location"]))

    def state(self, proposal: str) -> Any:
        """Return everything that is kept about *proposal*."""
        return self.manage("GET", f"proposals/{proposal}")

    def entries(self, start: int = 0) -> list[dict[str, Any]]:
        """Return the log from the entry *start* on."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.manage("GET", f"log?start={start}")
            found += [json.loads(entry["body"]) for entry in page["entries"]]
            if page["next"] is None:
                return found
            start = page["next"]

    def memory_kib(self) -> int:
        """Return how much memory the bot holds now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def verified(self, folder: Path, *, known: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the entries of the exported log, once a stranger has verified it.

        *known* is a checkpoint that the stranger kept from earlier.
        """
        file, earlier = folder / "log.jsonl", folder / "earlier.txt"
        earlier.write_text(known["note"])
        self.deployment.done("audit", "export", str(file))
        keys = [word for key in known["keys"] for word in ("--vkey", key)]
        self.deployment.done("audit", "verify", str(file), "--checkpoint", str(earlier), *keys)
        lines = file.read_bytes().splitlines()[1:]
        return [json.loads(json.loads(line)["body"]) for line in lines]


def note(
    text: str = "hello", *, resource: str = "notes:x", verb: str = "notes.add", **more: Any
) -> dict[str, Any]:
    return {"action": {"verb": verb, "resource": resource, "params": {"text": text}}, **more}


@contextmanager
def playing(folder: Path, *, caps: Mapping[str, int] | None = None) -> Iterator[Scene]:
    """Run a deployment with people's, agents' and admin listeners on free ports."""
    target = Target()
    with target.listening() as target_url:
        deployment = Deployment(folder / "keyturn-data", {})
        deployment.done("init")
        ports = dict(zip(("agents", "people", "admin"), free_ports(3), strict=True))
        deployment.ports = ports
        settings = yaml.safe_load(deployment.config.read_text())
        settings |= {
            "public_url": f"http://127.0.0.1:{ports['people']}",
            "listeners": {n: {"host": "127.0.0.1", "port": port} for n, port in ports.items()},
            "connectors": {"notes": notes(target_url), "payments": PAYMENTS},
            "caps": dict(caps or {}),
        }
        deployment.config.write_text(yaml.safe_dump(settings))
        (deployment.home / "policy.yaml").write_text(POLICY)
        process, lines = deployment.start()
        assert process.stdout is not None
        # Whatever it says is taken from it: a full pipe would stop it.
        listening = threading.Thread(target=_read, args=(process.stdout, lines))
        listening.start()
        origin = {"Origin": str(settings["public_url"])}
        try:
            yield Scene(
                deployment=deployment,
                target=target,
                process=process,
                printed=lines,
                agents=Door(ports["agents"]),
                people=Door(ports["people"], headers=origin),
                admin=Door(ports["admin"]),
                operator=Door(socket=deployment.home / "admin.sock"),
            )
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=START_WITHIN_S)
            listening.join()
            process.stdout.close()
    assert process.returncode == 0, "\n".join(lines[-50:])
    assert not faults(lines), "\n".join(faults(lines))


def faults(printed: Sequence[str]) -> list[str]:
    """Return the first line of *printed* that no attack may cause, with what follows."""
    found = [at for at, line in enumerate(printed) if _FAULT.search(line)]
    return list(printed[found[0] : found[0] + 60]) if found else []


def _read(stream: Iterator[str], into: list[str]) -> None:
    into.extend(line.rstrip("\n") for line in stream)
