"""The forum incident in Slack: run as a program of its own, alone in its network namespace.

    python -m tests.slack.peer.story MODE PROGRAM FOLDER

``keyturn serve`` is another process, local-slack a third. It ends with 0 when all went as told.
"""

import asyncio
import http.client
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.cli.deployments import Deployment, asked_to_propose, make_deployment
from tests.slack.peer import whole_accounts
from tests.slack.peer.local_slack import (
    ASKS,
    SIGNING_SECRET,
    TEAM,
    URL,
    WRITES,
    Json,
    LocalSlack,
    configuration,
    running,
    token_of,
)

CHANNEL = "C0HELP"
DANA, ERIN = "U0DANA", "U0ERIN"
GOOD = "Ask your lead for the group build-readers. <!channel> is not told by this."
BAD = "Set the storage bucket to public, that is quicker."
WHY_NOT = "That would open data to everybody."
HOLD = """
version: 1
rules:
  - id: slack
    verbs: ["slack.*"]
    effect: {hold: {mode: confirm}}
"""


async def done(act: Callable[..., Any], *words: Any, **more: Any) -> Any:
    return await asyncio.to_thread(lambda: act(*words, **more))


def configure(deployment: Deployment, mode: str, *, api_url: str) -> None:
    deployment.environment |= {
        "BOT": token_of(ASKS),
        "APP": "xapp-1-A0ASKS-1-abcdef0123",
        "SIGNING": SIGNING_SECRET,
        "WRITER": token_of(WRITES),
    }
    chat = {"mode": mode, "team": TEAM, "bot_token": "env:BOT", "api_url": api_url}
    chat |= {"app_token": "env:APP"} if mode == "socket" else {"signing_secret": "env:SIGNING"}
    writer = {"type": "slack", "team": TEAM, "credential": {"reference": "env:WRITER"}}
    text = deployment.config.read_text()
    assert "chats:\n  web: {}\n" in text
    chats = json.dumps({"slack": chat, "web": {}})
    deployment.config.write_text(text.replace("chats:\n  web: {}\n", f"chats: {chats}\n"))
    deployment.set("connectors", json.dumps({"slack": {**writer, "api_url": api_url}}))
    (deployment.home / "policy.yaml").write_text(HOLD)


async def tell(mode: str, program: Path, folder: Path) -> None:
    deployment = await done(make_deployment, folder / "keyturn-data")
    configure(deployment, mode, api_url=f"{whole_accounts.URL}/api/")
    events_url = f"http://127.0.0.1:{deployment.ports['people']}/slack/events"
    configured = configuration(mode, events_url=events_url)
    async with (
        running(program, folder, configured) as slack,
        whole_accounts.telling_all(of=URL),
    ):
        serving = deployment.serving()
        await done(serving.__enter__)
        try:
            await Story(slack, deployment).happens()
        finally:
            await done(serving.__exit__, None, None, None)


