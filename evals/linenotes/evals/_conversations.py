"""Which conversations of a run are kept as pages: those that a person would open first.

These are samples that failed, those that scored lowest, and the best one to hold them against.
Every case has its turn before one has a second.
"""

from __future__ import annotations

import re

from linenotes.evals._records import RunRecord, SampleKey
from linenotes.project import digest

FOLDER = "conversations"
"""Where the pages are among the artifacts of a run."""
MAX_PAGES = 10

_LONGEST_NAME = 80


def noteworthy(record: RunRecord) -> list[SampleKey]:
    """Return the samples to keep a page of, at most ten, the worst first and the best last."""
    values = _values(record)
    failed = [key for key in record.samples if record.samples[key].error]
    scored = [key for key in record.samples if key in values and key not in failed]
    best = min(scored, key=lambda key: (-values[key], key), default=None)
    low = [key for key in scored if values[key] <= 0 or values[key] < values[best or key]]
    worst = sorted(failed, key=_turn) + sorted(low, key=lambda key: (values[key], *_turn(key)))
    shown = [key for key in worst if key != best][: MAX_PAGES - bool(best)]
    return [*shown, best] if best else shown


def page_path(key: SampleKey) -> str:
    """Return where the page of a sample is: `conversations/CASE-SAMPLE.html`."""
    case, sample = key
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", case)[:_LONGEST_NAME]
    if name != case:
        name = f"{name}-{digest(case)[:6]}"
    return f"{FOLDER}/{name}-{sample}.html"


def _turn(key: SampleKey) -> tuple[int, str]:
    return key[1], key[0]


def _values(record: RunRecord) -> dict[SampleKey, float]:
    """Return the primary metric of the samples that have a number or a verdict of it."""
    primary = next(iter(record.plan.metrics), None)
    return {
        key: float(score.value)
        for key, scores in record.scores.items()
        for score in scores
        if score.name == primary and isinstance(score.value, bool | int | float)
    }
