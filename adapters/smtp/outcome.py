"""What a conversation with a mail server proves. Failed is for what was provably not sent."""

from collections.abc import Mapping
from typing import Final, assert_never

from adapters.smtp.client import (
    Accepted,
    Exchange,
    NoAnswer,
    NotSent,
    Refused,
    Reply,
    Stage,
    TooLarge,
)
from adapters.smtp.limits import REPLY_CHARS
from bot.core.untrusted import Untrusted, one_line
from bot.ports.connector import Executed, Failed, InDoubt, Succeeded

REFUSALS: Final[Mapping[Stage, tuple[str, str]]] = {
    Stage.CONNECT: ("server_refused", "does not take mail now"),
    Stage.HELLO: ("server_refused", "does not take mail from Keyturn"),
    Stage.TLS: ("tls_failed", "did not begin TLS"),
    Stage.SIGN_IN: ("credential_refused", "does not accept Keyturn's credential"),
    Stage.SENDER: ("sender_refused", "does not take mail from this sender"),
    Stage.RECIPIENTS: ("recipient_refused", "does not take mail for"),
    Stage.CONTENT: ("content_refused", "does not take the message"),
    Stage.END: ("content_refused", "did not take the message"),
}


def outcome_of(exchange: Exchange, *, message_id: str) -> Executed:
    """Return what *exchange* proves; *message_id* is what people can look for."""
    match exchange:
        case Accepted(reply=reply):
            said = in_words(reply.text)
            return Succeeded(
                detail=f"The mail server took it ({reply.code} {said}), as {message_id}.",
                reference=said or message_id,
            )
        case TooLarge(limit_bytes=limit):
            return Failed(
                reason="too_large",
                detail=f"The mail server takes at most {limit:,} bytes. Nothing was sent.",
            )
        case Refused():
            return _refused(exchange, message_id)
        case NotSent(why=why, detail=detail):
            return Failed(reason=why.value, detail=f"{detail} Nothing was sent.")
        case NoAnswer(why=why, detail=detail):
            return _doubt(why.value, detail, message_id)
        case _:
            assert_never(exchange)


def _refused(refused: Refused, message_id: str) -> Executed:
    stage, reply = refused.stage, refused.reply
    if stage is Stage.END and not 400 <= reply.code < 600:
        return _doubt("unexpected_reply", f"The mail server answered {_said(reply)}.", message_id)
    reason, does_not = REFUSALS[stage]
    if refused.recipients:
        does_not += f" {', '.join(refused.recipients)}"
    return Failed(
        reason=reason,
        detail=f"The mail server {does_not}. It answered {_said(reply)}. Nothing was sent.",
    )


def _doubt(reason: str, detail: str, message_id: str) -> InDoubt:
    return InDoubt(
        reason=reason,
        detail=f"{detail} It may have sent the mail: look for the Message-ID {message_id}.",
    )


def _said(reply: Reply) -> str:
    said = in_words(reply.text)
    return f"{reply.code} “{said}”" if said else str(reply.code)


def in_words(text: str) -> str:
    """Return what a server said as one inert line."""
    # A reply of several lines is one text to people.
    return one_line(Untrusted(" ".join(text.split())), max_chars=REPLY_CHARS)
