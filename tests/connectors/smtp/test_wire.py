"""What is on the wire, and what each way of going wrong proves."""

import ssl
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.smtp import SmtpConnector
from bot.ports.connector import Executed, Failed, InDoubt, Succeeded, Unknown
from bot.testing.connector import Behaviour
from tests.connectors.smtp.post_office import SECRET, PostOffice
from tests.connectors.smtp.sections import attachment, connect, mail, section

THREE = mail(to=["ana@example.org", "li@example.org"], bcc=["x@other.example"])


async def execute(connector: SmtpConnector, action: Any = THREE, *, key: str = "prp_1") -> Executed:
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    return await connector.execute(action, key=key, etag=None, deadline=deadline)


async def test_a_mail_that_is_taken_has_the_servers_own_number(
    connector: SmtpConnector, target: PostOffice
) -> None:
    outcome = await execute(connector)
    assert isinstance(outcome, Succeeded)
    assert outcome.reference == "2.0.0 Ok: queued as 4F1b9c"
    assert target.commands[-2:] == ["DATA", "QUIT"]
    assert target.connections == 1


async def test_the_envelope_names_everybody_and_the_message_not_the_blind_copies(
    connector: SmtpConnector, target: PostOffice
) -> None:
    await execute(connector)
    (write,) = target.effects
    assert isinstance(write.values, dict)
    assert write.values["recipients"] == ["ana@example.org", "li@example.org", "x@other.example"]
    assert b"other.example" not in target.raw[0]


@pytest.mark.parametrize("refused", [["li@example.org"], ["ana@example.org", "x@other.example"]])
async def test_one_refused_recipient_and_nobody_gets_it(
    connector: SmtpConnector, target: PostOffice, refused: Sequence[str]
) -> None:
    target.refuses = dict.fromkeys(refused, "550 5.1.1 no such mailbox")
    outcome = await execute(connector)
    assert outcome == Failed(
        reason="recipient_refused",
        detail=f"The mail server does not take mail for {', '.join(refused)}. "
        "It answered 550 “5.1.1 no such mailbox”. Nothing was sent.",
    )
    assert target.received == []
    assert "DATA" not in target.commands
    assert target.commands[-1] == "QUIT"


@pytest.mark.parametrize("reply", ["450 4.2.1 try later", "552 5.2.2 full"])
async def test_a_recipient_who_is_refused_for_now_is_refused(
    connector: SmtpConnector, target: PostOffice, reply: str
) -> None:
    target.refuses = {"x@other.example": reply}
    outcome = await execute(connector)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "recipient_refused"
    assert target.received == []
    assert target.connections == 1


@pytest.mark.parametrize(
    ("command", "reason"), [("MAIL", "sender_refused"), ("DATA", "content_refused")]
)
@pytest.mark.parametrize("code", [421, 451, 554])
async def test_a_refusal_before_the_message_is_failed(
    connector: SmtpConnector, target: PostOffice, command: str, reason: str, code: int
) -> None:
    target.refuses = {command: f"{code} not now"}
    outcome = await execute(connector)
    assert isinstance(outcome, Failed)
    assert outcome.reason == reason
    assert f"{code} “not now”" in outcome.detail
    assert target.received == []


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("250 OK", Succeeded),
        ("200 fine", Succeeded),
        ("451 4.3.0 try later", Failed),
        ("421 4.3.2 closing", Failed),
        ("554 5.7.1 spam", Failed),
        ("354 go on", InDoubt),
        ("650 what", InDoubt),
        ("000", InDoubt),
    ],
)
async def test_the_reply_to_the_message_decides(
    connector: SmtpConnector, target: PostOffice, reply: str, expected: type[Executed]
) -> None:
    target.answers = lambda: reply
    assert isinstance(await execute(connector), expected)
    assert len(target.received) == 1


