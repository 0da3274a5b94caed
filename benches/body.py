"""What every submit sends: about 1 KiB of JSON, a different text and key each time."""

import json
from typing import Final

VERB: Final = "note.write"

#: Where the text of the load generator puts the number that makes each body another one.
NUMBER: Final = "{number}"

_TEXT: Final = (
    "The rollout of the new parser is paused: two of the twelve shards report a lag of more than "
    "ninety seconds since 14:05 UTC, and the on-call engineer asked for no further writes until "
    "the queue is drained. Please reply here, not in the incident channel, if your team depends "
    "on the nightly export; it will run by hand at 21:00 and again on Thursday. Exports that were "
    "asked for since noon are kept and need not be asked for again; their links stay the same."
)
_WHY: Final = (
    "The thread asks when the export runs again, nobody has answered for forty minutes, and the "
    "runbook says that the answer belongs into this thread."
)


def submit_body(number: object) -> str:
    """Return the body of a submit with *number* in its text, as a client would spell it."""
    return json.dumps(
        {
            "action": {
                "verb": VERB,
                "resource": "note:eng-help/threads/4711",
                "params": {"text": f"{number}: {_TEXT}"},
            },
            "rationale": {
                "read": [{"ref": "note:eng-help/threads/4711", "sha256": "5f" * 32}],
                "why": _WHY,
                "expects": "The people who wait for the export know when to look again.",
            },
            "expires_in_s": 3600,
            "correlation": f"run-42/step-{number}",
        }
    )


if __name__ == "__main__":
    print(len(submit_body(100_000)))
