"""Whoever starts Keyturn for the first time: registered, with an agent and a way in."""

import getpass
import pwd
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.cli.admin import Admin
from bot.cli.first_files import write_private

SAMPLE_AGENT = "sample-agent"
SAMPLE_VERB = "forum.comment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """``sign_in_url`` works once. ``token_file`` is None where there is nothing to try."""

    handle: str
    sign_in_url: str
    forum: str | None
    token_file: Path | None


async def welcome(api: Admin, *, forum: str | None) -> Newcomer | None:
    """Register the user of this machine as an admin, and a sample agent that acts for them.

    Whoever and whatever exists is left as it is. None when nobody active is registered.
    """
    person = await _person(api)
    if person is None:
        return None
    verbs = await api.get("verbs")
    has_sample = any(verb["name"] == SAMPLE_VERB for verb in verbs["verbs"])
    token_file = await _sample_agent(api, person["id"]) if has_sample else None
    link = await api.post("people", person["id"], "sign-in-link")
    return Newcomer(
        handle=person["handle"],
        sign_in_url=link["url"],
        forum=forum,
        token_file=token_file,
    )


async def _person(api: Admin) -> dict[str, Any] | None:
    handle = handle_of_user()
    found = (await api.get("people"))["people"]
    active = [person for person in found if person["active"]]
    if not found:
        body = {"handle": handle, "display_name": _name_of_user() or handle, "roles": ["admin"]}
        created: dict[str, Any] = await api.post("people", body=body)
        return created
    return next((p for p in active if p["handle"] == handle), active[0] if active else None)


async def _sample_agent(api: Admin, person: str) -> Path | None:
    token_file = api.settings.data_dir / f"{SAMPLE_AGENT}.token"
    agents = (await api.get("agents"))["agents"]
    agent = next((one for one in agents if one["name"] == SAMPLE_AGENT), None)
    if agent is not None and (not agent["active"] or token_file.exists()):
        return token_file if agent["active"] else None
    if agent is None:
        body = {
            "name": SAMPLE_AGENT,
            "owner": person,
            "purpose": "To try Keyturn out",
            "principals": [person],
            "verbs": [SAMPLE_VERB],
        }
        agent = await api.post("agents", body=body)
    else:
        agent = await api.post("agents", SAMPLE_AGENT, "rotate", body={"overlap_s": 0})
    write_private(token_file, f"{agent['token']}\n", replace=True)
    return token_file


def handle_of_user() -> str:
    """Return the name of the operating system's user, as a handle may be spelled."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = ""
    return re.sub(r"[^a-z0-9]+", "-", user.lower()).strip("-")[:64].strip("-") or "operator"


def _name_of_user() -> str:
    try:
        name = pwd.getpwnam(getpass.getuser()).pw_gecos.partition(",")[0].strip()
    except (KeyError, OSError):
        return ""
    return name if name.isprintable() else ""
