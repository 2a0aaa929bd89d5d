"""The curve of a plan: in the terminal, and as an SVG file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

ROWS = 8
"""Lines of the drawing in the terminal."""

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_STEPS = (timedelta(hours=1), timedelta(hours=3), timedelta(hours=6), timedelta(days=1), timedelta(days=7))
_MOST_BARS = 5_000

_SVG_BAR, _SVG_GAP, _SVG_HEIGHT, _SVG_MARGIN = 8, 2, 240, 56


@dataclass(frozen=True, slots=True)
class Bars:
    """Messages per step of time, without holes, from `starts_at` on."""

    starts_at: datetime
    step: timedelta
    counts: Sequence[int]

    @property
    def what(self) -> str:
        """What a bar stands for."""
        hours = round(self.step / timedelta(hours=1))
        words = {1: "hour", 24: "day", 24 * 7: "week"}
        return f"messages per {words.get(hours, f'{hours} hours')}"


def bars_of(curve: Mapping[datetime, int], most: int) -> Bars | None:
    """Gather hours into at most `most` bars, or as many weeks as there are; None where there is nothing."""
    if not curve:
        return None
    first, last = min(curve), max(curve)
    step = next((step for step in _STEPS if (last - first) // step < most), _STEPS[-1])
    counts = [0] * min((last - first) // step + 1, _MOST_BARS)
    for at, count in curve.items():
        position = (at - first) // step
        if position < len(counts):
            counts[position] += count
    return Bars(first, step, counts)


def draw(bars: Bars) -> list[str]:
    """Draw the bars as lines of text, with the highest count and the times at both ends."""
    highest = max(bars.counts)
    lines = []
    for row in range(ROWS - 1, -1, -1):
        blocks = "".join(_block(count, highest, row) for count in bars.counts)
        label = str(highest) if row == ROWS - 1 else "0" if row == 0 else ""
        lines.append(f"{label:>7} ┤{blocks}".rstrip())
    ends_at = bars.starts_at + bars.step * (len(bars.counts) - 1)
    lines.append(" " * 8 + "└" + "─" * len(bars.counts))
    lines.append(f"{'':9}{bars.starts_at:%Y-%m-%d %H:%M} to {ends_at:%Y-%m-%d %H:%M} UTC, {bars.what}")
    return lines


def svg(bars: Bars, title: str) -> str:
    """Draw the bars as an SVG document."""
    highest = max(bars.counts)
    pitch = _SVG_BAR + _SVG_GAP
    width, height = _SVG_MARGIN * 2 + pitch * len(bars.counts), _SVG_HEIGHT + _SVG_MARGIN * 2
    floor = _SVG_MARGIN + _SVG_HEIGHT
    shapes = [
        f'<rect x="{_SVG_MARGIN + position * pitch}" y="{floor - high:.1f}" width="{_SVG_BAR}" height="{high:.1f}">'
        f"<title>{bars.starts_at + bars.step * position:%Y-%m-%d %H:%M} UTC: {count}</title></rect>"
        for position, count in enumerate(bars.counts)
        if (high := _SVG_HEIGHT * count / highest) > 0
    ]
    ends_at = bars.starts_at + bars.step * (len(bars.counts) - 1)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">',
            f'<text x="{_SVG_MARGIN}" y="24" font-size="16">{escape(title)}</text>',
            f'<text x="{_SVG_MARGIN}" y="44" font-size="12" fill="#555">{bars.what}, at most {highest}</text>',
            f'<g fill="#1f7a4d">{"".join(shapes)}</g>',
            f'<path d="M{_SVG_MARGIN} {_SVG_MARGIN}V{floor}H{width - _SVG_MARGIN}" fill="none" stroke="#555"/>',
            f'<text x="{_SVG_MARGIN}" y="{floor + 20}" font-size="12">{bars.starts_at:%Y-%m-%d %H:%M}</text>',
            f'<text x="{width - _SVG_MARGIN}" y="{floor + 36}" font-size="12" text-anchor="end">'
            f"{ends_at:%Y-%m-%d %H:%M} UTC</text>",
            "</svg>\n",
        ]
    )


def _block(count: int, highest: int, row: int) -> str:
    eighths = round(count / highest * ROWS * 8) - row * 8
    if count and row == 0:
        eighths = max(eighths, 1)
    return _EIGHTHS[min(max(eighths, 0), 8)]
