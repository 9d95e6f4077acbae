"""What an evaluation will take, as text: a table with a row a version, and where it is from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from linenotes.evals._forecast import Amount, ArmForecast, Expected, Forecast
from linenotes.evals.engine._budget import spelled
from linenotes.tracing import dollars

_THOUSAND = 1000
_PILOT = 5
"""How many cases a pilot is proposed with."""


def title(found: Forecast) -> str:
    """Say what would be run."""
    last, n = found.arms[-1].arm, len(found.dataset.cases)
    versions = f", {len(found.arms)} versions" if len(found.arms) > 1 else ""
    return (
        f"{last.version.agent.name} on {found.dataset.name} ({found.dataset.digest[:8]}): "
        f"n={n} cases, K={last.samples}{versions}: {found.samples:,} samples, "
        f"{found.concurrency} at a time"
    )


def rows(found: Forecast) -> list[tuple[str, ...]]:
    """Return a header, and a row for each version that something is known of, then for all."""
    known = [arm for arm in found.arms if arm.expected is not None]
    body = [(arm.arm.version.label, *_cells(arm.expected or {})) for arm in known]
    if len(known) == len(found.arms) > 1:
        body.append(("all", *_cells(found.total)))
    return [("version", "calls", "tokens", "cost", "time"), *body] if body else []


def _cells(expected: Mapping[Amount, Expected]) -> tuple[str, ...]:
    usd = expected.get("usd")
    return (
        _count(expected["calls"]),
        _count(expected["tokens"]),
        _dollars(usd) if usd else "unpriced",
        _time(expected["seconds"]),
    )


def _count(found: Expected) -> str:
    return _with_bounds(*(_short(value) for value in _values(found)))


def _dollars(found: Expected) -> str:
    mean, *bounds = (dollars(value) or "$0" for value in _values(found))
    return _with_bounds(mean, *(bound.replace("$", "") for bound in bounds))


def _time(found: Expected) -> str:
    unit, name = (60.0, "min") if found.mean >= 60 else (1.0, "s")  # noqa: PLR2004  a minute
    mean, *bounds = (f"{value / unit:,.1f}" for value in _values(found))
    return _with_bounds(f"{mean} {name}", *bounds)


def _values(found: Expected) -> list[float]:
    return [value for value in (found.mean, found.low, found.high) if value is not None]


def _with_bounds(mean: str, *bounds: str) -> str:
    return f"{mean}  {' to '.join(bounds)}" if bounds else mean


def _short(value: float) -> str:
    """Return a count in four digits at most: `1,234`, `12.3k`, `4.56M`."""
    if value < 10 * _THOUSAND:
        return f"{value:,.0f}"
    if value < _THOUSAND**2:
        return f"{value / _THOUSAND:,.3g}k" if value < 999_500 else "1M"  # noqa: PLR2004  rounded up
    return f"{value / _THOUSAND**2:,.3g}M"


def closing_lines(found: Forecast) -> list[str]:
    """Return what stands under the table: where it is from, and whether the budget will do."""
    return [*_sources(found), *_recorded(found), *_budget(found)]


def _sources(found: Forecast) -> Iterator[str]:
    known = [arm for arm in found.arms if arm.source is not None]
    for arm in known:
        yield _source(arm)
    if any("usd" not in (arm.expected or {}) for arm in known):
        yield "A model has no known price: `linenotes prices` says which."
    if known:
        yield "95% prediction intervals over cases; none where they show no spread."
    for arm in (arm for arm in found.arms if arm.source is None):
        name, agent = arm.arm.version.label, arm.arm.version.agent.name
        yield (
            f"{name}: there is no earlier run of {agent} on {found.dataset.name} to tell from. "
            f"`--pilot {_PILOT}` runs {_PILOT} cases once and tells from them."
        )


def _recorded(found: Forecast) -> Iterator[str]:
    for one in found.recorded:
        yield (
            f"{one.samples:,} of {one.planned:,} samples of {one.agent} have recordings, "
            f"{one.calls:,} calls in {one.path}."
        )
    if found.recorded:
        yield (
            "Which of them are asked for again is known only when it runs: what is expected is of "
            "all calls, also of those that will be replayed."
        )


def _source(arm: ArmForecast) -> str:
    assert arm.source is not None
    plan, outcomes = arm.source.plan, arm.source.outcomes
    cases = len({case for case, _ in outcomes})
    version = "this version" if arm.is_same_version else f"version {plan.version}, the nearest"
    return (
        f"{arm.arm.version.label}: as in run {plan.run_id[:12]} of {version} "
        f"({cases} cases, {len(outcomes):,} samples)."
    )


def _budget(found: Forecast) -> Iterator[str]:
    for limit, value in found.budget.limits.items():
        of = f"The budget of {spelled(limit, value)}"
        if limit not in found.total:
            yield f"{of}: whether it does cannot be told."
        elif limit in found.short:
            yield f"{of} does for about {100 * found.short[limit]:.0f}% of the samples."
        else:
            yield f"{of} does for what is expected."
