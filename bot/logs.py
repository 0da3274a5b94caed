"""Logs are events with fields, as text for people or JSON for machines; never the audit log."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from bot.core.secret_scan import without_secrets

OURS = ("bot", "adapters", "store")

_BUILT_IN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _BUILT_IN}


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


class TextLines(logging.Formatter):
    """One line: time, level where it matters, event, fields as name=value."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(self._line(record))

    def _line(self, record: logging.LogRecord) -> str:
        time = _time(record).strftime("%H:%M:%S")
        level = f" {record.levelname.lower()}:" if record.levelno >= logging.WARNING else ""
        fields = "".join(f" {name}={_spelled(value)}" for name, value in _fields(record).items())
        return f"{time}{level} {_one_line(record.getMessage())}{fields}{self._cause(record)}"

    def _cause(self, record: logging.LogRecord) -> str:
        return f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""


class JsonLines(logging.Formatter):
    """One JSON object a line: ``at``, ``level``, ``event``, ``logger``, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": _time(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            **_fields(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(_cleaned(entry), default=str, ensure_ascii=False)


def _cleaned(value: Any) -> Any:
    match value:
        case dict():
            return {str(name): _cleaned(member) for name, member in value.items()}
        case list() | tuple():
            return [_cleaned(member) for member in value]
        case bool() | int() | float() | None:
            return value
        case _:
            return without_secrets(str(value))


def _spelled(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False) if set(text) & set(' "=\n') else _one_line(text)


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def begin(level: str, format: Literal["text", "json"], *, to: TextIO | None = None) -> None:
    """Send every event of Keyturn at *level* or above to *to*, standard error by default.

    Of the libraries only warnings are passed on: their access logs may hold link codes.
    """
    handler = logging.StreamHandler(to or sys.stderr)
    handler.setFormatter(JsonLines() if format == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for package in OURS:
        logging.getLogger(package).setLevel(level.upper())
