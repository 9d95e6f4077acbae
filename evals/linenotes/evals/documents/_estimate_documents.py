"""What `eval --dry-run` and `eval --pilot` print: what an evaluation will take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from linenotes.evals.documents._part import Document, Part
from linenotes.evals.documents._run_documents import DatasetDocument

if TYPE_CHECKING:
    from linenotes.evals._forecast import Amount, ArmForecast, Expected, Forecast


class ExpectedDocument(Part):
    """A total with its 95% prediction interval; null bounds where the evidence gives none."""

    mean: float
    low: float | None
    high: float | None


class ExpectedAmountsDocument(Part):
    """What is expected; null where it is not known."""

    calls: ExpectedDocument | None
    tokens: ExpectedDocument | None
    cost: ExpectedDocument | None
    """US dollars; null also where a model has no known price."""
    seconds: ExpectedDocument | None
    """Of time as it passes, with so many samples in flight."""


class EvidenceDocument(Part):
    """The earlier run that an estimate is told from."""

    run_id: str
    version: str
    same_version: bool
    """Whether it was of the very version that is to be evaluated."""
    n: int
    """Cases."""
    samples: int
    """Of all cases together."""


class VersionEstimateDocument(ExpectedAmountsDocument):
    """What one version will take."""

    version: str
    samples: int
    """Of all cases together."""
    told_from: EvidenceDocument | None
    """Null where no earlier run says anything."""


class RecordedAheadDocument(Part):
    """The recordings of one agent's planned samples."""

    agent: str
    path: str
    samples: int
    """Planned samples that have recordings; versions share them."""
    planned: int
    calls: int
    """Recorded calls of those; which of them are asked for again is not known before."""


class EstimateDocument(Part):
    """`eval --dry-run --json` and `eval --pilot N --json`."""

    schema_version: Literal[1] = 1
    agent: str
    dataset: DatasetDocument
    n: int
    """Cases."""
    samples: int
    """Of all cases and versions together."""
    concurrency: int
    versions: list[VersionEstimateDocument]
    total: ExpectedAmountsDocument
    budget: dict[Literal["usd", "tokens", "calls", "seconds"], float]
    """The limits that hold."""
    short: dict[Literal["usd", "tokens", "calls", "seconds"], float]
    """The limits that are likely not to do, with the share of the samples that they do."""
    recorded: list[RecordedAheadDocument]
    """Empty where nothing is to be replayed. What is expected counts all calls."""


def estimate_document(found: Forecast) -> Document:
    """Return the estimate as the JSON contract has it."""
    return EstimateDocument(
        agent=found.arms[-1].arm.version.agent.name,
        dataset=DatasetDocument(name=found.dataset.name, digest=found.dataset.digest),
        n=len(found.dataset.cases),
        samples=found.samples,
        concurrency=found.concurrency,
        versions=[_version(arm) for arm in found.arms],
        total=ExpectedAmountsDocument(**_amounts(found.total)),
        budget=found.budget.limits,
        short=dict(found.short),
        recorded=[
            RecordedAheadDocument(**{**vars(one), "path": str(one.path)}) for one in found.recorded
        ],
    ).dump()


def _version(arm: ArmForecast) -> VersionEstimateDocument:
    return VersionEstimateDocument(
        **_amounts(arm.expected or {}),
        version=arm.arm.version.label,
        samples=arm.samples,
        told_from=_evidence(arm),
    )


def _evidence(arm: ArmForecast) -> EvidenceDocument | None:
    if arm.source is None:
        return None
    plan = arm.source.plan
    return EvidenceDocument(
        run_id=plan.run_id,
        version=plan.version,
        same_version=arm.is_same_version,
        n=len({case for case, _ in arm.source.outcomes}),
        samples=len(arm.source.outcomes),
    )


def _amounts(expected: Mapping[Amount, Expected]) -> dict[str, ExpectedDocument | None]:
    return {
        "calls": _expected(expected.get("calls")),
        "tokens": _expected(expected.get("tokens")),
        "cost": _expected(expected.get("usd")),
        "seconds": _expected(expected.get("seconds")),
    }


def _expected(found: Expected | None) -> ExpectedDocument | None:
    return ExpectedDocument(mean=found.mean, low=found.low, high=found.high) if found else None
