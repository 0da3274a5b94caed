"""`python -m benches.slack`: from a click in Slack to its acknowledgement, and to the card.

The bot is `keyturn serve` on a disk, the Slack a fake one on the loopback interface that checks
every block; what is measured leaves out what the internet adds. While the machine is loaded,
agents submit as fast as one connection takes it.
"""

import argparse
import asyncio
import itertools
import json
import os
import platform
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from aiohttp import ClientSession

from adapters.slack.pressable import ActionId
from adapters.slack.testing import (
    FakeSlack,
    Hand,
    Kind,
    Message,
    Mode,
    elements_of,
    open_fake_slack,
    texts_of,
)
from benches.body import VERB, submit_body
from benches.deployment import Deployment, new_deployment
from benches.spread import percentile
from bot.cli.admin import speaking
from bot.settings import load as load_settings

PENDING: Final = 10_000
CLICKS: Final = 300
_AT_ONCE: Final = 32
_EMAIL: Final = "dana@example.net"
_NUMBERS: Final = itertools.count()
_AIM_P99_MS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Clicks:
    """In milliseconds from the click: until Slack is answered, and until the card says Done."""

    mode: Mode
    load: str
    clicks: int
    acknowledged_p50: float
    acknowledged_p99: float
    shown_p50: float
    shown_p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    slack: FakeSlack
    http: ClientSession
    url: str
    token: str
    others: Sequence[str]
    hand: Hand

    async def submit(self, token: str) -> str:
        number = next(_NUMBERS)
        headers = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": f"slack-{number}",
            "Content-Type": "application/json",
        }
        body = submit_body(number)
        async with self.http.post(f"{self.url}/v1/proposals", data=body, headers=headers) as answer:
            told = await answer.json()
            if answer.status != 202:
                raise AssertionError(f"{answer.status}: {told}")
            return str(told["id"])

    async def fill(self, count: int) -> None:
        """Have *count* proposals wait for people who do not press."""
        left = iter(range(count))

        async def some(token: str) -> None:
            for _ in left:
                await self.submit(token)

        await asyncio.gather(*(some(token) for token in self.others[:_AT_ONCE]))

    async def click(self) -> tuple[float, float]:
        """Submit, wait for the card, press, and return how long both answers took, in ms."""
        proposal = await self.submit(self.token)
        card = await self.slack.until(lambda: self._card(proposal), within_s=60)
        payload = self.hand.pressing(card, ActionId.APPROVE)
        began = time.perf_counter()
        delivery = await self.slack.deliver(Kind.INTERACTIVE, payload)
        await self.slack.until(lambda: _says_done(card), within_s=60)
        shown_s = time.perf_counter() - began
        if delivery.acked_after_s is None:
            raise AssertionError("a click was not acknowledged within three seconds")
        return delivery.acked_after_s * 1e3, shown_s * 1e3

    def _card(self, proposal: str) -> Message | None:
        for message in reversed(self.slack.world.messages):
            if message.metadata and proposal in message.metadata["event_payload"]["key"]:
                return message
        return None


def _says_done(card: Message) -> bool:
    pressable = {element["action_id"] for _, element in elements_of(card.blocks)}
    return ActionId.APPROVE not in pressable and any("Done" in t for t in texts_of(card.blocks))


async def measure(bench: Bench, *, clicks: int, load: str) -> Clicks:
    loading = [asyncio.create_task(_keep_submitting(bench))] if load == "loaded" else []
    try:
        taken = [await bench.click() for _ in range(clicks)]
    finally:
        for task in loading:
            task.cancel()
        await asyncio.gather(*loading, return_exceptions=True)
    acknowledged, shown = zip(*taken, strict=True)
    return Clicks(
        mode=bench.slack.mode,
        load=load,
        clicks=clicks,
        acknowledged_p50=percentile(acknowledged, 50),
        acknowledged_p99=percentile(acknowledged, 99),
        shown_p50=percentile(shown, 50),
        shown_p99=percentile(shown, 99),
    )


