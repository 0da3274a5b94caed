"""`python -m benches.teams`: from a click in Teams to its answer, at so many clicks a second.

The bot is `keyturn serve` on a disk, the Teams a fake one on the loopback interface that signs what
it sends and checks every card; what is measured leaves out what the internet adds. Clicks come at
their own pace, whether the bot keeps up or not. While the machine is loaded, agents submit besides.
"""

import argparse
import asyncio
import itertools
import json
import os
import platform
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from aiohttp import ClientSession, TCPConnector

from adapters.teams.pressable import Verb
from adapters.teams.testing import Activity, Delivery, FakeTeams, Hand, open_fake_teams, texts_of
from benches.body import VERB, submit_body
from benches.deployment import Deployment, new_deployment
from benches.spread import percentile
from bot.cli.admin import speaking
from bot.settings import load as load_settings

PENDING: Final = 10_000
CLICKS: Final = 2_000
PER_SECOND: Final = 200
#: How many a second other agents submit while the machine is loaded.
SUBMITS: Final = 50
_AT_ONCE: Final = 32
_NUMBERS: Final = itertools.count()
_AIM_P99_MS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Clicks:
    """In milliseconds from the click until Teams is answered.

    ``recorded`` of the ``clicks`` were answered with what was recorded, the others with "not
    recorded yet"; after ``settled_s`` the last of them was carried out and its card said so.
    """

    load: str
    clicks: int
    per_second: float
    answered_p50: float
    answered_p99: float
    slowest: float
    recorded: int
    settled_s: float


@dataclass(slots=True, kw_only=True)
class Bench:
    teams: FakeTeams
    http: ClientSession
    url: str
    token: str
    others: Sequence[str]
    hand: Hand
    authorization: str = field(repr=False, default="")

    async def submit(self, token: str) -> str:
        number = next(_NUMBERS)
        headers = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": f"teams-{number}",
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

    async def cards(self, count: int) -> list[Activity]:
        """Have *count* cards wait for the one who presses."""
        before = len(self.teams.world.activities)
        left = iter(range(count))

        async def some() -> None:
            for _ in left:
                await self.submit(self.token)

        await asyncio.gather(*(some() for _ in range(4)))
        await self.teams.until(
            lambda: len(self.teams.world.activities) >= before + count, within_s=600
        )
        return self.teams.world.activities[before:]

    async def click(self, pressing: Mapping[str, Any]) -> Delivery:
        return await self.teams.deliveries.deliver(dict(pressing), authorization=self.authorization)


async def measure(bench: Bench, *, clicks: int, per_second: float, load: str) -> Clicks:
    cards = await bench.cards(clicks)
    presses = [bench.hand.pressing(card, Verb.APPROVE) for card in cards]
    bench.authorization = bench.teams.issuer.bearer(bench.teams.service_url)
    loading = [asyncio.create_task(_keep_submitting(bench))] if load == "loaded" else []
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        waiting = []
        for number, pressing in enumerate(presses):
            await asyncio.sleep(max(0.0, began + number / per_second - loop.time()))
            waiting.append(asyncio.create_task(bench.click(pressing)))
        answers = await asyncio.gather(*waiting)
        took_s = loop.time() - began
        await bench.teams.until(lambda: _all_say_done(cards), within_s=600)
        settled_s = loop.time() - began
    finally:
        for task in loading:
            task.cancel()
        await asyncio.gather(*loading, return_exceptions=True)
    taken = [answer.answered_after_s * 1e3 for answer in answers if answer.answered_after_s]
    if len(taken) != clicks or any(answer.status != 200 for answer in answers):
        raise AssertionError("a click was not answered")
    return Clicks(
        load=load,
        clicks=clicks,
        per_second=clicks / took_s,
        answered_p50=percentile(taken, 50),
        answered_p99=percentile(taken, 99),
        slowest=max(taken),
        recorded=sum(answer.card is not None and _is_decided(answer.card) for answer in answers),
        settled_s=settled_s,
    )


def _is_decided(card: Mapping[str, Any]) -> bool:
    return not any("Not recorded yet" in text for text in texts_of(card))


def _all_say_done(cards: Sequence[Activity]) -> bool:
    # The last is looked at first: mostly that is enough to know.
    return all(any("Done" in text for text in texts_of(card.card)) for card in reversed(cards))


