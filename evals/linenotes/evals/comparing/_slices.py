"""A metric by tag: where a change might sit, with false findings kept few.

Slices are for looking around, so all of them are one family, of which Benjamini and Hochberg let a
known share be false. They never decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from linenotes.datasets import Case
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._tables import score_table
from linenotes.project import RunError

if TYPE_CHECKING:
    from linenotes.evals.statistics import Comparison, Target

FALSE_SHARE = 0.1
"""q of Benjamini and Hochberg: the share of the slices pointed out that may be false."""
_VALUES = range(2, 13)
"""How many values a tag has that slices are made of unasked."""
_FEWEST_CASES = 5


@dataclass(frozen=True)
class SliceChange:
    """The cases with one value of one tag."""

    tag: str
    value: str
    result: Comparison
    q: float | None = None
    """The p-value adjusted over all slices; None where nothing could be measured."""

    @property
    def stands_out(self) -> bool:
        """Whether to look here."""
        return self.q is not None and self.q < FALSE_SHARE


def slicing_tags(cases: Sequence[Case], asked: Sequence[str] | None) -> tuple[str, ...]:
    """Return the tags to slice by: those asked for, or those that cut into 2 to 12 large parts.

    Raises:
        RunError: no case has a tag that is asked for.
    """
    counts: dict[str, Counter[str]] = {}
    for case in cases:
        for tag, value in case.tags.items():
            counts.setdefault(tag, Counter())[value] += 1
    for tag in asked or ():
        if tag not in counts:
            there = f"Its tags: {', '.join(sorted(counts))}." if counts else "It has none."
            raise RunError(f"No case of the base has a tag {tag!r} to slice by. {there}")
    if asked is not None:
        return tuple(dict.fromkeys(asked))
    return tuple(
        tag
        for tag, values in sorted(counts.items())
        if len(values) in _VALUES and min(values.values()) >= _FEWEST_CASES
    )


def slice_changes(
    base: RunRecord,
    candidate: RunRecord,
    metric: str,
    tags: Sequence[str],
    *,
    beside: Sequence[RunRecord] = (),
    target: Target,
) -> list[SliceChange]:
    """Compare the scores of each value of each tag; the p-values are not adjusted yet."""
    from linenotes.evals.statistics import compare_scores

    if not tags:
        return []
    runs, found = (base, candidate), []
    tables = [score_table(run, metric, beside=(*runs, *beside)) for run in runs]
    for tag in tags:
        values = {case.id: case.tags[tag] for case in base.plan.cases if tag in case.tags}
        parts = [table["case"].map(values) for table in tables]
        for value in sorted(set(values.values())):
            cut = (table[part == value] for table, part in zip(tables, parts, strict=True))
            found.append(SliceChange(tag, value, compare_scores(*cut, target=target, margin=0.0)))
    return found


def adjusted(families: Sequence[Sequence[SliceChange]]) -> list[tuple[SliceChange, ...]]:
    """Return the slices of all candidates with their q, adjusted as one family."""
    from linenotes.evals.statistics import benjamini_hochberg

    p_values = [one.result.p_no_difference for family in families for one in family]
    q_values = iter(benjamini_hochberg([p for p in p_values if p is not None]))
    return [
        tuple(
            one if one.result.p_no_difference is None else replace(one, q=next(q_values))
            for one in family
        )
        for family in families
    ]