class Story:
    def __init__(self, slack: LocalSlack, deployment: Deployment) -> None:
        self.slack = slack
        self.deployment = deployment
        self.token = ""
        self.dm = ""

    async def happens(self) -> None:
        await self.everybody_is_known()
        await self.the_good_answer_is_posted_once_and_recalled()
        await self.the_bad_advice_is_never_posted()

    async def everybody_is_known(self) -> None:
        for name in ("dana", "erin"):
            await done(self.deployment.done, "person", "create", name)
        self.token = (
            await done(
                self.deployment.json,
                *("agent", "create", "helper", "--owner", "erin", "--purpose", "Answers"),
                *("--for", "dana", "--verb", "slack.*"),
            )
        )["token"]
        for name, user in (("dana", DANA), ("erin", ERIN)):
            made = await done(self.deployment.json, "person", "link-code", name, "--chat", "slack")
            await self.slack.command(user, CHANNEL, f"link {made['code']}")
            asked = await self.slack.until(lambda: self.modal_with("keyturn.link"), "who it is")
            await self.slack.press_in_modal(user, asked, "keyturn.link")
            # The program does not say that a button was in a modal, so a message answers it.
            await self.shown("is linked", in_channel=CHANNEL, to=user)
            await self.slack.close_modal(user)

    async def the_good_answer_is_posted_once_and_recalled(self) -> None:
        proposal = await self.proposed(GOOD)
        card = await self.card(GOOD)
        text = json.dumps(card["blocks"])
        assert "Everybody in the Slack workspace Acme" in text, text
        assert "eng-help" in text
        assert await self.board() == []

        await self.slack.press(ERIN, card, "keyturn.approve")
        await self.shown("not yours to make", in_channel=self.dm, to=ERIN)
        assert (await self.state(proposal))["state"] == "pending"
        assert await self.board() == []

        await self.slack.press(DANA, card, "keyturn.approve")
        await self.slack.press(DANA, card, "keyturn.approve")
        after = await self.reaches(proposal, "succeeded")
        posted = await self.board()
        assert [said(one) for one in posted] == [GOOD]
        assert posted[0]["user"] == WRITES["botUserId"]
        assert after["outcome"]["reference"] == posted[0]["ts"], after
        card = await self.shown("keyturn.undo", in_channel=self.dm, ts=card["ts"])
        assert "keyturn.approve" not in json.dumps(card["blocks"])

        await self.slack.press(DANA, card, "keyturn.undo")
        await self.modal("keyturn.undo")
        await self.slack.submit(DANA, self.typed("It is in the handbook now."))
        await self.slack.until(self.is_empty, "the posted message is gone")
        await self.shown("Undone", in_channel=self.dm, ts=card["ts"])
        posts = [one for one in await self.slack.log() if is_post_in(one, CHANNEL)]
        assert len(posts) == 1, posts

    async def the_bad_advice_is_never_posted(self) -> None:
        proposal = await self.proposed(BAD)
        card = await self.card(BAD)
        await self.modal("keyturn.shown")
        await self.slack.close_modal(DANA)
        await self.slack.press(DANA, card, "keyturn.reject")
        await self.modal("keyturn.reject")
        await self.slack.submit(DANA, self.typed(WHY_NOT))
        rejected = await self.reaches(proposal, "rejected")
        assert WHY_NOT in json.dumps(rejected), rejected
        card = await self.shown("Rejected", in_channel=self.dm, ts=card["ts"])
        assert "keyturn.approve" not in json.dumps(card["blocks"])
        assert await self.board() == []

    async def proposed(self, text: str) -> str:
        action = {"verb": "slack.post", "resource": f"slack:{TEAM}/{CHANNEL}"}
        answer = await done(
            asked_to_propose,
            self.deployment,
            self.token,
            {**action, "params": {"text": text}},
            key=text.split(maxsplit=1)[0],
        )
        assert answer.get("state") == "pending", answer
        return str(answer["id"])

    async def state(self, proposal: str) -> Json:
        return dict(await done(self._read, f"/v1/proposals/{proposal}"))

    async def reaches(self, proposal: str, state: str) -> Json:
        async def is_there() -> Json | None:
            seen = await self.state(proposal)
            return seen if seen["state"] == state else None

        return dict(await self.slack.until(is_there, f"{proposal} is {state}"))

    async def card(self, text: str) -> Json:
        async def is_there() -> Json | None:
            self.dm = await self.slack.dm_of(DANA) or ""
            listed = await self.slack.messages(self.dm) if self.dm else []
            return next((one for one in listed if text in strings_of(one.get("blocks"))), None)

        return dict(await self.slack.until(is_there, f"a card with {text}"))

    async def shown(
        self, words: str, *, in_channel: str, to: str | None = None, ts: str | None = None
    ) -> Json:
        """Return the newest message with *words*: the whisper *to* somebody, or the one at *ts*."""

        async def is_there() -> Json | None:
            places = {in_channel, *filter(None, [to and await self.slack.dm_of(to)])}
            for place in places:
                for one in reversed(await self.slack.messages(place)):
                    if to is not None and one.get("ephemeral_to", to) != to:
                        continue
                    if ts in {None, one["ts"]} and words in json.dumps(one):
                        return one
            return None

        return dict(await self.slack.until(is_there, f"{words} for {to or ts}"))

    async def modal(self, callback: str) -> None:
        await self.slack.until(
            lambda: any(one.get("callback_id") == callback for one in self.slack.modals), callback
        )

    def modal_with(self, words: str) -> Json | None:
        return next((one for one in self.slack.modals if words in json.dumps(one)), None)

    def typed(self, text: str) -> dict[str, Json]:
        return {"note": {"note": {"type": "plain_text_input", "value": text}}}

    async def board(self) -> list[Json]:
        return [one for one in await self.slack.messages(CHANNEL) if not is_whisper(one)]

    async def is_empty(self) -> bool:
        return await self.board() == []

    def _read(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.deployment.ports["agents"])
        with closing(connection):
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
            return json.load(connection.getresponse())


def said(message: Json) -> str:
    return "".join(strings_of(message["blocks"]))


def strings_of(value: Any) -> list[str]:
    """Return every text in blocks."""
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for member in value.values() for text in strings_of(member)]
    if isinstance(value, list):
        return [text for member in value for text in strings_of(member)]
    return []


def is_whisper(message: Json) -> bool:
    return "ephemeral" in json.dumps({name: message.get(name) for name in ("subtype", "type")})


def is_post_in(entry: Json, channel: str) -> bool:
    told = json.dumps(entry)
    return "chat.postMessage" in told and f'"channel": "{channel}"' in told


def main() -> None:
    mode, program, folder = sys.argv[1:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    asyncio.run(tell(mode, Path(program), Path(folder)))


if __name__ == "__main__":
    main()
