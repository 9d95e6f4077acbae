"""What runs cost, by agent, model, case or version: from their journals alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._usage import Usage, summed
from linenotes.tracing import dollars

By = Literal["agent", "model", "case", "version"]


@dataclass(frozen=True)
class CostLine:
    """What one agent, model, case or version cost, all its samples together."""

    name: str
    samples: int
    """In which there was a call of it."""
    used: Usage


def run_usage(record: RunRecord) -> tuple[Usage, ...]:
    """Return what each agent used of each model, in all samples of a run."""
    return summed(usage for outcome in record.outcomes.values() for usage in outcome.usage)


def cost_lines(records: Sequence[RunRecord], by: By) -> list[CostLine]:
    """Return what runs cost, the dearest first, and of equal ones by name.

    Samples that called no model are in no line.
    """
    found: dict[str, list[Usage]] = {}
    samples: dict[str, set[tuple[str, str, int]]] = {}
    for record in records:
        for key, outcome in record.outcomes.items():
            for usage in outcome.usage:
                name = _NAMES[by](record, key[0], usage)
                found.setdefault(name, []).append(replace(usage, agent="", model=""))
                samples.setdefault(name, set()).add((record.plan.run_id, *key))
    lines = [CostLine(name, len(samples[name]), summed(used)[0]) for name, used in found.items()]
    return sorted(lines, key=lambda line: (-(line.used.cost or 0), -line.used.tokens, line.name))


_NAMES: dict[By, Callable[[RunRecord, str, Usage], str]] = {
    "agent": lambda _record, _case, usage: usage.agent,
    "model": lambda _record, _case, usage: usage.model,
    "case": lambda _record, case, _usage: case,
    "version": lambda record, _case, _usage: record.plan.version,
}


def cost_rows(lines: Sequence[CostLine], by: By) -> Iterator[tuple[str, ...]]:
    """Yield a header, a row for each line, and one for all of them."""
    yield (by, "calls", "input", "of it cached", "output", "of it reasoning", "cost", "share")
    known = sum(line.used.cost or 0.0 for line in lines)
    for line in lines:
        yield (line.name, *_cells(line.used), _share(line.used.cost, known))
    if len(lines) > 1:
        yield ("all", *_cells(summed(line.used for line in lines)[0]), "")


def _cells(used: Usage) -> tuple[str, ...]:
    counts = (used.calls, used.input, used.cached, used.output, used.reasoning)
    return (*(f"{count:,}" for count in counts), cost_cell(used.cost, unpriced=used.unpriced))


def cost_cell(cost: float | None, *, unpriced: int = 0) -> str:
    """Return a cost as a cell of a table shows it: what has no price is not free."""
    if cost is None:
        return "unpriced"
    return (dollars(cost) or "$0") + (f" + {unpriced:,} unpriced" if unpriced else "")


def _share(cost: float | None, known: float) -> str:
    return f"{100 * cost / known:.0f}%" if cost is not None and known else ""
