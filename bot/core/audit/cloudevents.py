"""Entries as CloudEvents 1.0 in JSON: https://github.com/cloudevents/spec, "JSON event format"."""

from typing import Any

import orjson


def cloud_event(raw: bytes, *, origin: str) -> dict[str, Any]:
    """Return the entry with the body *raw*, of the log *origin*, as one event."""
    body: dict[str, Any] = orjson.loads(raw)
    event = {
        "specversion": "1.0",
        "id": f"{origin}/{body['i']}",
        "source": origin,
        "type": f"keyturn.{body['type']}",
        "time": body["at"],
        "datacontenttype": "application/json",
        "data": body,
    }
    return event | ({"subject": body["proposal"]} if "proposal" in body else {})
