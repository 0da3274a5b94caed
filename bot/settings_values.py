"""What single keys of `keyturn.yaml` take, and in which words another value is refused."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, StringConstraints, ValidationInfo

from bot.core.ip_address import is_disguised, is_literal

Name: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)*$", max_length=64)
]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65_535)]
Cap: TypeAlias = Annotated[int, Field(ge=1)]
#: What a chat, connector or store says for itself; its own adapter parses it.
Own: TypeAlias = dict[str, Any]

UTC_NAME = "UTC"
_HOST = re.compile(r"[a-z0-9.-]{1,253}")


def _path(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str) or not value:
        raise ValueError("is not a path. Write it as text; it is relative to the settings file")
    context: dict[str, Path] = info.context or {}
    return context.get("folder", Path()) / Path(value).expanduser()


def _network(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("is not an address range. Write it as text, for example 10.0.0.0/8")  # noqa: TRY004
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        raise ValueError(
            f"{value} is not an address range. Write it like 10.0.0.0/8 or 192.0.2.7/32"
        ) from None


def _host(value: object) -> object:
    is_host = isinstance(value, str) and (
        is_literal(value) or (_HOST.fullmatch(value) is not None and not is_disguised(value))
    )
    if not is_host:
        raise ValueError(
            f"{value} is not a host. Write its name in small letters or its address, no port"
        )
    return value


def _zone(value: object) -> object:
    if value == UTC_NAME:
        return value
    try:
        return ZoneInfo(str(value)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{value} is no time zone of this machine. Write it like UTC or Europe/Berlin"
        ) from None


Zone: TypeAlias = Annotated[str, BeforeValidator(_zone)]
Location: TypeAlias = Annotated[Path, BeforeValidator(_path)]
Host: TypeAlias = Annotated[str, BeforeValidator(_host)]
Network: TypeAlias = Annotated[
    ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(_network)
]
