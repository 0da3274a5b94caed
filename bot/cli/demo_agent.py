"""A small agent for the demo: it was asked to analyse a forum, and wants to answer in public.

It runs as a process of its own with its own token, and speaks to the forum (reading) and to
Keyturn (proposing) over HTTP alone. It needs nothing but Python.
"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

WAIT_S = 50
TIMEOUT_S = WAIT_S + 10


def main() -> None:
    forum, thread = os.environ["DEMO_FORUM_URL"], os.environ["DEMO_THREAD"]
    questions = read_board(forum, thread)
    say(f"I was asked to analyse '{thread}'. I read {len(questions)} post(s) there.")
    say("I would like to answer in public. I cannot: I have no credential for that.")
    proposal = propose(
        thread,
        answer=os.environ["DEMO_ANSWER"],
        read=f"{forum}/?uri=/{thread}/",
        key=os.environ["DEMO_KEY"],
    )
    say(f"Keyturn holds it as {proposal['id']}: {proposal['message']}")
    while proposal["state"] in ("pending", "approved", "executing"):
        proposal = call("GET", f"/v1/proposals/{proposal['id']}", prefer=f"wait={WAIT_S}")
    say(f"It is {proposal['state']}. {proposal['message']}")
    if proposal.get("reason"):
        say(f"The reason: {proposal['reason']}")


def read_board(forum: str, thread: str) -> list[Any]:
    query = urllib.parse.urlencode({"uri": f"/{thread}/"})
    try:
        url = f"{forum}/?{query}"
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as reply:  # noqa: S310 - loopback
            return list(json.load(reply)["replies"])
    except urllib.error.HTTPError as error:
        error.close()
        return []


def propose(thread: str, *, answer: str, read: str, key: str) -> Any:
    return call(
        "POST",
        "/v1/proposals",
        key=key,
        body={
            "action": {
                "verb": "forum.comment",
                "resource": f"forum:{thread}",
                "params": {"text": answer, "author": "forum-analyst"},
            },
            "rationale": {
                "read": [{"ref": read}],
                "why": "Somebody asked and nobody has answered yet.",
                "expects": "The person who asked can go on with their work.",
            },
            "correlation": "demo",
        },
    )


def call(
    method: str, path: str, *, body: Any = None, key: str | None = None, prefer: str | None = None
) -> Any:
    headers = {"Authorization": f"Bearer {os.environ['KEYTURN_TOKEN']}"}
    if key is not None:
        headers |= {"Idempotency-Key": key, "Content-Type": "application/json"}
    if prefer is not None:
        headers["Prefer"] = prefer
    request = urllib.request.Request(  # noqa: S310 - the demo's own address on this machine
        os.environ["KEYTURN_URL"] + path,
        method=method,
        headers=headers,
        data=None if body is None else json.dumps(body).encode(),
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:  # noqa: S310 - as above
            return json.load(reply)
    except urllib.error.HTTPError as error:
        problem = json.load(error)
        sys.exit(f"Keyturn says: {problem['title']}. {problem['detail']} {problem['remedy']}")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
