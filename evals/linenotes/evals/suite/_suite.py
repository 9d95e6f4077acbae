"""The golden tests of one pytest session, from their collection to what is kept of them.

Agents run once, before the first item. Bodies run in their items, where fixtures, assertion
messages and debuggers are; a verdict judges what no item has judged in this process. What was
judged becomes scores of the runs when the session ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import pytest

from linenotes.agents import load_agent
from linenotes.datasets import Case, Dataset
from linenotes.evals._evaluate import choose_cases
from linenotes.evals._wording import counted, printable
from linenotes.evals.documents._suite_documents import GoldenCaseDocument, GoldenTestDocument
from linenotes.evals.gating._gate import Gate
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.suite._baseline_runs import baseline_of
from linenotes.evals.suite._details import Shown, details
from linenotes.evals.suite._executing import (
    Need,
    RunName,
    execute,
    needs,
    outside_of_tests,
    run_name,
)
from linenotes.evals.suite._golden import Golden
from linenotes.evals.suite._golden_tests import Entry, GoldenTest
from linenotes.evals.suite._judging import Body, CaseJudgement, judge_case
from linenotes.evals.suite._keeping import Judged, keep, write_page
from linenotes.evals.suite._selection import Selection
from linenotes.evals.suite._suite_figures import case_document, properties, test_document
from linenotes.evals.suite._verdicts import Baseline, Verdict, metric_gate, reach, scored_record
from linenotes.evals.suite._wishes import Asked, Wishes
from linenotes.project import LinenotesError, Project, RunError

TOLD = "linenotes"
"""The attribute of a report that holds what was judged, as plain values: workers send reports."""


class Suite:
    """Collects, executes and judges the golden tests of a session, in one process."""

    def __init__(self, root: Path, asked: Asked, *, session: str | None, today: date) -> None:
        self._wishes = Wishes(Project.find(root), asked, today)
        self._session = session
        """What the workers of a session have in common; None for a session without workers."""
        self._datasets: dict[tuple[str, object, str | None, int | None], Dataset] = {}
        self._selection = Selection({}, {}, {})
        self._records: dict[RunName, RunRecord] = {}
        self._judged: dict[str, dict[str, CaseJudgement]] = {}
        self._reached: dict[str, Judged] = {}
        self._documents: dict[str, GoldenCaseDocument | GoldenTestDocument] = {}
        self._details: dict[str, str] = {}
        self._failure: str | None = None
        self.notes: list[str] = []
        """What the session should be told in the end."""
        self.lacks_something = False
        """Whether something was asked for, such as a baseline, and did not come about."""
        self.shared: list[Path] = []
        """Files for other workers, which nobody needs when all have ended."""

    def dataset(self, declared: Golden) -> Dataset:
        """Return the cases of a test.

        Raises:
            LinenotesError: there is no such agent, dataset or split.
        """
        named = declared.dataset if isinstance(declared.dataset, str) else id(declared.dataset)
        key = (declared.agent, named, declared.split, declared.limit)
        if key not in self._datasets:
            self._datasets[key] = self._load(declared)
        return self._datasets[key]

    def execute(
        self,
        items: Sequence[pytest.Item],
        *,
        verdicts_whole: bool,
        tell: Callable[[str], None],
    ) -> None:
        """Execute the samples that the selected items need.

        Args:
            items: all items of the session.
            verdicts_whole: a verdict needs all cases of its test, whichever are selected.
            tell: hears what is executed, before it is.
        """
        selection = self._selection = Selection.of(items, verdicts_whole=verdicts_whole)
        try:
            selection.refuse_equal_metrics()
            asked = [(test, selection.wanted[name]) for name, test in selection.tests.items()]
            needed = needs(asked, self._wishes)
            for need in needed.values():
                tell(_told(need))
            with outside_of_tests():
                self._execute(needed)
        except LinenotesError as error:
            self._failure = str(error)

    def _execute(self, needed: Mapping[RunName, Need]) -> None:
        if needed:
            done = execute([*needed.values()], self._wishes, self._session)
            self._records = dict(zip(needed, done.records, strict=True))
            self.notes += done.notes
            self.shared += done.shared

    def holds(self, item: pytest.Item) -> bool:
        """Tell whether an item belongs to a golden test."""
        return item.nodeid in self._selection.entries

    def setup(self, item: pytest.Item) -> None:
        """Fail the item before its fixtures are made where there is nothing to judge."""
        entry = self._selection.entries[item.nodeid]
        if self._failure is not None:
            message, self._failure = self._failure, ""
            if message:
                pytest.fail(message, pytrace=False)
            pytest.skip("Nothing was executed; the first golden test says why.")
        if entry.case is not None:
            self._refuse_lost(entry, entry.case)
        elif not self._selection.has_all_cases(entry.test):
            pytest.skip(
                f"A verdict is on all {len(entry.test.dataset.cases)} cases of its test, and "
                f"{len(self._selection.wanted[entry.test.name])} are selected."
            )

    def call(self, item: pytest.Item) -> None:
        """Judge a case, or reach the verdict; raises what fails the item."""
        entry = self._selection.entries[item.nodeid]
        try:
            if entry.case is None:
                self._verdict(entry)
            else:
                self._case(entry, entry.case)
        except LinenotesError as error:
            message = str(error)
        else:
            return
        pytest.fail(message, pytrace=False)

    def report(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Add to the report of an item what was judged and what a person looks for next."""
        found = self._documents.get(item.nodeid)
        if found is not None:
            key = "case" if isinstance(found, GoldenCaseDocument) else "test"
            setattr(report, TOLD, {key: found.dump()})
        text = self._details.get(item.nodeid) if report.when == "call" else None
        shown: object = report.longrepr
        if text is not None and hasattr(shown, "addsection"):
            shown.addsection("linenotes", text)
        elif text is not None:
            report.sections.append(("linenotes", text))

    def finish(self) -> None:
        """Keep what was judged as scores of the runs, and save baselines if that is asked for."""
        with outside_of_tests():
            kept = keep([*self._reached.values()], self._wishes)
        self.notes += kept.notes + kept.problems
        self.lacks_something = bool(kept.problems)

    def _load(self, declared: Golden) -> Dataset:
        agent = load_agent(declared.agent, self._wishes.project)
        if isinstance(declared.dataset, str) or declared.dataset is None:
            return choose_cases(agent, declared.dataset, split=declared.split, limit=declared.limit)
        return declared.dataset.select(split=declared.split, limit=declared.limit)

    def _refuse_lost(self, entry: Entry, case: Case) -> None:
        outcomes = [o for (c, _), o in self._record(entry).outcomes.items() if c == case.id]
        lost = [o.error for o in outcomes if o.error and o.error.kind == "infrastructure"]
        if len(lost) < len(outcomes):
            return
        why = (
            f"the infrastructure lost all {len(lost)}, such as {lost[0]}"
            if lost
            else ("none was executed")
        )
        self._documents[entry.item.nodeid] = case_document(
            entry.test, CaseJudgement(case.id, ()), self._record(entry), lost=len(lost)
        )
        told = printable(f"Cannot measure {case.id}: of its samples, {why}.")
        pytest.fail(told, pytrace=False)

    def _record(self, entry: Entry) -> RunRecord:
        return self._records[run_name(entry.test)]

    def _case(self, entry: Entry, case: Case) -> None:
        found = self._judge(entry, case)
        self._judged.setdefault(entry.test.name, {})[case.id] = found.settled()
        record, node_id = self._record(entry), entry.item.nodeid
        document = case_document(entry.test, found, record)
        self._documents[node_id] = document
        _attach(entry.item, properties(document, record))
        if found.status != "passing":
            self._details[node_id] = details(Shown(node_id, record), found)
        if found.broken or case.id not in self._wishes.quarantine(entry.test.dataset.name).cases:
            _raise_what_fails(entry.test.declared, found)

    def _judge(self, entry: Entry, case: Case) -> CaseJudgement:
        record, at_once = self._record(entry), self._wishes.conduct.concurrency
        keys = sorted(key for key in record.outcomes if key[0] == case.id)
        samples = [record.samples[key] for key in keys]
        return judge_case(case.id, samples, entry.body, at_once=at_once)

    def _verdict(self, entry: Entry) -> None:
        judged = self._judged.setdefault(entry.test.name, {})
        for case in entry.test.dataset.cases:
            if case.id not in judged:
                judged[case.id] = self._judge(entry, case).settled()
        ordered = {case.id: judged[case.id] for case in entry.test.dataset.cases}
        with outside_of_tests():
            verdict = self._reach(entry, ordered)
        document = test_document(entry.test, verdict, ordered)
        self._documents[entry.item.nodeid] = document
        _attach(entry.item, properties(document, verdict.record))
        reached = self._reached[entry.test.name] = Judged(entry.test, verdict, ordered)
        if self._wishes.pages is not None:
            with outside_of_tests():
                write_page(reached, self._wishes.pages)
        if verdict.fails:
            why = "\n".join(map(printable, verdict.reasons))
            pytest.fail(f"{verdict.word.upper()}. {why}", pytrace=False)

    def _reach(self, entry: Entry, judged: Mapping[str, CaseJudgement]) -> Verdict:
        test, wishes = entry.test, self._wishes
        record = scored_record(self._record(entry), test, judged)
        declared = None if wishes.updates_baseline else wishes.gate(test.declared)
        gates = self._selection.gates
        gate = metric_gate(declared, test.metric, family=gates) if declared else None
        return reach(
            test,
            record,
            judged,
            target=wishes.target(test.declared),
            quarantine=wishes.quarantine(test.dataset.name),
            gate=gate,
            base=_base(gate, test, record, wishes.project, entry.body) if gate else None,
        )


