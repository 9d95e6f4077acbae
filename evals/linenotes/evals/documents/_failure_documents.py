"""What `failures` prints: the cases that fail, why, and with whom their failures begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from linenotes.evals.documents._part import Document, Part
from linenotes.evals.documents._run_documents import DatasetDocument

if TYPE_CHECKING:
    from linenotes.evals.failing._run_failures import FailingCase, FailingSample, RunFailures
    from linenotes.evals.failing._suspects import Suspect
    from linenotes.evals.journal._records import RunRecord

CaseStatus = Literal["passing", "unstable", "failing", "lost"]


class SuspectDocument(Part):
    """With whose message a failure seems to begin: found by reading, no verdict."""

    actor: str
    """Several names, with commas, where several did so at once."""
    why: Literal["departs", "raised", "is missing", "lacks the answer"]
    """No passing sample has the message; an error came of them; a passing sample has one more
    message; or it is the first one without the expected answer."""
    message_id: str | None
    """Null of one who raised. Of a passing sample where the message is missing."""
    text: str | None


class FailingSampleDocument(Part):
    """A sample that failed."""

    sample: int
    trace_id: str | None
    """Null where only results are known."""
    reason: str
    """What the agent's error or the scorer said, else what was expected; empty if nothing."""
    expected: str | None
    """Null where that is not plain, or is not what the metric asks for."""
    got: str | None
    suspect: SuspectDocument | None
    """Null where it cannot be said."""
    beside: str | None
    """The trace of the passing sample of the case that is most like it; null without one."""


class FailingCaseDocument(Part):
    """A case of which samples failed."""

    case: str
    status: CaseStatus
    passed: int
    measured: int
    samples: list[bool | None]
    """Whether each sample passed; null for one without a score."""
    failures: list[FailingSampleDocument]


class FailuresDocument(Part):
    """`failures --json`."""

    schema_version: Literal[1] = 1
    run_id: str
    agent: str
    version: str
    fingerprint: str
    dataset: DatasetDocument
    metric: str
    n: int
    """Cases, or 1 with `--case`."""
    statuses: dict[CaseStatus, int]
    """How many cases pass in all samples, in some, in none, or have no score."""
    failures: int
    """Samples that failed."""
    looked_into: int
    """How many of them are told of here: those of the worst cases, unless with `--full`."""
    suspects: dict[str, int]
    """Actor to the failures that begin with them, the most frequent first."""
    cases: list[FailingCaseDocument]
    """The worst first."""
    more_cases: int
    """Cases with failures that are left out without `--full`."""


def failures_document(found: RunFailures) -> Document:
    """Return what `failures` prints."""
    plan = found.record.plan
    statuses: tuple[CaseStatus, ...] = ("passing", "unstable", "failing", "lost")
    kinds = [one.status for one in found.results]
    return FailuresDocument(
        run_id=plan.run_id,
        agent=plan.agent,
        version=plan.version,
        fingerprint=plan.fingerprint,
        dataset=DatasetDocument(name=plan.dataset.name, digest=plan.dataset.digest),
        metric=found.metric,
        n=len(found.results),
        statuses={status: kinds.count(status) for status in statuses},
        failures=found.failures,
        looked_into=found.told,
        suspects=dict(found.suspects.most_common()),
        cases=[_case(found.record, one) for one in found.cases],
        more_cases=found.hidden,
    ).dump()


def _case(record: RunRecord, one: FailingCase) -> FailingCaseDocument:
    return FailingCaseDocument(
        case=one.result.case,
        status=one.result.status,
        passed=one.result.passed,
        measured=one.result.measured,
        samples=list(one.result.passes.values()),
        failures=[_sample(record, one.result.case, failure) for failure in one.failures],
    )


def _sample(record: RunRecord, case: str, one: FailingSample) -> FailingSampleDocument:
    beside = None if one.beside is None else record.outcomes[case, one.beside].trace_id
    return FailingSampleDocument(
        sample=one.sample,
        trace_id=one.trace_id,
        reason=one.reason,
        expected=one.unmet.expected if one.unmet else None,
        got=one.unmet.got if one.unmet else None,
        suspect=suspect_document(one.suspect) if one.suspect else None,
        beside=beside,
    )


def suspect_document(one: Suspect) -> SuspectDocument:
    """Return a suspect as the JSON contract has it."""
    return SuspectDocument(
        actor=one.actor,
        why=one.why,
        message_id=one.message.id if one.message else None,
        text=one.message.text if one.message else None,
    )
