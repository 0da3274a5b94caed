"""The reference pages of both APIs and of every error, written from what is served.

``python -m bot.http.reference docs/reference`` writes them; a test compares.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bot.core.errors import RefusesToStart
from bot.http.admin_routes import ADMIN_ROUTES
from bot.http.agent_routes import AGENT_ROUTES
from bot.http.openapi import problems_of
from bot.http.problems import TYPE_PREFIX, every_error
from bot.http.routes import Auth, Parameter, Route, TextAnswer

_WHO = {
    Auth.NOBODY: "anybody",
    Auth.AGENT: "an agent",
    Auth.RESOURCE: "a resource server",
    Auth.REPORTER: "the agent, or the resource server that redeemed the grant",
    Auth.AUDITOR: "an auditor or admin",
    Auth.ADMIN: "an admin",
}

_API_HEAD = """\
# HTTP API

*Written by `python -m bot.http.reference docs/reference` from the routes that are served.*

Keyturn has three listeners. Agents talk to the first, people's browsers and chats to the second,
admins and auditors to the third. The exact schemas are in the OpenAPI 3.1 documents:
`GET /v1/openapi.json` on the agents' listener, `GET /v1/admin/openapi.json` on the admin one.

## What holds everywhere

- **Who you are** is the token in `Authorization: Bearer …`, and nothing else: no cookie, no query
  parameter. An agent's token and a resource server's work on the agents' listener only, an admin
  token on the admin listener only; none does another's work. On the operator's Unix socket no
  token is needed: whoever may open the file is the operator.
- **Bodies** are JSON in UTF-8 with `Content-Type: application/json`, uncompressed, at most 1 MiB.
  Duplicate keys, `NaN`, integers beyond ±(2^53-1), lone surrogates, more than 32 levels and
  unknown fields are refused before anything is kept. So are unknown query parameters.
- **Problems** are `application/problem+json` (RFC 9457) with a stable `code`, a `detail` and a
  `remedy` that says what to do next. `field` is a JSON pointer; `errors` lists every fault of a
  body. All codes are in [errors.md](errors.md).
- **Times** are RFC 3339 in UTC.
- **429 and 503** carry `Retry-After`, in seconds.

## Submitting

```console
$ curl http://127.0.0.1:8700/v1/proposals \\
    -H "Authorization: Bearer $KEYTURN_TOKEN" \\
    -H "Idempotency-Key: run-42-step-7" \\
    -H "Content-Type: application/json" \\
    -H "Prefer: wait=30" \\
    -d '{"action": {"verb": "forum.post", "resource": "forum:eng-help/threads/4711",
                    "params": {"body": "Restart the worker.", "visibility": "public"}},
         "rationale": {"why": "The thread asks for it."}}'
```

- `202`: not final yet. A person has been asked, or Keyturn is carrying it out.
- `200`: final, or a replay of an earlier request with the same key and body
  (`Idempotency-Replayed: true`). A rejection is a `200` with `state: "rejected"` and the
  reason; a rule's refusal is a `200` with `state: "denied"`.
- The same key with another body is `422 idempotency_key_reused`. After a failure, send the same
  key again: it is never done twice.
- `executed` is `true` when the effect happened, `false` when it did not, and `null` while nobody
  can tell. Never repeat an action whose `executed` is `null`.
- `Prefer: wait=N` keeps the request open until the proposal is final, for at most 50 seconds.
  `Preference-Applied` says that it was. Without that header nobody waited: ask again.
- Hanging up while waiting ends the wait, not the proposal.
- `?dry_run=true` says what would happen, keeps nothing and asks nobody.
"""

_ERRORS_HEAD = """\
# Errors

*Written by `python -m bot.http.reference docs/reference` from `bot/core/errors.py` and
`bot/http/problems.py`.*

Every error has a code that never changes its meaning. Over HTTP it is a problem (RFC 9457):

```json
{
  "type": "urn:keyturn:problem:unknown_verb",
  "title": "No connector declares this verb",
  "status": 422,
  "detail": "No connector declares the verb 'forum.pots'.",
  "code": "unknown_verb",
  "remedy": "Ask GET /v1/verbs which verbs this credential may propose.",
  "field": "/action/verb"
}
```

