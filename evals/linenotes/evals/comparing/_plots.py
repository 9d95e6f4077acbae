"""Where things stand in a plot, in percent of its width: the page draws them at any size.

Everything is drawn beside its figures in words, so a plot never is the only place of a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from linenotes.evals.comparing._rows import ChangeRow, Figures, Unit, plain

_ROOM = 0.06
"""Share of the range that is left free at either end, so that no mark is cut off."""
_MOST_TICKS = 5
_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Scale:
    """Values from left to right."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Iterable[float | None]) -> Scale:
        """Return the scale that shows all of the values, with some room around them."""
        known = [value for value in values if value is not None]
        low, high = min(known, default=0.0), max(known, default=0.0)
        room = _ROOM * (high - low) or max(abs(high), 1.0) * _ROOM
        return cls(low - room, high + room)

    def at(self, value: float) -> float:
        """Return where a value stands, in percent."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    def ticks(self) -> list[float]:
        """Return a few round values on the scale."""
        step = next(s for s in _round_steps((self.high - self.low) / _MOST_TICKS))
        first = int(-(-self.low // step))
        values = [step * number for number in range(first, first + 2 * _MOST_TICKS)]
        return [value for value in values if value <= self.high]


def _round_steps(least: float) -> Iterable[float]:
    size = 10.0 ** int(f"{least:e}".split("e")[1])
    yield from (step * size for step in _STEPS if step * size >= least)


@dataclass(frozen=True)
class IntervalPlot:
    """A change with its interval, the line of no change, and the margin, in percent."""

    at: float
    low: float
    high: float
    zero: float
    margin: float | None
    """The drop that had to be ruled out; None where there was none."""
    said: str
    """The same in words."""


def interval_plot(row: ChangeRow, scale: Scale) -> IntervalPlot | None:
    """Return the plot of a row; None where it has no interval."""
    found = row.figures
    if found is None or found.change is None or found.low is None or found.high is None:
        return None
    return IntervalPlot(
        at=scale.at(found.change),
        low=scale.at(found.low),
        high=scale.at(found.high),
        zero=scale.at(0.0),
        margin=scale.at(-row.margin) if row.margin else None,
        said=f"{row.name}: change {found.change_text}, 95% interval {found.interval_text}.",
    )


def scale_of_changes(rows: Sequence[ChangeRow]) -> Scale:
    """Return one scale for the changes of rows that share a unit."""
    figures = [row.figures for row in rows if row.figures]
    ends = [value for one in figures for value in (one.low, one.high, one.change)]
    margins = [-row.margin for row in rows if row.margin]
    return Scale.over([0.0, *ends, *margins])


@dataclass(frozen=True)
class Point:
    """A version in the plot of score against cost, in percent from the left and from the top."""

    version: str
    x: float
    y: float
    across: tuple[float, float] | None
    """The interval of the change in cost, around the point; None for the base."""
    up: tuple[float, float] | None
    """The same of the score."""
    said: str


@dataclass(frozen=True)
class CostPlot:
    """The primary metric of all versions against what a sample of them uses."""

    metric: str
    used: str
    points: tuple[Point, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]


def cost_plot(
    versions: Sequence[str], scores: Sequence[ChangeRow], used: Sequence[ChangeRow]
) -> CostPlot | None:
    """Return score against cost; None where either is not known of all versions.

    The first of `versions` is the base; the rows are of the candidates, in their order.
    """
    pairs = [
        (score.figures, use.figures)
        for score, use in zip(scores, used, strict=True)
        if score.figures and use.figures
    ]
    if len(pairs) < len(versions) - 1 or not all(_whole(one) for pair in pairs for one in pair):
        return None
    y_scale, x_scale = (Scale.over(_reach([pair[i] for pair in pairs])) for i in (0, 1))
    score, use = pairs[0]
    base = _point(versions[0], (score.before, use.before), (score, use), x_scale, y_scale)
    points = [base]
    for version, (score, use) in zip(versions[1:], pairs, strict=True):
        point = _point(version, (score.after, use.after), (score, use), x_scale, y_scale)
        points.append(_with_intervals(point, (score, use), x_scale, y_scale))
    return CostPlot(
        metric=scores[0].name,
        used=used[0].name,
        points=tuple(points),
        x_ticks=labelled(x_scale, use.unit),
        y_ticks=tuple((round(100 - at, 2), text) for at, text in labelled(y_scale, score.unit)),
    )


def _whole(found: Figures) -> bool:
    return None not in (found.before, found.after, found.change)


def _reach(found: Sequence[Figures]) -> list[float | None]:
    """Return all values that a plot must have room for."""
    ends = [
        one.before + end
        for one in found
        if one.before is not None
        for end in (one.low, one.high)
        if end is not None
    ]
    return [*ends, *(value for one in found for value in (one.before, one.after))]


def _point(
    version: str,
    at: tuple[float | None, float | None],
    figures: tuple[Figures, Figures],
    x_scale: Scale,
    y_scale: Scale,
) -> Point:
    score, used = at
    assert score is not None
    assert used is not None
    said = f"{version}: {plain(score, figures[0].unit)} for {plain(used, figures[1].unit)} a sample"
    x, y = x_scale.at(used), round(100 - y_scale.at(score), 2)
    return Point(version, x, y, None, None, said)


def _with_intervals(
    point: Point, figures: tuple[Figures, Figures], x_scale: Scale, y_scale: Scale
) -> Point:
    score, use = figures
    up, across = _ends(score, y_scale), _ends(use, x_scale)
    if up is not None:
        up = (round(100 - up[0], 2), round(100 - up[1], 2))
    return Point(point.version, point.x, point.y, across, up, point.said)


def _ends(found: Figures, scale: Scale) -> tuple[float, float] | None:
    if found.before is None or found.low is None or found.high is None:
        return None
    return scale.at(found.before + found.low), scale.at(found.before + found.high)


def labelled(scale: Scale, unit: Unit) -> tuple[tuple[float, str], ...]:
    """Return round values on a scale with their labels."""
    return tuple((scale.at(value), _tick(value, unit)) for value in scale.ticks())


def _tick(value: float, unit: Unit) -> str:
    """Return a round value with all of its digits."""
    digits = f"{100 * value if unit == 'points' else value:,.10f}".rstrip("0").rstrip(".")
    units = {"points": "{}%", "dollars": "${}", "seconds": "{} s", "number": "{}"}
    return units[unit].format(digits)


def change_ticks(scale: Scale, unit: Unit) -> tuple[tuple[float, str], ...]:
    """Return round changes on a scale with their labels."""
    changes = ((value, _tick(abs(value), unit).removesuffix("%")) for value in scale.ticks())
    return tuple((scale.at(v), f"{_sign(v)}{text}") for v, text in changes)


def _sign(value: float) -> str:
    return "+" if value > 0 else "-" if value < 0 else ""
