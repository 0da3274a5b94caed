"""The loggers that are handed to Bolt: they are quiet, and keep neither tokens nor payloads."""

import logging
import re
from typing import Final

REDACTED: Final = "[redacted]"

#: Tokens, signatures, trigger ids, response addresses and tickets of sockets.
_SECRET: Final = re.compile(
    r"(?:xox[a-z](?:[.-][A-Za-z0-9-]+)+|xapp-[A-Za-z0-9-]+|v0=[0-9a-f]{16,}"
    r"|(?<=ticket=)[^&\s'\"]+|(?:https?|wss?)://[^\s'\"]+|\{.*)",
    re.DOTALL,
)


class Redacting(logging.Filter):
    """Keeps the first words of what Bolt says; what follows may be a payload."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        said = _SECRET.sub(REDACTED, record.getMessage())
        record.msg = said.splitlines()[0][:200] if said else said
        record.args = None
        # A traceback repeats the message of its error, and that the payload.
        record.exc_info = record.exc_text = None
        if error is not None:
            record.error = type(error).__name__
        return True


def quiet(name: str, level: int = logging.WARNING) -> logging.Logger:
    """Return a logger below ``keyturn.slack`` that redacts."""
    logger = logging.getLogger(f"keyturn.slack.{name}")
    logger.setLevel(level)
    if not any(isinstance(one, Redacting) for one in logger.filters):
        logger.addFilter(Redacting())
    return logger
