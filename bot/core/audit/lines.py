"""One line of an exported log: the exact bytes of an entry, and what opens its commitments."""

from collections.abc import Sequence
from typing import Any

import orjson

from bot.core.audit.export import NotReadable, read_object


def parts_of(line: bytes, index: int) -> tuple[bytes, Sequence[Any]]:
    """Return the body and the openings that stand in *line*, that of entry *index*.

    Raises:
        NotReadable: it is not such a line: the file is cut in the middle, or damaged.
    """
    try:
        value = orjson.loads(line)
        body, openings = value["body"], value["openings"]
        if type(body) is str and type(openings) is list:
            return body.encode(), openings
    except orjson.JSONDecodeError:
        if not line.endswith(b"\n"):
            raise NotReadable(f"The file ends in the middle of entry {index}.") from None
        read_object(line, what=f"line {index + 2}")
    except (KeyError, TypeError):
        pass
    raise NotReadable(f"Line {index + 2} is not an entry of an exported log.")
