"""The message as bytes (RFC 5322 and MIME): the same mail, key and time, the same bytes."""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from adapters.smtp.limits import ENCODED_WORD_BYTES, LINE_CHARS
from adapters.smtp.mailbox import Mailbox
from adapters.smtp.params import Mail
from bot.core.errors import InvalidInput

_POLICY: Final = policy.SMTP.clone(cte_type="7bit")
_FOLD: Final = "\r\n "
_BARE_BREAK: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def message_id(mail: Mail, *, key: str) -> str:
    """Return the Message-ID that the mail has under *key*: who looks for it can compute it."""
    return f"<{_hash('message-id', key)}@{mail.sender.domain}>"


def build(mail: Mail, *, key: str, date: datetime, from_name: str | None = None) -> bytes:
    """Return the message; nothing in it names the recipients under ``bcc``.

    Raises:
        InvalidInput: it would not be read as it was shown.
    """
    head = "".join(
        f"{name}: {value}\r\n" for name, value in _headers(mail, key, date, from_name) if value
    )
    data = head.encode("ascii") + _entity(mail, key).as_bytes()
    if not _reads_as(data, mail):
        raise InvalidInput("this cannot be written as a mail that everybody reads alike")
    return data


def _headers(
    mail: Mail, key: str, date: datetime, from_name: str | None
) -> Iterator[tuple[str, str]]:
    yield "From", str(mail.sender) if from_name is None else f"{_phrase(from_name)} <{mail.sender}>"
    yield "To", _list(mail.to)
    yield "Cc", _list(mail.cc)
    yield "Subject", _text(mail.subject)
    yield "Date", format_datetime(date)
    yield "Message-ID", message_id(mail, key=key)
    yield "In-Reply-To", mail.in_reply_to or ""
    yield "References", _FOLD.join(mail.references)


def _entity(mail: Mail, key: str) -> EmailMessage:
    entity = EmailMessage(policy=_POLICY)
    entity.set_content(mail.text)
    for attachment in mail.attachments:
        kind, _, subtype = attachment.type.partition("/")
        entity.add_attachment(
            attachment.content, maintype=kind, subtype=subtype, filename=attachment.name
        )
    if mail.attachments:
        # "=_" is in no base64 and no quoted-printable (RFC 2045, 6.7).
        entity.set_boundary(f"=_{_hash('boundary', key)}")
    return entity


def _list(mailboxes: Sequence[Mailbox]) -> str:
    return f",{_FOLD}".join(map(str, mailboxes))


def _phrase(text: str) -> str:
    return f'"{text}"' if _is_plain(text) and not set(text) & set('"\\') else _encoded(text)


def _text(text: str) -> str:
    return text if _is_plain(text) else _encoded(text)


def _is_plain(text: str) -> bool:
    """Tell whether *text* can stand in a header as it is, on the line that it begins on."""
    return (
        text.isascii()
        and text.isprintable()
        and " ".join(text.split()) == text
        and "=?" not in text
        and len("Subject: ") + len(text) <= LINE_CHARS
    )


def _encoded(text: str) -> str:
    """Return *text* as encoded words (RFC 2047), none of which ends within a character."""
    words, word = [], b""
    for char in text:
        encoded = char.encode()
        if len(word) + len(encoded) > ENCODED_WORD_BYTES:
            words.append(word)
            word = b""
        word += encoded
    words.append(word)
    return _FOLD.join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words)


def _hash(what: str, key: str) -> str:
    return hashlib.sha256(f"keyturn {what} {key}".encode()).hexdigest()[:40]


def _reads_as(data: bytes, mail: Mail) -> bool:
    """Tell whether somebody who reads *data* gets what people were shown."""
    # A lone CR or LF is an end of mail to some servers and text to others (CVE-2023-51764).
    if _BARE_BREAK.search(data):
        return False
    read = message_from_bytes(data, policy=policy.default)
    body = read.get_body()
    text = mail.text if mail.text.endswith("\n") else mail.text + "\n"
    return (
        str(read["Subject"]) == mail.subject
        and _addresses(read, "From") == [str(mail.sender)]
        and _addresses(read, "To") == [str(one) for one in mail.to]
        and _addresses(read, "Cc") == [str(one) for one in mail.cc]
        and "Bcc" not in read
        and body is not None
        and body.get_content().replace("\r\n", "\n") == text
        and [
            (part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
            for part in read.iter_attachments()
        ]
        == [(one.name, one.type, one.content) for one in mail.attachments]
    )


def _addresses(read: EmailMessage, name: str) -> list[str]:
    header = read[name]
    return [] if header is None else [one.addr_spec for one in header.addresses]