async def _keep_submitting(bench: Bench) -> None:
    async def one(token: str) -> None:
        await bench.submit(token)

    under_way: set[asyncio.Task[None]] = set()
    try:
        for token in itertools.cycle(bench.others):
            under_way.add(task := asyncio.create_task(one(token)))
            task.add_done_callback(under_way.discard)
            await asyncio.sleep(1 / SUBMITS)
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Bench]:
    """Open a Teams and a bot beside it, with one person who sits in Teams."""
    async with open_fake_teams() as teams:
        deployment = new_deployment(folder)
        _add_teams(deployment, teams)
        with deployment.serving():
            await deployment._register()  # noqa: SLF001 - we are in a loop already
            teams.deliveries.url = f"http://127.0.0.1:{deployment.people_port}/teams/messages"
            hand = teams.hand(teams.add_account("Dana"))
            token = await _newcomer(deployment, hand)
            async with ClientSession(connector=TCPConnector(limit=0)) as http:
                yield Bench(
                    teams=teams,
                    http=http,
                    url=f"http://127.0.0.1:{deployment.port}",
                    token=token,
                    others=deployment.tokens,
                    hand=hand,
                )


def _add_teams(deployment: Deployment, teams: FakeTeams) -> None:
    settings: dict[str, Any] = yaml.safe_load(deployment.config.read_text(encoding="utf-8"))
    file = deployment.folder / "app_password"
    file.write_text(teams.issuer.app_password, encoding="utf-8")
    file.chmod(0o600)
    own = {
        "app_id": teams.issuer.app_id,
        "tenant": teams.tenant,
        "app_password": "file:app_password",
        "service_url": teams.service_url,
        "metadata_url": teams.issuer.metadata_url,
        "login_url": teams.issuer.login_url,
        "graph_url": f"{teams.url}/",
    }
    settings["chats"] = {"teams": own, **settings["chats"]}
    deployment.config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")


async def _newcomer(deployment: Deployment, hand: Hand) -> str:
    """Register the person who presses, link their account, and return their agent's token."""
    settings = load_settings(deployment.config)
    async with speaking(settings, settings.admin_socket) as api:
        dana = (await api.post("people", body={"handle": "dana", "display_name": "Dana"}))["id"]
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
        code = (await api.post("people", dana, "link-code", body={"chat": "teams"}))["code"]
    await hand.type(f"link {code}")
    asked = await hand.teams.until(lambda: hand.messages()[-1:], within_s=20)
    told = await hand.press(asked[0], Verb.LINK)
    if told.card is None:
        raise AssertionError(f"the account was not linked: {told.said}")
    return str(agent["token"])


async def main(*, pending: int, clicks: int, per_second: float, folder: Path) -> list[Clicks]:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        async with opened(Path(place) / "bot") as bench:
            await bench.fill(pending)
            await measure(bench, clicks=50, per_second=per_second, load="idle")
            return [
                await measure(bench, clicks=clicks, per_second=per_second, load=load)
                for load in ("idle", "loaded")
            ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pending", type=int, default=PENDING)
    parser.add_argument("--clicks", type=int, default=CLICKS)
    parser.add_argument("--per-second", type=float, default=PER_SECOND)
    parser.add_argument("--folder", type=Path, default=Path("build"))
    parser.add_argument("--json", action="store_true", dest="as_json")
    asked = parser.parse_args()
    asked.folder.mkdir(exist_ok=True)
    began_at = time.perf_counter()
    measured = asyncio.run(
        main(
            pending=asked.pending,
            clicks=asked.clicks,
            per_second=asked.per_second,
            folder=asked.folder,
        )
    )
    if asked.as_json:
        print(json.dumps([asdict(one) for one in measured], indent=2))
    else:
        print(f"{platform.machine()}, {os.cpu_count()} cores, {asked.pending:,} proposals pending")
        for one in measured:
            print(
                f"{one.load:6}  {one.per_second:5.0f} clicks/s  answered p50 "
                f"{one.answered_p50:6.1f} ms, p99 {one.answered_p99:6.1f} ms (aim {_AIM_P99_MS}), "
                f"slowest {one.slowest:6.1f} ms; {one.recorded:,} of {one.clicks:,} with what was "
                f"recorded; all carried out and shown after {one.settled_s:.1f} s"
            )