async def test_a_doubt_says_what_to_look_for(connector: SmtpConnector, target: PostOffice) -> None:
    await target.behave(Behaviour.LOST_REPLY)
    outcome = await execute(connector, key="prp_7")
    assert isinstance(outcome, InDoubt)
    assert outcome.reason == "connection_lost"
    sent = next(line for line in target.raw[0].splitlines() if line.startswith(b"Message-ID: "))
    name = sent.decode().removeprefix("Message-ID: ")
    assert name in outcome.detail
    looked = await connector.lookup(THREE, key="prp_7")
    assert isinstance(looked, Unknown)
    assert name in looked.detail


async def test_a_message_that_breaks_off_before_its_end_was_not_sent(
    connector: SmtpConnector, target: PostOffice
) -> None:
    target.breaks_after_bytes = 100_000
    large = mail(attachments=[attachment("a.bin", "image/png", b"x" * 6_000_000)])
    outcome = await execute(connector, large)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "connection_lost"
    assert target.received == []


@pytest.mark.parametrize(("reply", "expected"), [("250 OK", Succeeded), ("554 spam", Failed)])
async def test_a_server_that_does_not_say_goodbye_changes_nothing(
    target: PostOffice, trusting: ssl.SSLContext, reply: str, expected: type[Executed]
) -> None:
    target.hangs_on_quit = True
    target.answers = lambda: reply
    connector = connect(section(port=target.port, timeout_s=0.8), tls=trusting)
    assert isinstance(await execute(connector), expected)


async def test_a_server_that_speaks_no_tls_where_it_should_is_failed() -> None:
    async with PostOffice(asks_who=False) as office:
        outcome = await execute(connect(section(port=office.port, security="tls")))
        assert isinstance(outcome, Failed)
        assert outcome.reason == "tls_failed"
        assert "could not be begun" in outcome.detail


async def test_a_large_message_arrives_whole(connector: SmtpConnector, target: PostOffice) -> None:
    content = bytes(range(256)) * 8_000
    outcome = await execute(
        connector, mail(attachments=[attachment("a.bin", "image/png", content)])
    )
    assert isinstance(outcome, Succeeded)
    (write,) = target.effects
    assert isinstance(write.values, dict)
    (part,) = write.values["attachments"]
    expected = attachment("a.bin", "image/png", content)["content_base64"]
    assert part["content"] == expected


async def test_a_server_that_takes_less_is_not_sent_more(
    connector: SmtpConnector, target: PostOffice
) -> None:
    target.size_limit = 2000
    outcome = await execute(connector, mail(text="x\n" * 2000))
    assert outcome == Failed(
        reason="too_large",
        detail="The mail server takes at most 2,000 bytes. Nothing was sent.",
    )
    assert target.received == []


async def test_a_reply_is_told_as_one_inert_line(
    connector: SmtpConnector, target: PostOffice
) -> None:
    target.answers = "250-2.0.0 \u202e<b>queued\r\n250 as\x00 7".encode
    outcome = await execute(connector)
    assert isinstance(outcome, Succeeded)
    assert outcome.reference is not None
    assert outcome.reference.isprintable()


async def test_a_wrong_password_is_failed_and_not_told(
    target: PostOffice, trusting: ssl.SSLContext
) -> None:
    made = section(port=target.port, credential={"user": "who", "reference": "env:X"})
    connector = connect(made, tls=trusting)
    outcome = await execute(connector)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "credential_refused"
    assert SECRET not in outcome.detail
    assert target.received == []


async def test_without_a_credential_the_server_decides(
    target: PostOffice, trusting: ssl.SSLContext
) -> None:
    connector = connect(section(port=target.port, credential=None), tls=trusting)
    outcome = await execute(connector)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "sender_refused"


