"""The policy, for admins and auditors: what is in force, what a text or a question comes to."""

from collections.abc import Sequence
from typing import assert_never

from aiohttp import web

from bot.core.errors import PolicyInvalid
from bot.core.policy import Allow, Deny, Hold, Policy, Question, Verdict, explain
from bot.core.policy_file import parse_policy
from bot.core.policy_lint import Severity, check_policy
from bot.http.admin_api import API, AdminApi
from bot.http.admin_bodies import PolicyTextBody, QuestionBody
from bot.http.admin_proposals import approval_value
from bot.http.answers import answer
from bot.http.auth import AdminCaller
from bot.http.bodies import read_model
from bot.http.problems import PolicyNotLoaded
from bot.service.submit import principal_of


async def read_policy(request: web.Request, _: AdminCaller) -> web.Response:
    return answer(_policy(request.app[API].gate.policies.current))


async def check_policy_text(request: web.Request, _: AdminCaller) -> web.Response:
    gate = request.app[API].gate
    body = await read_model(request, PolicyTextBody)
    try:
        policy = parse_policy(body.text)
    except PolicyInvalid as error:
        return answer(
            {"loads": False, "problems": [_broken(problem) for problem in error.problems]}
        )
    groups = await gate.directory.members(_groups(policy))
    found = check_policy(policy, verbs=gate.connectors.verbs, groups=groups)
    return answer(
        {
            "loads": True,
            "problems": [
                {
                    "severity": problem.severity.value,
                    "rule": problem.rule,
                    "line": problem.line,
                    "message": problem.message,
                    "remedy": problem.remedy,
                }
                for problem in found
            ],
        }
    )


async def explain_policy(request: web.Request, _: AdminCaller) -> web.Response:
    api = request.app[API]
    body = await read_model(request, QuestionBody)
    explanation = explain(api.gate.policies.current, await _question(api, body))
    return answer(
        {
            **_verdict(explanation.verdict),
            "rules": [
                {
                    "id": told.rule.id,
                    "line": told.rule.line,
                    "match": told.match.value,
                    "counted": told.counted,
                    "why_not": told.why_not,
                }
                for told in explanation.rules
            ],
        }
    )


async def reload_policy(request: web.Request, _: AdminCaller) -> web.Response:
    api = request.app[API]
    await api.reload.check()
    if api.reload.problems:
        raise PolicyNotLoaded(api.reload.problems)
    return answer(_policy(api.gate.policies.current))


async def list_all_verbs(request: web.Request, _: AdminCaller) -> web.Response:
    verbs = request.app[API].gate.connectors.verbs
    return answer(
        {
            "verbs": [
                {
                    "name": verb.name,
                    "connector": verb.connector,
                    "kind": verb.kind.value,
                    "summary": verb.summary,
                    "resources": list(verb.resources),
                    "params_schema": dict(verb.params_schema),
                    "idempotent": verb.idempotent,
                    "can_look_up": verb.can_look_up,
                    "settles_after_s": verb.settles_after_s,
                    "config_digest": verb.config_digest,
                }
                for _, verb in sorted(verbs.items())
            ]
        }
    )


async def _question(api: AdminApi, body: QuestionBody) -> Question:
    agent = await api.agents.get(body.agent)
    asked = None if body.on_behalf_of is None else (await api.people.get(body.on_behalf_of)).id
    return Question(
        agent=agent.name,
        agent_id=agent.id,
        principal=principal_of(agent, asked),
        verb=body.verb,
        resource=body.resource,
        kind=api.gate.connectors.verb(body.verb).kind,
        params=body.params,
    )


def _policy(policy: Policy) -> dict[str, object]:
    return {"digest": policy.digest, "text": policy.text, "rules": len(policy.rules)}


def _groups(policy: Policy) -> frozenset[str]:
    return frozenset(
        group
        for rule in policy.rules
        if isinstance(rule.effect, Hold)
        for group in rule.effect.approval.groups()
    )


def _broken(problem: str) -> dict[str, object]:
    return {
        "severity": Severity.ERROR.value,
        "rule": None,
        "line": None,
        "message": problem,
        "remedy": "Correct it: a policy with it does not load.",
    }


def _verdict(verdict: Verdict) -> dict[str, object]:
    match verdict:
        case Allow(release=release):
            return _word("allow", release=release)
        case Hold(approval=approval, release=release):
            return _word("hold", approval=approval_value(approval), release=release)
        case Deny(reason=reason):
            return _word("deny", reason=reason)
        case _:
            assert_never(verdict)


def _word(
    verdict: str,
    *,
    reason: str | None = None,
    approval: dict[str, object] | None = None,
    release: Sequence[str] = (),
) -> dict[str, object]:
    return {
        "verdict": verdict,
        "reason": reason,
        "approval": approval,
        "release": list(release),
    }
