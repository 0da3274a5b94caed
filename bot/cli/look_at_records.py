"""What `keyturn doctor` asks the bot itself: people, agents, groups, policy, halts."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from adapters.file.directory import FileDirectory
from bot.cli.admin import Admin
from bot.cli.findings import Finding, fail, ok, warn
from bot.cli.look_at_network import addresses_of, answers
from bot.core.ids import PersonId
from bot.core.ip_address import why_refused
from bot.core.policy_file import parse_policy
from bot.settings import Settings


async def about_records(api: Admin) -> AsyncIterator[Finding]:
    people = (await api.get("people"))["people"]
    agents = (await api.get("agents"))["agents"]
    for finding in (*_people(people), *_agents(agents, people)):
        yield finding
    for agent in agents:
        if agent["active"] and agent["webhook"] is not None:
            yield await _webhook(agent["name"], agent["webhook"], api.settings)
    async for finding in _groups(api, people):
        yield finding
    async for finding in _policy(api):
        yield finding
    halts = (await api.get("halts", active="true"))["halts"]
    if halts:
        yield warn("halts", f"{len(halts)} in force", "keyturn halts says which; keyturn resume.")


def _people(people: list[dict[str, Any]]) -> list[Finding]:
    active = [person for person in people if person["active"]]
    if not active:
        return [warn("people", "nobody is registered", "keyturn person create HANDLE")]
    found = [ok("people", f"{len(active)} registered")]
    if not any("admin" in person["roles"] for person in active):
        found.append(
            warn("people", "nobody has the role admin", "keyturn person roles HANDLE --role admin")
        )
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
            found.append(
                warn(
                    "agents",
                    f"{name}'s owner is not active, so nobody answers for it",
                    f"Register it anew with another --owner, then: keyturn agent revoke {name}",
                )
            )
    return found or [ok("agents", f"{sum(one['active'] for one in agents)} registered")]


async def _webhook(agent: str, webhook: dict[str, Any], settings: Settings) -> Finding:
    url = urlsplit(webhook["url"])
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    again = f"keyturn agent webhook {agent} --url URL"
    if webhook["stopped"] is not None:
        what = f"{agent} is no longer told at {webhook['url']}: {webhook['stopped']}"
        return warn("agents", what, f"Mend what answers there, then: {again}")
    found = await addresses_of(host)
    if not found:
        return warn("agents", f"{agent}'s webhook: {host} is not known to this machine", again)
    may_be_private = host in settings.webhooks.private_hosts
    if any(why_refused(address, allow_private=may_be_private) for address in found):
        return fail(
            "webhooks.private_hosts",
            f"{agent} is to be told at {host}, which is not a public address",
            f"Add {host} if that is meant; else {again}",
        )
    if not await answers(host, port):
        return warn("agents", f"{agent}'s webhook: {host} does not answer on port {port}", again)
    return ok("agents", f"{agent} is told at {webhook['url']}")


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
    rules = parse_policy(text).rules
    for verb in (await api.get("verbs"))["verbs"]:
        if not any(rule.verbs.match(verb["name"]) for rule in rules):
            yield warn(
                "policy",
                f"no rule is about {verb['name']}, so nobody can have it done",
                "Add a rule for it, or remove the verb from its connector.",
            )
    in_force = await api.get("policy")
    if in_force["text"] != text:
        yield warn("policy", "the file is not what is in force", "keyturn policy reload")
