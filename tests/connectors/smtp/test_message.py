"""What is sent reads as what was shown, whatever an agent writes."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.smtp.limits import LINE_CHARS
from adapters.smtp.mailbox import MailboxRefused, domain_of, mailbox_of
from adapters.smtp.message import build, message_id
from adapters.smtp.params import MailReader
from bot.core.errors import InvalidInput
from tests.connectors.smtp.post_office import USER, addresses
from tests.connectors.smtp.sections import attachment, mail

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
READER = MailReader(senders=[USER], max_recipients=20)

ATOMS = st.from_regex(r"[A-Za-z0-9#$&'*+=^_{}~]{1,12}", fullmatch=True)
LOCALS = st.lists(ATOMS, min_size=1, max_size=4).map(".".join)
LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True).filter(
    lambda label: label[2:4] != "--"
)
DOMAINS = st.tuples(st.lists(LABELS, min_size=1, max_size=4), st.sampled_from(["example", "org"]))
ADDRESSES = st.builds(lambda local, at: f"{local}@{'.'.join((*at[0], at[1]))}", LOCALS, DOMAINS)
LISTS = st.lists(st.lists(ADDRESSES, min_size=1, max_size=5), min_size=3, max_size=3).filter(
    lambda lists: len({one.casefold() for some in lists for one in some}) == sum(map(len, lists))
)
CHARS = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
LINE = st.text(CHARS, min_size=1, max_size=400) | st.sampled_from(
    ["=?utf-8?q?evil?=", " ", "a  b", " a", "x" * 400, "🌍" * 400, "Re: =?x?=", "a\u0301" * 200]
)
TEXT = st.text(CHARS | st.sampled_from("\n\t. "), min_size=1) | st.sampled_from(
    [".", "..\n.", "From me", "x" * 5000, "\n", "\n.\n", "a\n\n", "=20", "tail \n", "\u2028\x85"]
)
NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="/\\"),
    min_size=1,
    max_size=150,
).filter(lambda name: name.strip() == name and name.strip(".") == name and "=?" not in name)
FILES = st.builds(
    attachment,
    NAMES,
    st.sampled_from(["application/pdf", "text/plain", "text/html", "image/png", "x-a/y.b+c"]),
    st.binary(max_size=300),
)
IDS = st.from_regex(r"<[A-Za-z0-9.=_+-]{1,100}@[a-z0-9.-]{1,100}>", fullmatch=True)


def built(key: str = "prp_1", **params: Any) -> bytes:
    return build(READER.read(mail(**params)), key=key, date=NOW, from_name="Ana “Ä” at work")


@given(
    lists=LISTS,
    subject=LINE,
    text=TEXT,
    files=st.lists(FILES, max_size=3),
    in_reply_to=st.none() | IDS,
    references=st.lists(IDS, max_size=4),
)
def test_every_mail_that_is_accepted_reads_as_it_was_shown(
    *,
    lists: list[list[str]],
    subject: str,
    text: str,
    files: list[Mapping[str, Any]],
    in_reply_to: str | None,
    references: list[str],
) -> None:
    to, cc, bcc = lists
    data = built(
        to=to,
        cc=cc,
        bcc=bcc,
        subject=subject,
        text=text,
        attachments=files,
        in_reply_to=in_reply_to,
        references=references,
    )
    assert data.isascii()
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", data)
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))
    read = message_from_bytes(data, policy=policy.default)
    assert (addresses(read, "To"), addresses(read, "Cc")) == (to, cc)
    assert "Bcc" not in read
    assert str(read["Subject"]) == subject
    raw = re.search(rb"^Subject: (.*?)\r\n(?! )", data, re.DOTALL | re.MULTILINE)
    assert raw is not None
    assert str(make_header(decode_header(raw[1].decode()))) == subject
    body = read.get_body()
    assert body is not None
    shown = body.get_content().replace("\r\n", "\n")
    assert shown == (text if text.endswith("\n") else text + "\n")
    parts = list(read.iter_attachments())
    assert [part.get_filename() for part in parts] == [one["name"] for one in files]
    assert (read["In-Reply-To"] or None) == in_reply_to
    assert str(read["References"] or "").split() == references


@given(LINE)
def test_lines_of_a_header_stay_short(subject: str) -> None:
    head = built(subject=subject).partition(b"\r\n\r\n")[0]
    assert all(len(line) <= LINE_CHARS for line in head.split(b"\r\n"))


@pytest.mark.parametrize("name", ["to", "cc", "bcc"])
@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "@example.org",
        "ana@",
        "ana@example",
        "ana@127.0.0.1",
        "ana@[127.0.0.1]",
        "Ana <ana@example.org>",
        "<ana@example.org>",
        '"boss@example.org" <x@evil.example>',
        '"ana b"@example.org',
        "ana(boss)@example.org",
        "ana@example.org,x@evil.example",
        "ana@example.org@evil.example",
        "x%evil.example@example.org",
        "evil.example!x@example.org",
        "ana@example.org\r\nBcc: x@evil.example",
        "ana@example.org\n",
        "ana @example.org",
        "ana@exa mple.org",
        ".ana@example.org",
        "a..na@example.org",
        "-ana@example.org",
        "аna@example.org",
        "ana@example.org.",
        "ana@-example.org",
        "ana@exämple。org",
        "ana@EXÄMPLE.org",
        "ana@xn--a.example",
        "ana\x00@example.org",
        "ana@example.org\u202e",
        "=?utf-8?q?x?=@example.org",
        "a" * 65 + "@example.org",
        "a@" + ".".join(["b" * 60] * 5),
    ],
)
def test_what_is_no_plain_address_is_refused(name: str, address: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        READER.read(mail(**{"to": ["li@example.org"], name: [address]}))
    assert (raised.value.field or "").startswith(f"/action/params/{name}")


@given(st.text())
def test_an_address_is_ascii_without_anything_around_it(text: str) -> None:
    try:
        found = str(mailbox_of(text))
    except MailboxRefused:
        return
    assert re.fullmatch(r"[!-~]+@[a-z0-9.-]+", found)
    assert str(mailbox_of(found)) == found


def test_a_domain_is_written_as_the_dns_has_it() -> None:
    assert domain_of("Example.ORG") == "example.org"
    assert domain_of("bücher.example") == "xn--bcher-kva.example"
    assert domain_of("xn--bcher-kva.example") == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"subject": "Hi\r\nBcc: x@evil.example"}, "subject"),
        ({"subject": "Hi\u2028there"}, "subject"),
        ({"subject": ""}, "subject"),
        ({"text": "a\rb"}, "text"),
        ({"text": "a\r\n.\r\nMAIL FROM:<x@evil.example>"}, "text"),
        ({"text": "\x00"}, "text"),
        ({"to": []}, "to"),
        ({"to": [f"a{n}@example.org" for n in range(21)]}, "to"),
        ({"to": ["a@example.org"] * 2}, "to"),
        ({"to": ["a@example.org"], "bcc": ["A@Example.org"]}, "to"),
        ({"cc": [f"a{n}@example.org" for n in range(20)]}, "to"),
        ({"in_reply_to": "no-brackets@example.org"}, "in_reply_to"),
        ({"in_reply_to": "<a@b>\r\nBcc: x@evil.example"}, "in_reply_to"),
        ({"references": ["<a@b>", "<a@b> <c@d>"]}, "references/1"),
        ({"html": "<b>Hi</b>"}, ""),
    ],
)
def test_params_that_are_no_mail_are_refused_with_their_place(
    params: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as raised:
        READER.read(mail(**params))
    assert raised.value.field == f"/action/params/{field}".rstrip("/")


GOOD = attachment("a.pdf", "application/pdf", b"%PDF")


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("sha256", "0" * 64),
        ("sha256", GOOD["sha256"].upper() if isinstance(GOOD["sha256"], str) else ""),
        ("content_base64", "JVBERg"),
        ("content_base64", "JVBERh=="),
        ("content_base64", "JVBE\nRg=="),
        ("content_base64", "!!!!"),
        ("type", "message/rfc822"),
        ("type", "multipart/mixed"),
        ("type", 'text/plain; name="x"'),
        ("type", "pdf"),
        ("name", "../../etc/passwd"),
        ("name", "a\r\nX: y.pdf"),
        ("name", "=?utf-8?q?evil.exe?="),
        ("name", "evil.exe ."),
        ("name", "\u00a0evil.exe"),
        ("name", ""),
    ],
)
def test_an_attachment_that_is_not_what_it_says_is_refused(member: str, value: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        READER.read(mail(attachments=[GOOD, {**GOOD, member: value}]))
    assert raised.value.field == f"/action/params/attachments/1/{member}"


def test_the_same_mail_and_key_and_time_are_the_same_bytes() -> None:
    assert built(attachments=[GOOD]) == built(attachments=[GOOD])
    assert built(attachments=[GOOD]) != built("prp_2", attachments=[GOOD])


def test_the_message_id_depends_on_the_key_alone() -> None:
    one, other = READER.read(mail()), READER.read(mail(subject="Other"))
    assert message_id(one, key="prp_1") == message_id(other, key="prp_1")
    assert message_id(one, key="prp_1") != message_id(one, key="prp_2")
    assert f"Message-ID: {message_id(one, key='prp_1')}\r\n".encode() in built()


def test_nobody_reads_who_gets_a_blind_copy() -> None:
    assert b"boss" not in built(bcc=["boss@example.org"], attachments=[GOOD])


def test_nobody_may_send_from_another_address() -> None:
    action = mail()
    for resource in ("mail:boss@example.org", "mail:", USER, f"mail:{USER.upper()}"):
        with pytest.raises(InvalidInput) as raised:
            READER.read(type(action)(verb="mail.send", resource=resource, params=action.params))
        assert raised.value.field == "/action/resource"
