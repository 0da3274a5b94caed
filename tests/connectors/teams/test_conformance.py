from collections.abc import AsyncIterator

import pytest

from adapters.teams.connector import TeamsConnector
from adapters.teams.testing.channels import WRITER_APP
from adapters.teams.testing.issuer import APP_PASSWORD, TENANT, Issuer, SigningPair
from bot.testing.connector import ConnectorConformance, Sample
from tests.connectors.teams.sections import CHANNEL, TEAM, action, connect, section
from tests.connectors.teams.target import TeamsTarget

PLACE = f"{TEAM}/{CHANNEL}"
MARKED = "Grüße, 世界 🌍 <at>all</at> & [x](https://x.example) **b** {"
TEXT = f'{MARKED}{{DATE(1)}}}}\n\n"quoted" \\ </script>'


def block(*runs: str) -> dict[str, object]:
    inlines = [{"type": "TextRun", "text": run} for run in runs]
    return {"type": "RichTextBlock", "spacing": "None", "inlines": inlines}


CARD = {
    "type": "AdaptiveCard",
    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
    "version": "1.5",
    "fallbackText": "A message",
    "body": [block(MARKED, "{DATE(1)}}"), block("\u00a0"), block('"quoted" \\ </script>')],
    "msteams": {"width": "Full"},
}
ARRIVES = {
    "isGroup": True,
    "bot": {"id": f"28:{WRITER_APP}"},
    "tenantId": TENANT,
    "channelData": {"channel": {"id": CHANNEL}, "tenant": {"id": TENANT}},
    "activity": {
        "type": "message",
        "summary": "A message",
        "attachments": [
            {"contentType": "application/vnd.microsoft.card.adaptive", "content": CARD}
        ],
    },
}
OTHERS = (
    action("post", PLACE, text="\u202egnp.exe" * 400),
    action("post", "not of this shape", text=""),
    action("edit", f"{PLACE}/15", text="new", replaces="old"),
    action("delete", f"{PLACE}/15/16", says="\u200b" * 900),
    action("reply", f"{PLACE}/15", text=7),
)


class TestTeams(ConnectorConformance):
    @pytest.fixture
    async def issuer(self) -> AsyncIterator[Issuer]:
        async with Issuer(app_id=WRITER_APP, pair=_pair()).running() as running:
            yield running

    @pytest.fixture
    async def sample(self, connector: TeamsConnector, issuer: Issuer) -> Sample:
        await connector.inspect(action("post", PLACE, text=TEXT))  # has a token now
        return Sample(
            action=action("post", PLACE, text=TEXT),
            arrives=ARRIVES,
            others=OTHERS,
            missing=action("post", f"{CHANNEL}/{CHANNEL}", text="x"),
            secrets=(APP_PASSWORD, *issuer.tokens),
        )

    @pytest.fixture
    async def target(self) -> AsyncIterator[TeamsTarget]:
        async with TeamsTarget() as running:
            yield running

    @pytest.fixture
    async def connector(self, target: TeamsTarget, issuer: Issuer) -> AsyncIterator[TeamsConnector]:
        connected = connect(section(service_url=target.service_url, login_url=issuer.login_url))
        yield connected
        await connected.close()


_KEPT: list[SigningPair] = []


def _pair() -> SigningPair:
    """Return one key for all tests: nothing here is signed, and making one takes a while."""
    if not _KEPT:
        _KEPT.append(SigningPair())
    return _KEPT[0]
