# ruff: noqa: INP001 - a script, run by its path
"""Draws both icons of the Teams app: the key of the web inbox, as pixels.

    python manifests/teams/draw_icons.py adapters/teams/icons

Teams wants a square of 192 pixels in colour and a white outline of 32 on nothing. The files are
kept, so that the package is the same, byte for byte, wherever it is built; a test draws them again.
"""

import math
import struct
import sys
import zlib
from pathlib import Path
from typing import Final, TypeAlias

Colour: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[float, float]

GREEN: Final[Colour] = (0x17, 0x49, 0x3D)
GOLD: Final[Colour] = (0xE9, 0xC8, 0x78)
WHITE: Final[Colour] = (0xFF, 0xFF, 0xFF)

# As in adapters/web/static/icon.svg, in its units: a ring, the shaft and two teeth, all turned.
_RING_CENTRE: Final[Point] = (21.0, 32.0)
_RING_RADIUS: Final = 8.5
_LINES: Final[tuple[tuple[Point, Point], ...]] = (
    ((29.5, 32.0), (51.5, 32.0)),
    ((43.0, 32.0), (43.0, 39.5)),
    ((51.5, 32.0), (51.5, 38.5)),
)
_MIDDLE: Final = 32.0
_TURNED: Final = math.sqrt(0.5)  #: sine and cosine of 45 degrees


def color(size: int = 192) -> bytes:
    """Return the PNG in colour: Teams rounds its corners itself."""
    rows = [
        bytearray(
            channel
            for x in range(size)
            for channel in _mixed(_ink(x, y, size=size, reach=32.0, pen=5.0))
        )
        for y in range(size)
    ]
    return _png(size, colour_type=2, rows=rows)


def outline(size: int = 32) -> bytes:
    """Return the white outline; where there is no key it is transparent."""
    rows = [
        bytearray(
            channel
            for x in range(size)
            for channel in (*WHITE, round(255 * _ink(x, y, size=size, reach=20.0, pen=4.0)))
        )
        for y in range(size)
    ]
    return _png(size, colour_type=6, rows=rows)


def _ink(column: int, row: int, *, size: int, reach: float, pen: float) -> float:
    """Return how much of a pixel the key covers, from 0 to 1.

    *reach* is how far around the middle the picture goes, in the units of the drawing.
    """
    unit = 2 * reach / size
    across = (column + 0.5) * unit - reach
    down = (row + 0.5) * unit - reach
    x = _MIDDLE + (across - down) * _TURNED
    y = _MIDDLE + (across + down) * _TURNED
    ring = abs(math.dist((x, y), _RING_CENTRE) - _RING_RADIUS)
    away = min(ring, *(_from_line((x, y), *line) for line in _LINES)) - pen / 2
    return min(max(0.5 - away / unit, 0.0), 1.0)


def _from_line(point: Point, start: Point, end: Point) -> float:
    (px, py), (ax, ay), (bx, by) = point, start, end
    length = (bx - ax) ** 2 + (by - ay) ** 2
    along = min(max(((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length, 0.0), 1.0)
    return math.dist(point, (ax + along * (bx - ax), ay + along * (by - ay)))


def _mixed(ink: float) -> tuple[int, ...]:
    return tuple(
        round(under + (over - under) * ink) for under, over in zip(GREEN, GOLD, strict=True)
    )


def _png(size: int, *, colour_type: int, rows: list[bytearray]) -> bytes:
    head = struct.pack(">IIBBBBB", size, size, 8, colour_type, 0, 0, 0)
    raw = b"".join(b"\0" + row for row in rows)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + check


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "color.png").write_bytes(color())
    (folder / "outline.png").write_bytes(outline())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
