"""What `flaky` and `aa` print: the classes of cases, the quarantine, and how calm a gate is."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

from linenotes.evals.documents._part import Document, Part, Target

if TYPE_CHECKING:
    from linenotes.evals.history._flaky import FlakyCase, FlakyReport
    from linenotes.evals.history._quarantine import Quarantine
    from linenotes.evals.history._run_self_check import RunSelfCheck
    from linenotes.evals.statistics import ChangedCase

CaseClass = Literal["stable pass", "stable fail", "flaky", "unknown"]


class ChangedDocument(Part):
    """How a case now differs from its own history, by Fisher's exact test."""

    passed: int
    samples: int
    passed_before: int
    samples_before: int
    p: float
    """Adjusted for the number of cases, after Benjamini and Hochberg."""


class QuarantinedDocument(Part):
    """One entry of `quarantine.yaml`."""

    case: str
    dataset: str
    owner: str
    expires: str
    """The last day on which the case does not gate, as YYYY-MM-DD."""
    reason: str
    expired: bool


class FlakyCaseDocument(Part):
    """One case, over all its samples."""

    case: str
    kind: CaseClass
    passed: int
    samples: int
    p_pass: float
    """The probability that it passes in more than 95% of samples."""
    p_fail: float
    """The probability that it passes in fewer than 5%."""
    p_flaky: float
    more_samples: int | None
    """How many more would give an unknown case a class; null for others and on a border."""
    history: list[list[bool | None]]
    """For each run, oldest first, whether each sample passed; null for one without a score."""
    changed: ChangedDocument | None
    quarantined: bool
    """Whether it does not gate today."""


class FlakyDocument(Part):
    """`flaky --json`."""

    schema_version: Literal[1] = 1
    agent: str
    version: str
    fingerprint: str
    dataset: str
    metric: str
    runs: list[str]
    """Ids, oldest first."""
    n: int
    """Cases."""
    copies: int
    """Samples left out because they repeat an earlier one."""
    prior: dict[Literal["passes", "fails"], float]
    """The beta distribution of rates that was fitted to the suite."""
    classes: dict[CaseClass, int]
    cases: list[FlakyCaseDocument]
    """What calls for somebody first."""
    quarantine: list[QuarantinedDocument]


class QuarantineDocument(Part):
    """`flaky --check --json` and `flaky --quarantine CASE --json`."""

    schema_version: Literal[1] = 1
    path: str
    today: str
    quarantine: list[QuarantinedDocument]
    problems: list[str]
    """One sentence for each entry that has expired; none is a check that passes."""


class AlarmsDocument(Part):
    """What one way of deciding does when nothing has changed."""

    false_alarms: float
    """The share of splits that fail."""
    low: float
    high: float
    passes: float
    """The share of splits that pass."""
    samples_needed: float
    """The mean share of the planned samples that it took."""
    detects: float | None
    """The smallest drop that fails in 80% of splits; null where none does."""


class SelfCheckDocument(Part):
    """`aa --json`."""

    schema_version: Literal[1] = 1
    agent: str
    version: str
    fingerprint: str
    dataset: str
    metric: str
    runs: list[str]
    n: int
    """Cases that were split."""
    samples: tuple[int, int]
    """The fewest and the most samples of a case in one half."""
    target: Target
    margin: float
    splits: int
    finding: Literal["as designed", "too many alarms", "too few samples to say"]
    false_alarms: float | None
    """The share of splits that fail although nothing changed; null where none could be made."""
    low: float | None
    high: float | None
    nominal: float
    """What false alarms are designed not to exceed."""
    passes: float | None
    """The share of splits that pass."""
    detects: float | None
    """The smallest drop that fails in 80% of splits; null where none does."""
    samples_needed: float | None
    """The mean share of the planned samples after which the gate was decided."""
    at_once: AlarmsDocument | None
    """The same of one comparison by all samples, in place of a gate that looks after each sweep."""
    left_out: list[str]
    """Cases with too few samples."""
    quarantined: list[str]
    """Cases that are left out because they do not gate."""


def flaky_document(report: FlakyReport) -> Document:
    """Return what `flaky` prints."""
    history = report.history
    plan = history.latest.plan
    kinds: tuple[CaseClass, ...] = ("stable pass", "stable fail", "flaky", "unknown")
    return FlakyDocument(
        agent=plan.agent,
        version=plan.version,
        fingerprint=plan.fingerprint,
        dataset=plan.dataset.name,
        metric=history.metric,
        runs=[run.plan.run_id for run in history.runs],
        n=len(report.cases),
        copies=history.copies,
        prior={"passes": report.prior.passes, "fails": report.prior.fails},
        classes={kind: len(report.of(kind)) for kind in kinds},
        cases=[_case(one, report.quarantine) for one in report.cases],
        quarantine=_entries(report.quarantine),
    ).dump()


def _case(one: FlakyCase, quarantine: Quarantine) -> FlakyCaseDocument:
    found = one.stability
    return FlakyCaseDocument(
        case=one.case,
        kind=found.kind,
        passed=found.passed,
        samples=found.samples,
        p_pass=found.p_pass,
        p_fail=found.p_fail,
        p_flaky=found.p_flaky,
        more_samples=found.more_samples,
        history=[list(run) for run in one.samples],
        changed=_changed(one.changed) if one.changed else None,
        quarantined=one.case in quarantine.cases,
    )


def _changed(found: ChangedCase) -> ChangedDocument:
    return ChangedDocument(
        passed=found.passed,
        samples=found.samples,
        passed_before=found.passed_before,
        samples_before=found.samples_before,
        p=found.p,
    )


def quarantine_document(found: Quarantine) -> Document:
    """Return what `flaky --check` prints."""
    return QuarantineDocument(
        path=str(found.path),
        today=str(found.today),
        quarantine=_entries(found),
        problems=list(found.problems),
    ).dump()


def _entries(found: Quarantine) -> list[QuarantinedDocument]:
    return [
        QuarantinedDocument(
            case=one.case,
            dataset=one.dataset,
            owner=one.owner,
            expires=str(one.expires),
            reason=one.reason,
            expired=one in found.expired,
        )
        for one in found.entries
    ]


def self_check_document(check: RunSelfCheck) -> Document:
    """Return what `aa` prints."""
    found, plan = check.result, check.history.latest.plan
    gate, at_once = found.gate, found.at_once
    return SelfCheckDocument(
        agent=plan.agent,
        version=plan.version,
        fingerprint=plan.fingerprint,
        dataset=plan.dataset.name,
        metric=check.history.metric,
        runs=[run.plan.run_id for run in check.history.runs],
        n=found.n_cases,
        samples=found.samples,
        target=found.target,
        margin=found.margin,
        splits=found.splits,
        finding=found.finding,
        nominal=found.nominal,
        false_alarms=None if gate is None else gate.false_alarms,
        low=None if gate is None else gate.low,
        high=None if gate is None else gate.high,
        passes=None if gate is None else gate.passes,
        detects=None if gate is None else gate.detects,
        samples_needed=None if gate is None else gate.samples_needed,
        at_once=None if at_once is None else AlarmsDocument(**asdict(at_once)),
        left_out=list(found.left_out),
        quarantined=list(check.quarantined),
    ).dump()
