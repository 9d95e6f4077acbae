"""What `plan` prints: the cases and samples that a wanted change needs."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

from linenotes.evals.documents._part import Document, Part, Target

if TYPE_CHECKING:
    from linenotes.evals.sizing._suite_sizes import Depth, SuiteSize


class NeedDocument(Part):
    """What one change needs at one K."""

    change: float
    cases: int
    """Those of the pilot where the target is the dataset."""
    power: float
    """The chance that the pilot's cases show the change."""
    samples: int
    """Of both versions together."""
    cost: float | None
    """US dollars of the samples, and of new cases where it is known what one costs."""
    seconds: float | None
    """Of agents' work, one sample after another; null where the pilot tells no times."""


class DepthDocument(Part):
    """What K samples a case come to."""

    samples: int
    """K, in each version."""
    detectable_change: float
    """What the pilot's cases detect then."""
    needs: list[NeedDocument]
    """One a wanted change."""


class AnswerDocument(Part):
    """How many samples a case show a change over exactly these cases."""

    change: float
    samples: int
    """K, in either version; at most 20."""
    cases: int
    """Those of the pilot, or how many such cases it takes where 20 samples are not enough."""


class SizingDocument(Part):
    """`plan --json`."""

    schema_version: Literal[1] = 1
    runs: list[str]
    """The ids of the pilot's runs."""
    metric: str
    n: int
    """Cases of the pilot."""
    clusters: int | None
    """Null where the cases have none."""
    between: float
    """The variance over cases of the true difference."""
    noise: float
    """The variance within a case of one sample of each version, added up."""
    noise_is_known: bool
    """False with one sample a case: noise is in `between` then."""
    correlation: float | None
    """What was assumed of the two versions over cases; null where two runs show it, and where the
    target is the dataset, for which it does not matter."""
    target: Target
    alpha: float
    """Of the two-sided test."""
    power: float
    depths: list[DepthDocument]
    smallest_detectable_change: float
    """What the pilot's cases detect with endless samples."""
    samples_help: bool
    """False: more samples cannot help, cases can."""
    best_samples: float | None
    """K*; null where a cost is not known, where it is endless, or where the cases are given."""
    answers: list[AnswerDocument] | None
    """One a wanted change where the target is the dataset; else null."""


def sizing_document(found: SuiteSize) -> Document:
    """Return the size of a suite as the JSON contract has it."""
    from linenotes.evals.sizing._suite_sizes import ALPHA

    pilot, best = found.pilot, found.best_samples
    return SizingDocument(
        runs=[run.run_id for run in found.runs],
        metric=found.metric,
        n=pilot.n_cases,
        clusters=pilot.n_clusters,
        between=pilot.spread.between,
        noise=pilot.spread.noise(1),
        noise_is_known=pilot.noise_is_known,
        correlation=found.wish.correlation if found.correlation_is_assumed else None,
        target=found.wish.target,
        alpha=ALPHA,
        power=found.wish.power,
        depths=[_depth(depth) for depth in found.depths],
        smallest_detectable_change=found.floor,
        samples_help=found.samples_help,
        best_samples=None if best is None or math.isinf(best) else best,
        answers=[AnswerDocument(**asdict(one)) for one in found.answers] or None,
    ).dump()


def _depth(depth: Depth) -> DepthDocument:
    return DepthDocument(
        samples=depth.samples,
        detectable_change=depth.detectable,
        needs=[
            NeedDocument(
                change=need.change,
                cases=need.cases,
                power=need.power,
                samples=need.samples,
                cost=need.cost,
                seconds=need.seconds,
            )
            for need in depth.needs
        ],
    )
