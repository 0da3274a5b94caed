"""The action that the conformance suite carries out at the loopback tracker."""

import base64
from dataclasses import replace

from bot.core.proposal import Action
from bot.testing.connector import Sample
from tests.connectors.target import ETAG, MISSING_NUMBER, SECRET

ACTION = Action(
    verb="tracker.comment",
    resource="tracker:core/issues/7",
    params={"text": 'Grüße, 世界 🌍\n"quoted" \\ </script>', "labels": ["a", ""], "notify": False},
)
SAMPLE = Sample(
    action=ACTION,
    arrives=ACTION.params,
    etag=ETAG,
    others=(
        replace(ACTION, params={"text": ""}),
        replace(ACTION, params={"text": "\u202egnp.exe\u0000\n" * 500}),
        replace(ACTION, resource="not of this shape"),
    ),
    missing=replace(ACTION, resource=f"tracker:core/issues/{MISSING_NUMBER}"),
    secrets=(SECRET, base64.b64encode(SECRET.encode()).decode()),
)
