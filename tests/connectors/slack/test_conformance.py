from collections.abc import AsyncIterator

import pytest

from adapters.slack.connector import SlackConnector
from bot.testing.connector import KEY, ConnectorConformance, Sample
from tests.connectors.slack.sections import CHANNEL, SECRET, TEAM, action, connect, section
from tests.connectors.slack.target import SlackTarget

TEXT = 'Grüße, 世界 🌍 <!channel> & <https://x.example|y> *b*\n"quoted" \\ </script>'
PLACE = f"{TEAM}/{CHANNEL}"
SAMPLE = Sample(
    action=action("post", PLACE, text=TEXT),
    arrives={
        "channel": CHANNEL,
        "text": TEXT.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
        "blocks": [
            {
                "type": "rich_text",
                "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": TEXT}]}
                ],
            }
        ],
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {"event_type": "keyturn_action", "event_payload": {"key": KEY}},
    },
    others=(
        action("post", PLACE, text="\u202egnp.exe" * 400, mention=["here", "U0ANA"]),
        action("post", "not of this shape", text=""),
        action("update", f"{PLACE}/1.5", text="new", replaces="old"),
        action("delete", f"{PLACE}/1.5"),
        action("reply", f"{PLACE}/1.5", text="yes", mention=7),
    ),
    missing=action("post", f"{TEAM}/C0NOWHERE", text="x"),
    secrets=(SECRET,),
)


class TestSlack(ConnectorConformance):
    @pytest.fixture
    def sample(self) -> Sample:
        return SAMPLE

    @pytest.fixture
    async def target(self) -> AsyncIterator[SlackTarget]:
        async with SlackTarget() as running:
            yield running

    @pytest.fixture
    async def connector(self, target: SlackTarget) -> AsyncIterator[SlackConnector]:
        connected = connect(section(api_url=target.api_url))
        yield connected
        await connected.close()
