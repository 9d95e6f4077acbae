"""A comparison as rows: what was measured before, what after, and the change with its interval.

Terminal, Markdown and page print these rows, so that a figure reads the same wherever it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from linenotes.evals._wording import signed as signed_change
from linenotes.evals.comparing._candidate_reports import CandidateReport, MetricChange
from linenotes.evals.comparing._comparison import RunComparison
from linenotes.evals.comparing._usage_changes import UsageChange, Used

if TYPE_CHECKING:
    from linenotes.evals.statistics import Comparison

Unit = Literal["points", "number", "dollars", "seconds"]
Role = Literal["decides", "guardrail", "secondary", "usage"]
Tone = Literal["good", "bad", "open"]
"""What the change means: shown for the better, shown for the worse, or not shown."""

_UNITS: dict[Used, Unit] = {"cost": "dollars", "tokens": "number", "seconds": "seconds"}
_LESS: dict[Used, str] = {"cost": "cheaper", "tokens": "fewer", "seconds": "faster"}
_MORE: dict[Used, str] = {"cost": "dearer", "tokens": "more", "seconds": "slower"}
_SHORT = 0.1
"""Times below this many seconds are told in milliseconds."""


@dataclass(frozen=True)
class Figures:
    """A change of one number, in its unit."""

    unit: Unit
    before: float | None
    after: float | None
    change: float | None
    low: float | None
    high: float | None
    n: int
    """Cases."""

    @classmethod
    def of(cls, found: Comparison, unit: Unit) -> Figures:
        """Return the figures of a comparison."""
        means = (found.base_mean, found.candidate_mean)
        return cls(unit, *means, found.delta, found.low, found.high, found.n_cases)

    @property
    def change_text(self) -> str:
        """`+12 points`, `-$0.0003`; nothing where there is no common case."""
        if self.change is None:
            return ""
        return signed(self.change, self.unit) + (" points" if self.unit == "points" else "")

    @property
    def interval_text(self) -> str:
        """`+4 to +20`; nothing where these data bound nothing."""
        if self.low is None or self.high is None:
            return ""
        return f"{signed(self.low, self.unit)} to {signed(self.high, self.unit)}"


@dataclass(frozen=True)
class ChangeRow:
    """One metric, or one thing that samples use."""

    name: str
    role: Role
    figures: Figures | None
    """None where it could not be compared; `said` is why."""
    said: str
    """What follows: a verdict, `better`, `not shown`, `faster`."""
    tone: Tone
    margin: float | None = None
    """The drop that had to be ruled out, of a metric that decides."""


def change_rows(candidate: CandidateReport) -> tuple[ChangeRow, ...]:
    """Return what decides, then all other metrics, then cost, tokens and time."""
    return (
        _decisive(candidate.primary, "decides"),
        *(_decisive(one, "guardrail") for one in candidate.guardrails),
        *(_secondary(one) for one in candidate.secondary),
        *_usage(candidate.usage),
    )


def _decisive(found: RunComparison, role: Role) -> ChangeRow:
    result = found.result
    tones: dict[str, Tone] = {"pass": "good", "fail": "bad"}
    return ChangeRow(
        name=found.metric,
        role=role,
        figures=Figures.of(result, unit_of(rate=found.is_rate)),
        said=result.verdict,
        tone=tones.get(result.verdict, "open"),
        margin=result.margin,
    )


def _secondary(found: MetricChange) -> ChangeRow:
    shown = found.result.shown
    return ChangeRow(
        name=found.metric,
        role="secondary",
        figures=Figures.of(found.result, unit_of(rate=found.is_rate)),
        said="cannot measure" if found.result.p_no_difference is None else shown or "not shown",
        tone="open" if shown is None else "good" if shown == "better" else "bad",
    )


def _usage(changes: tuple[UsageChange, ...]) -> Iterator[ChangeRow]:
    for one in changes:
        if one.result is None:
            yield ChangeRow(f"{one.name} a sample", "usage", None, one.note, "open")
            continue
        # To `Comparison` more is better; of what is used, less is.
        more = one.result.shown == "better"
        word = _MORE[one.name] if more else _LESS[one.name]
        yield ChangeRow(
            name=f"{one.name} a sample",
            role="usage",
            figures=Figures.of(one.result, _UNITS[one.name]),
            said=word if one.result.shown else "not shown",
            tone="open" if one.result.shown is None else "bad" if more else "good",
        )


def unit_of(*, rate: bool) -> Unit:
    """Return the unit of a metric."""
    return "points" if rate else "number"


def plain(value: float | None, unit: Unit) -> str:
    """Return a value as a person reads it: `72%`, `3.14`, `$0.0012`, `9.53 s`."""
    if value is None:
        return "–"
    if unit == "points":
        return f"{100 * value:.0f}%"
    if unit == "dollars":
        return _dollars(value)
    return _seconds(value) if unit == "seconds" else _number(value)


def signed(value: float, unit: Unit) -> str:
    """Return a change with its sign, points without a name: `+12`, `-$0.0003`, `+1.2 s`."""
    if unit == "points":
        return signed_change(value, rate=True)
    sign = "-" if value < 0 else "+"
    return sign + plain(abs(value), unit)


def _seconds(value: float) -> str:
    """Return a time in milliseconds where seconds would be small fractions: `53.7 ms`."""
    if 0 < abs(value) < _SHORT:
        return f"{round(1000 * value, 3):.3g} ms"
    return f"{value:.3g} s"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004  3 digits


def _dollars(value: float) -> str:
    """Return an amount with two digits that say something, however small it is."""
    if value >= 1 or not value:
        return f"${value:,.2f}" if value else "$0"
    return f"${float(f'{value:.2g}'):.12f}".rstrip("0")
