"""Sections of ``keyturn.yaml`` that the tests of the connector share."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import yaml
from aiohttp.abc import AbstractResolver

from adapters.http import HttpConnector, create
from bot.system_clock import SystemClock
from tests.connectors.target import SECRET

TRACKER = yaml.safe_load("""
type: http
base_url: http://127.0.0.1:1
allow_private: true
credential: {reference: "env:TRACKER_TOKEN", send: bearer}
timeout_s: 1.5
max_response_bytes: 65536
verbs:
  tracker.comment:
    summary: Comment on an issue
    kind: write
    resource: "tracker:{project}/issues/{number}"
    params:
      type: object
      required: [text]
      properties:
        text: {type: string}
        labels: {type: array, items: {type: string}}
        notify: {type: boolean}
    request:
      method: POST
      path: /projects/{resource.project}/issues/{resource.number}/comments
      body: {text: "{params.text}", labels: "{params.labels}", notify: "{params.notify}"}
    idempotency: {header: Idempotency-Key}
    lookup:
      path: /projects/{resource.project}/issues/{resource.number}/comments
      found: {each: /entries, where: {/key: "{key}"}, reference: /id}
      absent: {status: [200, 404]}
    inspect:
      - path: /projects/{resource.project}/issues/{resource.number}
        take: {title: /title, private: /private, watchers: /watchers, etag: {header: ETag}}
    before: {title: "{seen.title}"}
    etag: "{seen.etag}"
    audience:
      of: "{seen.private}"
      cases:
        "false":
          reach: public
          who: Anyone who reads {resource.project}
          readers: "{seen.watchers}"
        "true": {reach: organisation, who: The project's members}
    say:
      effect: Comment on “{before.title}”
      target: Issue {resource.number} of {resource.project}
    reference: {pointer: /id}
""")


def keep(reference: str) -> str:
    """Resolve every reference to the one secret of the tests."""
    return SECRET


def section(base_url: str, verb: Mapping[str, Any] | None = None, **shared: Any) -> dict[str, Any]:
    """Return the tracker's section with the keys of its verb and of its head replaced.

    A key given as None is left out.
    """
    made: dict[str, Any] = {**deepcopy(TRACKER), "base_url": base_url, **shared}
    comment = {**made["verbs"]["tracker.comment"], **(verb or {})}
    made["verbs"] = {"tracker.comment": {k: v for k, v in comment.items() if v is not None}}
    return {key: value for key, value in made.items() if value is not None}


def connect(made: Mapping[str, Any], *, resolver: AbstractResolver | None = None) -> HttpConnector:
    return create("tracker", made, secrets=keep, clock=SystemClock(), resolver=resolver)
