"""Draws what one run has measured as an SVG that reads in light and in dark."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, log10
from typing import Final

from benches.report import Report
from benches.spread import Spread

_WIDTH: Final = 720
_NAMES: Final = 270
_ROW: Final = 34
_TOP: Final = 56
_BOTTOM: Final = 46
_RIGHT: Final = 80
_LEGEND: Final = (
    "Each line is ten times the one before; the mark shows the slowest and the fastest round"
)
_STYLE: Final = """
text { font: 14px system-ui, sans-serif; fill: #1d2733 }
.small { font-size: 12px; fill: #55606e }
.bar { fill: #8fa3b8 } .ours { fill: #2f6f4f } .line { stroke: #d5dbe2 } .range { stroke: #1d2733 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6ebf1 } .small { fill: #a5b1be } .bar { fill: #5f7388 } .ours { fill: #58b98a }
  .line { stroke: #3a4552 } .range { stroke: #e6ebf1 }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bar:
    name: str
    per_s: Spread
    is_ours: bool = False


def drawn(report: Report) -> str:
    """Return submits a second, on a scale where each line is ten times the one before.

    Raises:
        ValueError: no submits were measured.
    """
    bars = list(_bars(report))
    if not bars:
        raise ValueError("no submits were measured")
    highest = ceil(log10(max(bar.per_s.highest for bar in bars)))
    height = _TOP + len(bars) * _ROW + _BOTTOM
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
            f"<title>{escape(_described(bars))}</title><style>{_STYLE}</style>",
            '<text x="12" y="24">Submits a second, 32 connections</text>',
            f'<text x="12" y="42" class="small">{_LEGEND}</text>',
            *_grid(highest, height),
            *(line for place, bar in enumerate(bars) for line in _row(place, bar, highest)),
            "</svg>\n",
        ]
    )


def _bars(report: Report) -> Iterator[_Bar]:
    for submits in report.submits[:1]:
        yield _Bar(name="aiohttp that does nothing", per_s=submits.noop_per_s)
        yield _Bar(name="Keyturn", per_s=submits.submits_per_s, is_ours=True)
    if report.peers is not None:
        for peer in sorted(report.peers.found, key=lambda peer: -peer.per_s.median):
            yield _Bar(name=peer.name, per_s=peer.per_s)


def _described(bars: Sequence[_Bar]) -> str:
    said = ", ".join(f"{bar.name} {bar.per_s.median:,.0f}" for bar in bars)
    return f"Submits a second: {said}"


def _grid(highest: int, height: int) -> Iterator[str]:
    for power in range(highest + 1):
        x, foot = _x(10.0**power, highest), height - _BOTTOM + 8
        yield f'<line class="line" x1="{x:.0f}" y1="{_TOP}" x2="{x:.0f}" y2="{foot}"/>'
        yield (
            f'<text class="small" text-anchor="middle" x="{x:.0f}" y="{foot + 18}">'
            f"{10**power:,}</text>"
        )


def _row(place: int, bar: _Bar, highest: int) -> Iterator[str]:
    y = _TOP + place * _ROW
    start, end = _x(1, highest), _x(bar.per_s.median, highest)
    low, high = _x(bar.per_s.lowest, highest), _x(bar.per_s.highest, highest)
    kind = "ours" if bar.is_ours else "bar"
    middle = y + _ROW / 2
    yield (
        f'<text text-anchor="end" x="{_NAMES - 12}" y="{middle + 5:.0f}">{escape(bar.name)}</text>'
    )
    yield (
        f'<rect class="{kind}" x="{start:.0f}" y="{y + 6}" width="{end - start:.0f}" '
        f'height="{_ROW - 12}"/>'
    )
    yield (
        f'<line class="range" x1="{low:.0f}" y1="{middle:.0f}" x2="{high:.0f}" y2="{middle:.0f}"/>'
    )
    yield (
        f'<text x="{max(end, high) + 8:.0f}" y="{middle + 5:.0f}">{bar.per_s.median:,.0f}</text>'
    )


def _x(per_s: float, highest: int) -> float:
    room = _WIDTH - _NAMES - _RIGHT
    return _NAMES + room * max(0.0, log10(max(per_s, 1.0))) / highest