def _told(need: Need) -> str:
    cases = counted(len(need.dataset.cases), "case")
    return (
        f"linenotes: {need.agent} on {need.dataset.name}, {cases}, "
        f"{counted(need.samples, 'sample')} each …"
    )


def _attach(item: pytest.Item, found: Sequence[tuple[str, object]]) -> None:
    """Give an item its properties, in place of those that it has when it is run again."""
    names = {name for name, _ in found}
    item.user_properties[:] = [one for one in item.user_properties if one[0] not in names]
    item.user_properties += found


def _base(
    gate: Gate, test: GoldenTest, record: RunRecord, project: Project, body: Body
) -> Baseline | RunError:
    """Return the run that is compared with, or why there is none."""
    try:
        return baseline_of(gate, test, record, project, body)
    except RunError as error:
        return error


def _raise_what_fails(declared: Golden, found: CaseJudgement) -> None:
    """Raise what makes the item of a case fail, if anything does."""
    if found.broken is not None and found.broken.error is not None:
        raise found.broken.error
    fails = {"any": ("failing",), "all": ("failing", "unstable"), None: ()}
    example = found.example
    if example is None or found.status not in fails[declared.of_each_case]:
        return
    if example.error is not None:
        raise example.error
    pytest.fail(f"The agent failed: {example.why}", pytrace=False)