async def test_tls_from_the_start(serving: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    async with PostOffice(tls=serving, implicit_tls=True, asks_who=False) as office:
        made = section(port=office.port, security="tls", credential=None)
        assert isinstance(await execute(connect(made, tls=trusting)), Succeeded)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_nobody_trusts_is_failed(
    serving: ssl.SSLContext, security: str
) -> None:
    is_implicit = security == "tls"
    async with PostOffice(tls=serving, implicit_tls=is_implicit, asks_who=False) as office:
        made = section(port=office.port, security=security)
        outcome = await execute(connect(made))
        assert isinstance(outcome, Failed)
        assert outcome.reason == "tls_failed"
        assert "certificate" in outcome.detail


async def test_a_certificate_for_another_name_is_failed(
    target: PostOffice, trusting: ssl.SSLContext
) -> None:
    made = section(port=target.port, host="other.example.org")
    outcome = await execute(connect(made, tls=trusting))
    assert isinstance(outcome, Failed)
    assert outcome.reason == "tls_failed"


async def test_a_server_without_tls_never_sees_the_password() -> None:
    async with PostOffice(asks_who=False) as office:
        outcome = await execute(connect(section(port=office.port)))
        assert outcome == Failed(
            reason="tls_failed",
            detail="The mail server does not offer TLS. Nothing was sent.",
        )
        assert office.commands == ["EHLO"]


async def test_a_server_where_one_cannot_sign_in_is_failed() -> None:
    async with PostOffice(asks_who=False, offers_sign_in=False) as office:
        made = section(port=office.port, host="localhost", security="none")
        outcome = await execute(connect(made))
        assert isinstance(outcome, Failed)
        assert outcome.reason == "sign_in_not_offered"


async def test_a_relay_on_this_machine_needs_no_tls() -> None:
    async with PostOffice(asks_who=False) as office:
        made = section(port=office.port, host="localhost", security="none", credential=None)
        assert isinstance(await execute(connect(made)), Succeeded)


@pytest.mark.parametrize(
    ("answer", "allow_private"),
    [
        (["127.0.0.1"], False),
        (["8.8.8.8", "127.0.0.1"], False),
        (["::ffff:127.0.0.1"], False),
        (["169.254.169.254"], True),
        (["127.0.0.1", "0.0.0.0"], True),
    ],
)
async def test_a_name_that_leads_where_no_mail_may_go_is_not_connected_to(
    target: PostOffice, answer: list[str], *, allow_private: bool
) -> None:
    async def names(_host: str) -> list[str]:
        return answer

    made = section(port=target.port, allow_private=allow_private)
    outcome = await execute(connect(made, resolver=names))
    assert isinstance(outcome, Failed)
    assert outcome.reason == "unreachable"
    assert "may not connect there" in outcome.detail
    assert target.connections == 0


async def test_without_tls_a_name_that_leads_off_this_machine_is_not_connected_to() -> None:
    async def names(_host: str) -> list[str]:
        return ["10.0.0.1"]

    made = section(host="localhost", security="none")
    outcome = await execute(connect(made, resolver=names))
    assert isinstance(outcome, Failed)
    assert "TLS is switched off" in outcome.detail


async def test_the_next_address_is_tried_when_nothing_listens_at_the_first(
    target: PostOffice, trusting: ssl.SSLContext
) -> None:
    async def names(_host: str) -> list[str]:
        return ["127.0.0.9", "127.0.0.1"]

    connector = connect(section(port=target.port), tls=trusting, resolver=names)
    assert isinstance(await execute(connector), Succeeded)
    assert target.connections == 1


async def test_what_is_no_mail_is_failed_without_a_connection(
    connector: SmtpConnector, target: PostOffice
) -> None:
    for action in (
        mail(to=["x@other.example\r\nDATA"]),
        replace(THREE, resource="mail:boss@example.org"),
        replace(THREE, params={}),
        replace(THREE, params={"to": 7}),
    ):
        assert isinstance(await execute(connector, action), Failed)
    assert target.connections == 0


async def test_a_closed_connector_sends_nothing(
    connector: SmtpConnector, target: PostOffice
) -> None:
    await connector.close()
    assert isinstance(await execute(connector), Failed)
    assert target.connections == 0
