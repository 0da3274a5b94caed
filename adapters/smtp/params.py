"""The params of the one verb: their JSON Schema, and what they come to."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import jsonschema_rs

from adapters.smtp.limits import (
    MAX_ADDRESS_CHARS,
    MAX_ATTACHMENTS,
    MAX_MESSAGE_ID_CHARS,
    MAX_NAME_CHARS,
    MAX_REFERENCES,
    MAX_SUBJECT_CHARS,
)
from adapters.smtp.mailbox import PATTERN, Mailbox, MailboxRefused, mailbox_of
from bot.core.canonical import Json
from bot.core.errors import InvalidInput
from bot.core.proposal import Action

RESOURCE: Final = "mail:"

_ONE_LINE: Final = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"
_LINES: Final = r"^[^\u0000-\u0008\u000b-\u001f\u007f]*$"
_MESSAGE_ID: Final = r"^<[A-Za-z0-9!#$%&'*+/=^_`{|}~.-]+@[A-Za-z0-9.:_\[\]-]+>$"
_FILE_NAME: Final = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029/\\]*$"
_NAME: Final = "[a-z0-9][a-z0-9.+-]{0,62}"
_TYPE: Final = re.compile(
    r"(?!message/|multipart/)[a-z0-9][a-z0-9.+-]{0,62}/[a-z0-9][a-z0-9.+-]{0,62}"
)


def params_schema(*, max_recipients: int) -> dict[str, Json]:
    """Return the schema that params of mail have to fit."""
    address: Json = {"type": "string", "maxLength": MAX_ADDRESS_CHARS, "pattern": PATTERN}
    addresses: Json = {"type": "array", "items": address, "maxItems": max_recipients}
    message_id: Json = {
        "type": "string",
        "maxLength": MAX_MESSAGE_ID_CHARS,
        "pattern": _MESSAGE_ID,
    }
    attachment: Json = {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "type", "sha256", "content_base64"],
        "properties": {
            "name": {
                "type": "string",
                "minLength": 1,
                "maxLength": MAX_NAME_CHARS,
                "pattern": _FILE_NAME,
            },
            "type": {"type": "string", "maxLength": 127},
            "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "content_base64": {"type": "string"},
        },
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["to", "subject", "text"],
        "properties": {
            "to": {**cast("dict[str, Json]", addresses), "minItems": 1},
            "cc": addresses,
            "bcc": addresses,
            "subject": {
                "type": "string",
                "minLength": 1,
                "maxLength": MAX_SUBJECT_CHARS,
                "pattern": _ONE_LINE,
            },
            "text": {"type": "string", "minLength": 1, "pattern": _LINES},
            "attachments": {"type": "array", "items": attachment, "maxItems": MAX_ATTACHMENTS},
            "in_reply_to": message_id,
            "references": {"type": "array", "items": message_id, "maxItems": MAX_REFERENCES},
        },
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    name: str
    type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What is to be sent, and to whom. Lines of ``text`` end with LF."""

    sender: Mailbox
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()
    subject: str
    text: str
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()

    @property
    def recipients(self) -> tuple[Mailbox, ...]:
        return (*self.to, *self.cc, *self.bcc)

    @property
    def size_bytes(self) -> int:
        """How much there is to write, about."""
        return len(self.text) + sum(len(one.content) for one in self.attachments)


class MailReader:
    """Reads what an action says into what is to be sent."""

    def __init__(self, *, senders: Sequence[str], max_recipients: int) -> None:
        self._senders = {f"{RESOURCE}{sender}": mailbox_of(sender) for sender in senders}
        self._max_recipients = max_recipients
        self.schema: Mapping[str, Json] = params_schema(max_recipients=max_recipients)
        self._validator = jsonschema_rs.Draft202012Validator(dict(self.schema))

    def read(self, action: Action) -> Mail:
        """Return the mail that *action* is about.

        Raises:
            InvalidInput: nobody may send from there, an address is none or is there twice, or an
                attachment is not what it says.
        """
        sender = self._senders.get(action.resource)
        if sender is None:
            raise InvalidInput(
                "there is no such address to send from",
                field="/action/resource",
                remedy=f"Write one of {', '.join(self._senders)}.",
            )
        self._check(action.params)
        params = cast("Mapping[str, Sequence[str]]", action.params)
        mail = Mail(
            sender=sender,
            to=_mailboxes(params, "to"),
            cc=_mailboxes(params, "cc"),
            bcc=_mailboxes(params, "bcc"),
            subject=cast("str", action.params["subject"]),
            text=cast("str", action.params["text"]),
            attachments=_attachments(action.params),
            in_reply_to=cast("str | None", action.params.get("in_reply_to")),
            references=tuple(params.get("references", ())),
        )
        self._count(mail.recipients)
        return mail

    def _check(self, params: Mapping[str, Json]) -> None:
        for error in self._validator.iter_errors(dict(params)):
            field = "/action/params" + "".join(f"/{step}" for step in error.instance_path)
            raise InvalidInput("this does not fit the schema of the verb", field=field)

    def _count(self, recipients: Sequence[Mailbox]) -> None:
        if len(recipients) > self._max_recipients:
            raise InvalidInput(
                f"a mail goes to at most {self._max_recipients} addresses here",
                field="/action/params/to",
            )
        seen: set[str] = set()
        for one in recipients:
            if str(one).casefold() in seen:
                raise InvalidInput(f"{one} is there twice", field="/action/params/to")
            seen.add(str(one).casefold())


def _mailboxes(params: Mapping[str, Sequence[str]], name: str) -> tuple[Mailbox, ...]:
    found: list[Mailbox] = []
    for at, text in enumerate(params.get(name, ())):
        try:
            found.append(mailbox_of(text))
        except MailboxRefused as error:
            raise InvalidInput(str(error), field=f"/action/params/{name}/{at}") from None
    return tuple(found)


def _attachments(params: Mapping[str, Json]) -> tuple[Attachment, ...]:
    listed = cast("Sequence[Mapping[str, str]]", params.get("attachments", ()))
    return tuple(
        _attachment(one, f"/action/params/attachments/{at}") for at, one in enumerate(listed)
    )


def _attachment(listed: Mapping[str, str], place: str) -> Attachment:
    name = listed["name"]
    if "=?" in name or name.strip() != name or name.strip(".") != name:
        raise InvalidInput(
            "a file name neither begins nor ends with a dot or a space, and has no =? in it",
            field=f"{place}/name",
        )
    if not _TYPE.fullmatch(listed["type"]):
        raise InvalidInput(
            "a type is written as application/pdf, and is neither message nor multipart",
            field=f"{place}/type",
        )
    content = content_of(listed["content_base64"])
    if content is None:
        raise InvalidInput(
            "the content is not base64 as in RFC 4648, 4", field=f"{place}/content_base64"
        )
    if hashlib.sha256(content).hexdigest() != listed["sha256"]:
        raise InvalidInput("the content has another SHA-256 than it says", field=f"{place}/sha256")
    return Attachment(name=name, type=listed["type"], content=content)


def content_of(encoded: str) -> bytes | None:
    """Return the bytes that *encoded* spells, or None if it is not their one spelling."""
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if base64.b64encode(content).decode() == encoded else None
