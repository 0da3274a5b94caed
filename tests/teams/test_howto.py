"""`docs/howto/teams.md` followed as it is printed, in real processes, to the first approved action.

Only ids and addresses are others than printed: those of a Teams on this machine.
"""

import asyncio
import json
import re
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.teams.connector.message import text_of
from adapters.teams.pressable import Verb
from adapters.teams.testing import Activity, FakeTeams, Hand, actions_of, open_fake_teams
from adapters.teams.testing.channels import WRITER_APP, FakeChannels, open_channels
from adapters.teams.testing.issuer import APP_PASSWORD, TENANT
from tests.cli.deployments import Deployment, asked_to_propose, make_deployment

pytestmark = pytest.mark.slow

MESSAGE = "The door code is on the wiki, under Office."


@pytest.fixture(scope="module")
def page(repo: Path) -> str:
    return (repo / "docs/howto/teams.md").read_text(encoding="utf-8")


def blocks(page: str, key: str) -> Iterator[dict[str, Any]]:
    """Yield what the YAML blocks of *page* with the top-level *key* hold, in order."""
    for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL):
        value = yaml.safe_load(text)
        if key in value:
            yield value


def configure(deployment: Deployment, page: str, teams: FakeTeams, office: FakeChannels) -> None:
    section = next(blocks(page, "chats"))["chats"]
    section["teams"] |= {
        "app_id": teams.issuer.app_id,
        "tenant": teams.tenant,
        "service_url": teams.service_url,
        "metadata_url": teams.issuer.metadata_url,
        "login_url": teams.issuer.login_url,
        "graph_url": f"{teams.url}/",
    }
    writers = next(blocks(page, "connectors"))["connectors"]
    writers["teams"] |= {
        "app_id": WRITER_APP,
        "tenant": TENANT,
        "service_url": office.service_url,
        "login_url": office.issuer.login_url,
    }
    for kept in (section["teams"]["app_password"], writers["teams"]["credential"]["app_password"]):
        deployment.environment[kept.removeprefix("env:")] = APP_PASSWORD
    text = deployment.config.read_text()
    assert "chats:\n  web: {}\n" in text
    deployment.config.write_text(
        text.replace("chats:\n  web: {}\n", f"chats: {json.dumps(section)}\n")
    )
    deployment.set("connectors", json.dumps(writers))


def write_policy(deployment: Deployment, page: str, place: str) -> None:
    policy = next(blocks(page, "rules"))
    (printed,) = policy["rules"][0]["resources"]
    assert printed.startswith("teams:")
    assert printed.endswith("*")
    policy["rules"][0]["resources"] = [f"teams:{place}*"]
    (deployment.home / "policy.yaml").write_text(yaml.safe_dump(policy))


@asynccontextmanager
async def running(deployment: Deployment) -> AsyncIterator[None]:
    serving = deployment.serving()
    await asyncio.to_thread(serving.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(serving.__exit__, None, None, None)


def offers(hand: Hand, message: Activity, verb: Verb) -> bool:
    return any(one.get("verb") == verb.value for one in actions_of(hand.seen(message)))


async def test_the_howto_leads_to_the_first_approved_action_and_its_undo(
    tmp_path: Path, page: str
) -> None:
    async with AsyncExitStack() as open_:
        teams = await open_.enter_async_context(open_fake_teams())
        office = await open_.enter_async_context(open_channels())
        team = office.channels.add_team("Support", office.add_people(4))
        channel = office.channels.add_channel(team, "help", kind="private")
        channel.members |= {one.user for one in office.add_people(2)}
        place = f"{team.id}/{channel.id}"
        deployment = await asyncio.to_thread(make_deployment, tmp_path / "keyturn-data")
        configure(deployment, page, teams, office)
        write_policy(deployment, page, place)
        teams.deliveries.url = f"http://127.0.0.1:{deployment.ports['people']}/teams/messages"
        hand = teams.hand(teams.add_account("Dana", is_installed=False))

        async def done(act: Callable[..., Any], *words: Any, **more: Any) -> Any:
            return await asyncio.to_thread(lambda: act(*words, **more))

        def newest(verb: Verb) -> Activity | None:
            mine = [one for one in hand.messages() if offers(hand, one, verb)]
            return mine[-1] if mine else None

        async with running(deployment):
            # 2 and 3: the doctor is content but for the address, and the app is built.
            ran = await done(deployment.run, "doctor", "teams", "--json")
            bad = [one for one in json.loads(ran.stdout)["findings"] if one["status"] == "fail"]
            assert [one["setting"] for one in bad] == ["public_url"], ran.stdout
            for words, file in (
                ((), "keyturn-teams.zip"),
                (("--connector", "teams"), "teams-teams.zip"),
            ):
                await done(deployment.done, "teams", "package", *words)
                assert zipfile.is_zipfile(deployment.home.parent / file)
            await hand.install()

            # 4: who is who.
            await done(deployment.done, "person", "create", "dana")
            made = await done(deployment.json, "person", "link-code", "dana", "--chat", "teams")
            await hand.type(f"link {made['code']}")
            asked = await teams.until(lambda: newest(Verb.LINK), within_s=20)
            assert "dana" in hand.text(asked)
            await hand.press(asked, Verb.LINK.value)
            ran = await done(deployment.run, "doctor", "teams", "--canary", "dana", "--json")
            told = {one["what"]: one["status"] for one in json.loads(ran.stdout)["findings"]}
            assert told["dana got a card, and it was changed and taken away"] == "ok"

            # 5: the first card, its effect, and back.
            agent = await done(
                deployment.json,
                *("agent", "create", "helper", "--owner", "dana", "--purpose", "Helps"),
                *("--for", "dana", "--verb", "teams.*"),
            )
            action = {
                "verb": "teams.post",
                "resource": f"teams:{place}",
                "params": {"text": MESSAGE},
            }
            answer = await done(asked_to_propose, deployment, agent["token"], action)
            assert answer.get("state") == "pending", answer
            card = await teams.until(lambda: newest(Verb.APPROVE), within_s=20)
            said = hand.text(card)
            assert "help of the team Support, a private channel with 2 members" in said
            assert MESSAGE in said
            assert office.world.activities == []
            await hand.press(card, Verb.APPROVE.value)
            undo = await teams.until(lambda: newest(Verb.UNDO), within_s=20)
            (posted,) = office.world.activities
            assert (posted.chat, text_of(posted.content)) == (channel.id, MESSAGE)
            assert undo.id == card.id

            await hand.press(undo, Verb.UNDO.value)  # asks once more
            await hand.press(undo, Verb.UNDO.value)
            await office.desk.until(lambda: office.desk.called("delete"), within_s=20)
            assert posted.is_deleted
            assert len(office.desk.called("create")) == 1
