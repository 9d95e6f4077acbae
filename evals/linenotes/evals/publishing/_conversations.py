"""Which conversations of a run are kept as pages: those that a person would open first.

These are the samples that failed, those that scored lowest, and the best one for comparison. Among
samples with the same score, every case comes once before any comes again. A run that is published
again after its scores changed adds the new pages; the earlier ones stay, but its note does not
link them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping

from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._samples import SampleKey
from linenotes.project import digest

FOLDER = "conversations"
"""Where the pages are among the artifacts of a run."""
MAX_PAGES = 10

_LONGEST_NAME = 80


def noteworthy(record: RunRecord) -> list[SampleKey]:
    """Return the samples to keep a page of, at most ten, the worst first and the best last."""
    values = _values(record)
    failed = {key: -math.inf for key, outcome in record.outcomes.items() if outcome.error}
    scored = {key: values[key] for key in record.outcomes if key in values and key not in failed}
    best = min(scored, key=lambda key: (-scored[key], key), default=None)
    low = {key: v for key, v in scored.items() if v <= 0 or v < scored[best or key]}
    shown = [key for key in _worst_first(failed | low) if key != best][: MAX_PAGES - bool(best)]
    return [*shown, best] if best else shown


def _worst_first(values: Mapping[SampleKey, float]) -> list[SampleKey]:
    """Order samples by value; of equal ones, the first of each case before the second of any."""
    by_value = sorted(values, key=lambda key: (values[key], key[1]))
    before: Counter[str] = Counter()
    turns: dict[SampleKey, int] = {}
    for key in by_value:
        turns[key] = before[key[0]]
        before[key[0]] += 1
    return sorted(by_value, key=lambda key: (values[key], turns[key], key))


def page_path(key: SampleKey) -> str:
    """Return where the page of a sample is: `conversations/CASE-SAMPLE.html`."""
    case, sample = key
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", case)[:_LONGEST_NAME]
    if name != case:
        name = f"{name}-{digest(case)[:6]}"
    return f"{FOLDER}/{name}-{sample}.html"


def _values(record: RunRecord) -> dict[SampleKey, float]:
    """Return the primary metric of the samples that have a number or a verdict of it."""
    primary = next(iter(record.plan.metrics), None)
    return {
        key: float(score.value)
        for key, scores in record.scores.items()
        for score in scores
        if score.name == primary and isinstance(score.value, bool | int | float)
    }
