"""What agents, people, admins and targets do with secrets in the trial."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from tests.secrets.canaries import KINDS, canary
from tests.secrets.trial import Trial

PLAIN: dict[str, Any] = {
    "action": {"verb": "github.write", "resource": "thing:ok200", "params": {"text": "hello"}}
}
#: Where an agent can put a secret into a proposal; each returns the place that is named.
PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "/action/params/text": lambda s: _with(params={"text": s}),
    "/action/params/text/a/1/b": lambda s: _with(params={"text": {"a": [0, {"b": s}]}}),
    "/action/params/text/*": lambda s: _with(params={"text": {s: 1}}),
    "/action/resource": lambda s: _with(resource=f"thing:{s}"),
    "/action/verb": lambda s: _with(verb=s[:200]),
    "/rationale/why": lambda s: {**PLAIN, "rationale": {"why": f"Because {s}"}},
    "/rationale/expects": lambda s: {**PLAIN, "rationale": {"expects": s}},
    "/rationale/read/0/ref": lambda s: {**PLAIN, "rationale": {"read": [{"ref": s}]}},
    "/correlation": lambda s: {**PLAIN, "correlation": s},
}
MODES = ("ok200", "no422", "no401", "err500", "go307", "unread500", "unread403", "gone404")
SLOW = ("hang1", "reset1")
REASON = "reason"


def _with(**changes: Any) -> dict[str, Any]:
    return {"action": {**PLAIN["action"], **changes}}


def act(trial: Trial) -> None:
    with ThreadPoolExecutor(8) as many:
        calls = [
            many.submit(trial.propose, f"{kind}.write", f"thing:{mode}")
            for kind in trial.credentials
            for mode in MODES
        ]
        calls += [many.submit(trial.propose, "github.write", f"thing:{mode}") for mode in SLOW]
        for call in calls:
            call.result()
    _as_an_agent(trial)
    _as_an_admin(trial)
    _as_a_person(trial)
    _by_commands(trial)


def _as_an_agent(trial: Trial) -> None:
    held = trial.propose("github.write", "held:ok200").json["id"]
    trial.propose("github.write", "never:ok200")
    for kind in KINDS:
        secret = canary(kind).value
        plain = "".join(char for char in secret if 0x20 < ord(char) < 0x7F)
        path = quote(plain, safe="")
        trial.as_agent("GET", "/v1/whoami", token=plain)
        trial.ask("agents", "GET", "/v1/whoami", headers={"Authorization": plain})
        trial.ask("agents", "GET", "/v1/whoami", headers={"Cookie": f"keyturn={plain}"})
        trial.as_agent("GET", f"/v1/{path}")
        trial.as_agent("DELETE", f"/v1/proposals/{path}")
        trial.as_agent("GET", f"/v1/proposals?state={path}&cursor={path}&limit={path}")
        trial.as_agent("POST", f"/v1/proposals?dry_run={path}", PLAIN)
        trial.as_agent("POST", "/v1/proposals", PLAIN, Prefer=f"wait={plain}")
        trial.as_agent("POST", "/v1/proposals", {**PLAIN, secret: 1})
        trial.as_agent("POST", "/v1/proposals", {**PLAIN, "on_behalf_of": secret})
        trial.as_agent("POST", f"/v1/proposals/{held}/withdraw", {"reason": secret})
        trial.as_agent("POST", f"/v1/proposals/{held}/outcome", {"result": secret})
        trial.as_agent(
            "POST", f"/v1/proposals/{held}/outcome", {"result": "succeeded", "detail": secret}
        )


def _as_an_admin(trial: Trial) -> None:
    agent: dict[str, Any] = {"name": "other", "owner": "dana", "purpose": "To try"}
    for kind in KINDS:
        secret = canary(kind).value
        path = quote(secret, safe="")
        for name in ("name", "owner", "purpose"):
            trial.as_admin("POST", "agents", {**agent, name: secret})
        trial.as_admin("POST", "agents", {**agent, "verbs": [secret]})
        trial.as_admin("GET", f"agents/{path}")
        trial.as_admin("POST", f"keys/{path}/rotate", {})
        trial.as_admin("POST", "people", {"handle": "x", "display_name": secret})
        trial.as_admin("POST", "people", {"handle": secret, "display_name": "x"})
        trial.as_admin("POST", "halts", {"scope": "connector", "connector": "x", REASON: secret})
        trial.as_admin("POST", "agents/trier/revoke", {REASON: secret})
        trial.as_admin("GET", f"proposals?agent={path}")


def _as_a_person(trial: Trial) -> None:
    held = trial.propose("github.write", "held:ok200").json["id"]
    page = trial.as_person(f"/proposals/{held}").body.decode()
    form = _hidden(page, "form")
    digest = _hidden(page, "digest")
    for kind in KINDS:
        secret = canary(kind).value
        for button in ("approve", "reject"):
            trial.as_person(
                f"/proposals/{held}",
                {"form": form, "digest": digest, "button": button, "note": secret},
            )
        trial.as_person("/stop", {"form": form, "scope": "all", REASON: secret})
        trial.as_person("/signin", {"code": secret, "then": f"/{secret}"})
        trial.as_person(f"/signin?then=/{quote(secret, safe='')}")
        trial.as_person(f"/?said={quote(secret, safe='')}")
        trial.as_person("/signout", {"form": "0" * 64, secret: "1"})
    for page in ("/", f"/proposals/{held}", f"/proposals/{held}/full"):
        trial.as_person(page)


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([0-9a-f]+)"', page)
    assert found is not None, page
    return found[1]


def _by_commands(trial: Trial) -> None:
    for words in (
        ("proposals", "list", "--json"),
        ("agent", "list"),
        ("person", "list"),
        ("keys", "list"),
        ("doctor", "--json"),
        ("policy", "check"),
    ):
        trial.command(*words)
    for kind in ("grant", "log", "shelf"):
        assert trial.command("keys", "rotate", kind).returncode == 0
    # An error that nobody foresaw, with a traceback.
    in_the_way = trial.deployment.home / "keys" / "shelf.key.new"
    in_the_way.mkdir()
    assert trial.as_admin("POST", "keys/shelf/rotate", {}).status == 500
    in_the_way.rmdir()