`detail` says what is wrong this time, `remedy` what to do next. Some problems say more: `field`
and `errors` (where in the body), `retry_after_s` (also the header `Retry-After`), `cap` (which cap
is used up), `missing` (what is not ready), `problems` (all that is wrong with a policy) and
`correlation` (leads the operator to the log entry of an unexpected error).

A refusal by a person or a rule is no error: it is a `200` whose `state` says so.
"""

_PEOPLE = """\
## The people's listener

Serves what the chats bring, first of all the web inbox. Its pages are for browsers and are no API.
"""

_AT_START = """\
## At start

Keyturn does not start with these; it names everything that is wrong at once.
"""


def api_page() -> str:
    """Return the page about every route."""
    sections = [
        _API_HEAD,
        _routes("The agents' listener", AGENT_ROUTES),
        _PEOPLE,
        _routes("The admin listener", ADMIN_ROUTES),
    ]
    return "\n".join(sections)


def errors_page() -> str:
    """Return the page about every error code."""
    over_http = [e for e in every_error().values() if not issubclass(e, RefusesToStart)]
    at_start = [e for e in every_error().values() if issubclass(e, RefusesToStart)]
    return "\n".join(
        (
            _ERRORS_HEAD,
            "## Over HTTP\n",
            _table(
                ("Code", "Status", "What it means", "What to do"),
                ((f"`{e.code}`", str(e.status), e.title, e.default_remedy) for e in over_http),
            ),
            _AT_START,
            _table(
                ("Code", "What it means", "What to do"),
                ((f"`{e.code}`", e.title, e.default_remedy) for e in at_start),
            ),
            f"The `type` of a problem is `{TYPE_PREFIX}` and its code.\n",
        )
    )


def _routes(title: str, routes: Sequence[Route[Any]]) -> str:
    overview = _table(
        ("Route", "", "Who"),
        ((f"`{route.method} {route.path}`", route.summary, _WHO[route.auth]) for route in routes),
    )
    return "\n".join((f"## {title}\n", overview, *(_route(route) for route in routes)))


def _route(route: Route[Any]) -> str:
    lines = [f"### {route.method} {route.path}\n", f"{route.summary}.\n"]
    if route.parameters:
        lines.append(
            _table(
                ("Parameter", "In", ""),
                ((f"`{p.name}`", p.place.value, _about(p)) for p in route.parameters),
            )
        )
    if route.body is not None:
        optional = "" if route.body_required else ", which may be left out"
        lines += [f"Body{optional}:\n", _fields(route.body)]
    lines.append(f"Answers: {_answers(route)}.\n")
    problems = ", ".join(f"`{e.code}` ({e.status})" for e in problems_of(route))
    if problems:
        lines.append(f"Problems: {problems}.\n")
    return "\n".join(lines)


def _about(parameter: Parameter) -> str:
    return f"{parameter.about} Required." if parameter.required else parameter.about


def _answers(route: Route[Any]) -> str:
    told = []
    for status, answered in route.answers.items():
        match answered:
            case None:
                told.append(f"`{status}`")
            case TextAnswer(media_type=media_type):
                told.append(f"`{status}` (`{media_type}`)")
            case tuple():
                told.append(f"`{status}` ({' or '.join(f'`{m.__name__}`' for m in answered)})")
            case _:
                told.append(f"`{status}` (`{answered.__name__}`)")
    return ", ".join(told)


def _fields(model: type[BaseModel], prefix: str = "") -> str:
    rows = list(_rows(model, prefix))
    return _table(("Field", "", ""), rows)


def _rows(model: type[BaseModel], prefix: str) -> Iterable[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        needed = "required" if field.is_required() else "optional"
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield f"`{prefix}{name}`", needed, inner.__doc__ or ""
            yield from _rows(inner, f"{prefix}{name}.")
        else:
            yield f"`{prefix}{name}`", needed, field.description or ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "http-api.md").write_text(api_page(), encoding="utf-8")
    (folder / "errors.md").write_text(errors_page(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
