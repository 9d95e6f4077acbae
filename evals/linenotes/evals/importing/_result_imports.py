"""A run of which only the results are known: a table from a file, journalled like any other run.

So whatever compares, plans or watches runs serves results that were measured elsewhere. There are
no conversations, hence no traces; no store is needed. The file's content and how it is read are
the import's identity: the same file imported again is the same run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from linenotes.datasets import Case, Dataset
from linenotes.evals._repeats import repeats
from linenotes.evals._results import RunResult, estimate_all
from linenotes.evals.engine._progress import Progress, Silent
from linenotes.evals.importing._import_plans import imported_before, imported_plan
from linenotes.evals.importing._importing import ImportedRun
from linenotes.evals.importing._result_table import Result, ResultTable, read_results
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._plans import ImportInPlan, RunPlan
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.journal._samples import Failure, Sample, Score
from linenotes.evals.publishing._publisher import Stored
from linenotes.project import Project, Redactor, ResultsFileError, digest
from linenotes.tracing import Trace, file_digest, trace_id_for

if TYPE_CHECKING:
    from linenotes.evals.statistics import Target

_AGENT = "agent"


@dataclass(frozen=True)
class ResultsOrder:
    """A table of results, and how it is to be read."""

    path: Path
    metrics: Sequence[str] = ()
    """The columns that are metrics, the primary one first; none stands for all that are left."""
    agent: str = _AGENT
    name: str | None = None
    """The version's label; None stands for the file's name."""
    dataset: str | None = None
    """None stands for the file's name."""

    @property
    def label(self) -> str:
        """What a person calls the version in a table."""
        return self.name or self.path.stem

    @property
    def dataset_name(self) -> str:
        """What a person calls the cases."""
        return self.dataset or self.path.stem

    def identity(self, content: str) -> str:
        """Return what sets the import of this content apart from all others."""
        return digest([content, self.agent, self.label, self.dataset_name, *self.metrics])


def import_results(
    order: ResultsOrder,
    project: Project | None = None,
    *,
    target: Target = "population",
    progress: Progress | None = None,
) -> ImportedRun:
    """Make a run of the results that a file holds.

    Raises:
        ResultsFileError: the file is not such a table; nothing of it was imported.
        RunError: the run cannot be written; importing again completes it.
    """
    project = project or Project.find()
    progress = progress or Silent()
    content = file_digest(order.path)
    runs = RunStore.of(project)
    known = imported_before(runs, order.identity(content))
    progress.stage(f"Reading {order.path.name}")
    table = read_results(order.path, order.metrics)
    project.make_state()
    with project.redactor.in_force():
        _refuse_equal_names(table, order.path)
        with _journal(runs, known or _plan(order, table, content, runs)) as journal:
            progress.stage("Writing the run", total=len(table.results))
            added = _write(journal, table, progress)
            record = journal.record
    result = RunResult(record, estimate_all(record, target), Stored(0, 0), repeats(record))
    return ImportedRun(result, again=known is not None and not added)


def _refuse_equal_names(table: ResultTable, path: Path) -> None:
    """Refuse cases that are one case as soon as what looks like a secret is masked."""
    redactor = Redactor.current()
    counts = Counter(case.redacted(redactor).id for case in table.cases)
    name, count = counts.most_common(1)[0]
    if count > 1:
        raise ResultsFileError(
            f"{path.name}: {count} cases are called {name!r} once secrets are masked. Give cases "
            "names that hold none."
        )


def _plan(order: ResultsOrder, table: ResultTable, content: str, runs: RunStore) -> RunPlan:
    imported = ImportInPlan(
        file=order.path.name,
        identity=order.identity(content),
        samples=len(table.results),
        timed=table.timed,
        results_only=True,
    )
    return imported_plan(
        imported,
        Dataset(order.dataset_name, table.cases),
        agent=order.agent,
        label=order.label,
        content=content,
        samples=max(Counter(result.case for result in table.results).values()),
        metrics=table.metrics,
        sequence=runs.next_sequence(),
    )


def _journal(runs: RunStore, plan: RunPlan) -> Journal:
    folder = runs.path(plan.run_id)
    return runs.open(plan) if folder.exists() else Journal.create(folder, plan)


def _write(journal: Journal, table: ResultTable, progress: Progress) -> int:
    """Write into the journal what it lacks, and return how many results that is."""
    record = journal.record
    kept = {  # their names may be redacted in the plan
        case.id: shown for case, shown in zip(table.cases, record.plan.cases, strict=True)
    }
    added = 0
    for result in table.results:
        case = kept[result.case]
        key = (case.id, result.sample)
        if key not in record.outcomes:
            journal.finished(_sample(result, case, record.plan), cost=result.cost)
            added += 1
        if key not in record.scores:
            journal.scored(_sample(result, case, record.plan), _scores(result, table.metrics))
        progress.advance()
    return added


def _sample(result: Result, case: Case, plan: RunPlan) -> Sample:
    began = int(plan.created.timestamp()) * 1_000_000_000  # nobody tells when
    failure = result.failure
    trace = Trace(
        trace_id=trace_id_for(plan.run_id, case.id, result.sample),
        name=plan.agent,
        state="ERROR" if failure else "OK",
        start_ns=began,
        end_ns=began + round((result.seconds or 0.0) * 1e9),
        request="",
        response="",
        spans=(),
        messages=(),
        case=case.id,
        sample=result.sample,
        error=str(failure) if failure else None,
    )
    return Sample(case, result.sample, None, trace, failure)


def _scores(result: Result, metrics: Sequence[str]) -> tuple[Score, ...]:
    if result.failure is not None and not any(value is not None for value in result.values):
        return ()
    unscored = Failure("scorer", "NotScored", "the row has no value of it")
    return tuple(
        Score(name, error=unscored) if value is None else Score(name, value)
        for name, value in zip(metrics, result.values, strict=True)
    )