async def _keep_submitting(bench: Bench) -> None:
    for token in itertools.cycle(bench.others):
        await bench.submit(token)


@asynccontextmanager
async def opened(folder: Path, mode: Mode) -> AsyncIterator[Bench]:
    """Open a Slack and a bot beside it, with one person who sits in Slack."""
    async with open_fake_slack(mode) as slack:
        deployment = new_deployment(folder)
        _add_slack(deployment, slack)
        with deployment.serving():
            await deployment._register()  # noqa: SLF001 - we are in a loop already
            token = await _newcomer(deployment)
            if mode is Mode.HTTP:
                slack.http.url = f"http://127.0.0.1:{deployment.people_port}/slack/events"
            else:
                await asyncio.wait_for(slack.socket.connected.wait(), 20)
            async with ClientSession() as http:
                yield Bench(
                    slack=slack,
                    http=http,
                    url=f"http://127.0.0.1:{deployment.port}",
                    token=token,
                    others=deployment.tokens,
                    hand=slack.hand(slack.add_account("Dana", email=_EMAIL)),
                )


def _add_slack(deployment: Deployment, slack: FakeSlack) -> None:
    settings: dict[str, Any] = yaml.safe_load(deployment.config.read_text(encoding="utf-8"))
    kept = {
        "bot_token": slack.bot_token,
        "app_token": slack.app_token,
        "signing_secret": slack.signing_secret,
    }
    for name, value in kept.items():
        file = deployment.folder / name
        file.write_text(value, encoding="utf-8")
        file.chmod(0o600)
    own = {
        "mode": slack.mode.value,
        "team": slack.team.id,
        "api_url": slack.api_url,
        "link_by_email": True,
        **{name: f"file:{name}" for name in kept},
    }
    settings["chats"] = {"slack": own, **settings["chats"]}
    deployment.config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")


async def _newcomer(deployment: Deployment) -> str:
    """Register the person who presses, and return the token of their agent."""
    settings = load_settings(deployment.config)
    async with speaking(settings, settings.admin_socket) as api:
        body = {"handle": "dana", "display_name": "Dana", "email": _EMAIL}
        dana = (await api.post("people", body=body))["id"]
        agent = await api.post(
            "agents",
            body={
                "name": "pressed",
                "owner": dana,
                "purpose": "Is measured",
                "principals": [dana],
                "verbs": [VERB],
            },
        )
        return str(agent["token"])


async def main(*, pending: int, clicks: int, folder: Path) -> list[Clicks]:
    found: list[Clicks] = []
    for mode in Mode:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            async with opened(Path(place) / "bot", mode) as bench:
                await bench.fill(pending)
                await measure(bench, clicks=20, load="idle")
                found += [
                    await measure(bench, clicks=clicks, load=load) for load in ("idle", "loaded")
                ]
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pending", type=int, default=PENDING)
    parser.add_argument("--clicks", type=int, default=CLICKS)
    parser.add_argument("--folder", type=Path, default=Path("build"))
    parser.add_argument("--json", action="store_true", dest="as_json")
    asked = parser.parse_args()
    asked.folder.mkdir(exist_ok=True)
    measured = asyncio.run(main(pending=asked.pending, clicks=asked.clicks, folder=asked.folder))
    if asked.as_json:
        print(json.dumps([asdict(one) for one in measured], indent=2))
    else:
        print(f"{platform.machine()}, {os.cpu_count()} cores, {asked.pending:,} proposals pending")
        for one in measured:
            print(
                f"{one.mode:6} {one.load:6}  acknowledged p50 {one.acknowledged_p50:6.1f} ms, "
                f"p99 {one.acknowledged_p99:6.1f} ms (aim {_AIM_P99_MS}); "
                f"card p50 {one.shown_p50:6.1f} ms, p99 {one.shown_p99:6.1f} ms"
            )
