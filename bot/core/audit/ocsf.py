"""Entries as OCSF 1.9 events of the class API Activity (6003), for systems that collect those.

Source: https://schema.ocsf.io/1.9.0/classes/api_activity. The evidence is the JSONL export: an
event repeats what an entry says in clear, and carries its hash and place, so that it can be found
there.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from bot.core.audit.entry import hash_of
from bot.core.audit.words import what_of

_VERSION: Final = "1.9.0"
_CLASS: Final = 6003
_CATEGORY: Final = 6
_CREATE, _READ, _UPDATE, _OTHER = 1, 2, 3, 99
_ACTIVITY_NAMES: Final = {_CREATE: "Create", _READ: "Read", _UPDATE: "Update", _OTHER: "Other"}
_ACTIVITY: Final[Mapping[str, int]] = {"created": _CREATE, "submitted": _CREATE, "viewed": _READ}
_SUCCESS, _FAILURE, _UNKNOWN = 1, 2, 0
_STATUS: Final[Mapping[str, int]] = {
    "succeeded": _SUCCESS,
    "failed": _FAILURE,
    "denied": _FAILURE,
    "rejected": _FAILURE,
    "in_doubt": _UNKNOWN,
}
_INFORMATIONAL, _MEDIUM = 1, 3
_LOUD: Final = frozenset({"denied", "in_doubt", "revoked"})
_SHA256: Final = 3


def ocsf_event(raw: bytes, *, origin: str, product_version: str) -> dict[str, Any]:
    """Return the entry with the body *raw*, of the log *origin*, as one event."""
    body: dict[str, Any] = orjson.loads(raw)
    type_: str = body["type"]
    activity = _ACTIVITY.get(type_.rpartition(".")[2], _UPDATE if "state" in body else _OTHER)
    state = body.get("state")
    status = _STATUS.get(str(state), _SUCCESS)
    kind, _, actor = body["actor"].partition(":")
    event: dict[str, Any] = {
        "class_uid": _CLASS,
        "class_name": "API Activity",
        "category_uid": _CATEGORY,
        "category_name": "Application Activity",
        "activity_id": activity,
        "activity_name": _ACTIVITY_NAMES[activity],
        "type_uid": _CLASS * 100 + activity,
        "type_name": f"API Activity: {_ACTIVITY_NAMES[activity]}",
        "time": _milliseconds(body["at"]),
        "severity_id": _MEDIUM if state in _LOUD else _INFORMATIONAL,
        "severity": "Medium" if state in _LOUD else "Informational",
        "status_id": status,
        "message": what_of(body),
        "actor": {"user": {"uid": actor, "type": kind.capitalize()}},
        "api": {"operation": type_, "service": {"name": "keyturn"}},
        "src_endpoint": {"name": kind},
        "metadata": {
            "version": _VERSION,
            "uid": f"{origin}/{body['i']}",
            "sequence": body["i"],
            "log_name": origin,
            "original_time": body["at"],
            "correlation_uid": body.get("proposal"),
            "profiles": ["record_integrity"],
            "product": {
                "name": "Keyturn",
                "vendor_name": "Keyturn",
                "version": product_version,
            },
        },
        "attestation_list": [
            {
                "chain_uid": origin,
                "fingerprint": {
                    "algorithm": "SHA-256",
                    "algorithm_id": _SHA256,
                    "value": hash_of(raw).hex(),
                },
            }
        ],
        "unmapped": {name: value for name, value in body.items() if name not in _MAPPED},
    }
    if "proposal" in body:
        event["resources"] = [{"uid": body["proposal"], "type": "proposal"}]
    return event


_MAPPED: Final = frozenset({"v", "i", "at", "type", "actor", "proposal"})


def _milliseconds(at: str) -> int:
    return round(datetime.fromisoformat(at).timestamp() * 1000)
