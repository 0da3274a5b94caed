from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import typer

from adapters.file.directory import FileDirectory
from bot.cli.admin import Admin, admin, is_answered
from bot.cli.findings import Finding, Status, about_this_machine, fail, ok, warn
from bot.cli.options import Config, Debug, Json
from bot.cli.output import FAILED, as_json, out, plain
from bot.cli.run import run
from bot.core.errors import KeyturnError, RefusesToStart, SettingsInvalid
from bot.core.ids import PersonId
from bot.settings import load

app = typer.Typer(add_completion=False)

_MARKS = {
    Status.OK: "[green]ok  [/]",
    Status.WARN: "[yellow]warn[/]",
    Status.FAIL: "[bold red]fail[/]",
}


@app.command()
def doctor(*, config: Config, json: Json = False, debug: Debug = False) -> None:
    """Look for what is wrong, or will be, and say which setting it is and what to do."""
    found = run(lambda: _all(config), json_wanted=json, debug=debug)
    failed = [one for one in found if one.status is Status.FAIL]
    if json:
        as_json({"findings": [one.plain() for one in found], "healthy": not failed})
    else:
        _show(found)
    if failed:
        raise typer.Exit(FAILED)


async def _all(config: Path) -> list[Finding]:
    try:
        settings = load(config)
    except SettingsInvalid as error:
        return [_from_problem(problem, error) for problem in error.problems or [error.message]]
    found = [ok("settings", f"{config} is understood")]
    running = await is_answered(settings.admin_socket)
    found += [one async for one in about_this_machine(settings, running=running)]
    try:
        async with admin(config) as api:
            found.append(_store(running=running, kind=settings.store.type))
            found += [one async for one in _asked(api)]
    except RefusesToStart as error:
        known = {one.what for one in found}
        found += [
            _from_problem(problem, error)
            for problem in error.problems or [error.message]
            if not any(what in problem for what in known)
        ]
    except KeyturnError as error:
        found.append(fail("listeners.admin.socket", error.message, error.remedy))
    return found


async def _asked(api: Admin) -> AsyncIterator[Finding]:
    people = (await api.get("people"))["people"]
    agents = (await api.get("agents"))["agents"]
    for finding in (*_people(api, people), *_agents(agents, people)):
        yield finding
    async for finding in _groups(api, people):
        yield finding
    async for finding in _policy(api):
        yield finding
    halts = (await api.get("halts", active="true"))["halts"]
    if halts:
        yield warn("halts", f"{len(halts)} in force", "keyturn halts says which; keyturn resume.")


def _store(*, running: bool, kind: str) -> Finding:
    what = "the running bot has it open" if running else "it opens"
    if kind == "memory":
        return warn("store.type", "memory forgets everything at exit", "Write sqlite to keep it.")
    return ok("store.type", f"{kind}: {what}")


def _people(api: Admin, people: list[dict[str, Any]]) -> list[Finding]:
    active = [person for person in people if person["active"]]
    if not active:
        return [warn("people", "nobody is registered", "keyturn person create HANDLE")]
    found = [ok("people", f"{len(active)} registered")]
    if not any("admin" in person["roles"] for person in active):
        found.append(
            warn("people", "nobody has the role admin", "keyturn person roles HANDLE --role admin")
        )
    if not api.settings.chats:
        found.append(fail("chats", "there is none, so nobody can be asked", "Add `web: {}`."))
    return found


def _agents(agents: list[dict[str, Any]], people: list[dict[str, Any]]) -> list[Finding]:
    active_people = {person["id"] for person in people if person["active"]}
    found: list[Finding] = []
    for agent in (one for one in agents if one["active"]):
        name = agent["name"]
        if not active_people.intersection(agent["principals"]):
            found.append(
                warn(
                    "agents",
                    f"{name} acts for nobody active, so it can propose nothing",
                    f"keyturn agent limits {name} --for HANDLE",
                )
            )
        if not agent["verbs"]:
            found.append(
                warn(
                    "agents",
                    f"{name} may propose no verb",
                    f"keyturn agent limits {name} --verb VERB",
                )
            )
        if agent["owner"] not in active_people:
            found.append(warn("agents", f"{name}'s owner is not active", "Register a new agent."))
    return found or [ok("agents", f"{sum(one['active'] for one in agents)} registered")]


async def _groups(api: Admin, people: list[dict[str, Any]]) -> AsyncIterator[Finding]:
    known = {
        ref: PersonId(person["id"])
        for person in people
        if person["active"]
        for ref in (person["id"], person["handle"])
    }

    async def person_of(ref: str) -> PersonId | None:
        return known.get(ref)

    directory = FileDirectory(api.settings.groups, person_of)
    problems = await directory.problems()
    for problem in problems:
        yield warn("groups", problem, "Correct the file: whoever is not found there is left out.")
    if not problems:
        count = len(directory.names())
        yield ok("groups", f"{count} group{'s' if count != 1 else ''}, everybody in them is known")


async def _policy(api: Admin) -> AsyncIterator[Finding]:
    try:
        text = api.settings.policy.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    checked = await api.post("policy", "check", body={"text": text})
    if not checked["loads"]:
        return
    for problem in checked["problems"]:
        make = fail if problem["severity"] == "error" else warn
        line = f"line {problem['line']}: " if problem["line"] else ""
        yield make("policy", f"{line}{problem['message']}", problem["remedy"])
    in_force = await api.get("policy")
    if in_force["text"] != text:
        yield warn("policy", "the file is not what is in force", "keyturn policy reload")


def _from_problem(problem: str, error: RefusesToStart) -> Finding:
    place, colon, what = problem.partition(": ")
    if not colon:
        return fail("settings", problem, error.remedy)
    what, _, remedy = what.partition(". ")
    return fail(place, what.rstrip("."), remedy or error.remedy)


def _show(found: list[Finding]) -> None:
    width = max(len(one.setting) for one in found)
    for one in found:
        pad = " " * (width - len(one.setting))
        out.print(f"{_MARKS[one.status]}  {plain(one.setting)}{pad}  {plain(one.what)}")
        if one.remedy:
            out.print(f"      {' ' * width}  [dim]{plain(one.remedy)}[/]")
    counts = [f"{sum(one.status is status for one in found)} {status.value}" for status in Status]
    out.print(f"\n{', '.join(counts)}")
