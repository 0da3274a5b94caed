from dataclasses import replace

import pytest

from bot.testing.connector import ConnectorConformance, Sample
from tests.connectors.smtp.post_office import SECRET, SPELLED, USER
from tests.connectors.smtp.sections import attachment, mail

TEXT = 'Grüße, 世界 🌍\n.\n..\n"quoted" \\ </script>\nFrom here on  \n'
REPORT = attachment("Übersicht “1”.pdf", "application/pdf", b"%PDF\r\n.\r\n\x00\xff")
ACTION = mail(
    to=["ana@example.org", "li@bücher.example"],
    cc=["o'neil+x@other.example"],
    bcc=["boss@example.org"],
    subject="Zahlen für Q3 🌍 =?utf-8?q?not_this?=",
    text=TEXT,
    attachments=[REPORT],
    in_reply_to="<a.b@mail.example.org>",
    references=["<1@mail.example.org>", "<a.b@mail.example.org>"],
)
SAMPLE = Sample(
    action=ACTION,
    arrives={
        "from": USER,
        "recipients": [
            "ana@example.org",
            "li@xn--bcher-kva.example",
            "o'neil+x@other.example",
            "boss@example.org",
        ],
        "To": ["ana@example.org", "li@xn--bcher-kva.example"],
        "Cc": ["o'neil+x@other.example"],
        "subject": "Zahlen für Q3 🌍 =?utf-8?q?not_this?=",
        "text": TEXT,
        "attachments": [
            {
                "name": "Übersicht “1”.pdf",
                "type": "application/pdf",
                "content": REPORT["content_base64"],
            }
        ],
    },
    others=(
        mail(to=["a@b"], subject="\u202egnp.exe" * 40, text="x" * 100_000),
        mail(to=["a@xn--a"], attachments=[{**REPORT, "content_base64": "?", "type": ""}]),
        replace(ACTION, resource="not of this shape"),
    ),
    missing=replace(ACTION, resource="mail:ceo@example.org"),
    secrets=(SECRET, SPELLED),
)


class TestSmtp(ConnectorConformance):
    @pytest.fixture
    def sample(self) -> Sample:
        return SAMPLE
