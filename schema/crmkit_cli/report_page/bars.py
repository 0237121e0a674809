"""Where the bars of a chart stand. Pure."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from crmkit import Chart

HEIGHT = 200
"""Of the field in which bars stand, in units of the drawing."""

_BAR, _GAP = 16, 12
_LINES = 4


class Bar(NamedTuple):
    """One figure; `series` counts from 0."""

    x: int
    y: int
    width: int
    height: int
    series: int
    label: str


class Drawing(NamedTuple):
    """A chart in units of its drawing; the field begins at 0, 0 and grows downwards.

    Attributes:
        names: middle of each group of bars, with what stands below it.
        lines: height of each line across, with the figure it stands for.
    """

    width: int
    bars: list[Bar]
    names: list[tuple[int, str]]
    lines: list[tuple[int, str]]


def drawing_of(chart: "Chart") -> Drawing:
    """Return bars side by side for each label, one for each series."""
    top = _top_of(max((value for values in chart.series.values() for value in values), default=0))
    group = len(chart.series) * _BAR + _GAP
    bars = []
    for number, (name, values) in enumerate(chart.series.items()):
        for place, (label, value) in enumerate(zip(chart.labels, values, strict=True)):
            height = round(HEIGHT * value / top)
            x = _GAP + place * group + number * _BAR
            told = f"{label}, {name}: {value:,}"
            bars.append(Bar(x, HEIGHT - height, _BAR - 2, height, number, told))
    middle = (group - _GAP) // 2
    names = [(_GAP + place * group + middle, label) for place, label in enumerate(chart.labels)]
    lines = [
        (HEIGHT - HEIGHT * step // _LINES, f"{top * step / _LINES:,g}")
        for step in range(_LINES + 1)
    ]
    return Drawing(_GAP + group * len(chart.labels), bars, names, lines)


def _top_of(most: int) -> int:
    """Return a round number that no figure passes: 1, 2 or 5 and noughts."""
    power = 1
    while True:
        for first in (1, 2, 5):
            if first * power >= most:
                return first * power
        power *= 10
