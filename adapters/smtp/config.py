"""The section of a connector ``type: smtp`` in ``keyturn.yaml``, as it is written there."""

import re
from enum import StrEnum, unique
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from adapters.smtp.limits import MAX_MESSAGE_BYTES, MAX_RECIPIENTS, MAX_TIMEOUT_S
from adapters.smtp.mailbox import MailboxRefused, domain_of, mailbox_of
from bot.core.ip_address import is_disguised, is_literal, is_loopback, why_refused

_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}")


@unique
class Security(StrEnum):
    STARTTLS = "starttls"  #: begins in the clear; nothing but EHLO is sent before TLS
    TLS = "tls"
    NONE = "none"  #: on this machine only


#: RFC 6409, 3.1; RFC 8314, 3.3; RFC 5321, 4.5.4.2.
PORTS: Final = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


def _address(text: str) -> str:
    try:
        return str(mailbox_of(text))
    except MailboxRefused as error:
        raise ValueError(str(error)) from None


def _domain(text: str) -> str:
    try:
        return domain_of(text)
    except MailboxRefused:
        raise ValueError("write a domain such as example.com") from None


Address: TypeAlias = Annotated[str, AfterValidator(_address)]
Domain: TypeAlias = Annotated[str, AfterValidator(_domain)]
Line: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$")
]


class Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class CredentialSection(Section):
    """``reference`` says where the password is kept; the password itself is never here."""

    user: Line
    reference: Line


class ConnectorSection(Section):
    type: Literal["smtp"]
    allow_private: bool = False
    host: str
    security: Annotated[Security, Field(strict=False)] = Security.STARTTLS
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    credential: CredentialSection | None = None
    senders: Annotated[list[Address], Field(min_length=1, alias="from")]
    from_name: Line | None = None
    own_domains: Annotated[list[Domain], Field(min_length=1)]
    verb: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,99}$")] = "mail.send"
    timeout_s: Annotated[float, Field(gt=0, le=MAX_TIMEOUT_S)] = 20
    max_message_bytes: Annotated[int, Field(ge=1024, le=MAX_MESSAGE_BYTES)] = 10 * 2**20
    max_recipients: Annotated[int, Field(ge=1, le=MAX_RECIPIENTS)] = 20

    @property
    def listens_at(self) -> int:
        return self.port or PORTS[self.security]

    @field_validator("senders")
    @classmethod
    def _plain(cls, senders: list[str]) -> list[str]:
        for sender in senders:
            # A resource is a pattern in policies: these would stand for other addresses.
            if set(sender) & set("*?[]{}"):
                raise ValueError("an address to send from has no * or braces in it")
        return senders

    @field_validator("host")
    @classmethod
    def _reachable(cls, host: str, info: ValidationInfo) -> str:
        refusal = why_no_host(host, allow_private=info.data.get("allow_private", False))
        if refusal:
            raise ValueError(refusal)
        return host

    @field_validator("security")
    @classmethod
    def _private(cls, security: Security, info: ValidationInfo) -> Security:
        is_own = info.data.get("allow_private", False) and is_here(info.data.get("host", ""))
        if security is Security.NONE and not is_own:
            raise ValueError(
                "without TLS anybody on the way can read and change mail: use starttls or tls. "
                "Only a server on this machine may do without, with allow_private: true"
            )
        return security


def is_here(host: str) -> bool:
    """Tell whether *host* can only be this machine; the address is checked again at each use."""
    return host == "localhost" or is_loopback(host)


def why_no_host(host: str, *, allow_private: bool) -> str | None:
    """Return why mail cannot be handed to *host*, or None."""
    if is_literal(host):
        refusal = why_refused(host, allow_private=allow_private)
        return f"the host is {host}, {refusal}" if refusal else None
    if is_disguised(host) or not _HOST.fullmatch(host):
        return "the host is a name, or an address written out such as 192.0.2.7; no port, no URL"
    return None
