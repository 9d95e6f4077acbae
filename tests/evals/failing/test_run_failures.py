from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest

from linenotes.evals import Failure, RunRecord, Sample, Score, run_failures
from linenotes.evals.journal._samples import SampleKey
from linenotes.project import RunError

Make = Callable[..., RunRecord]


@dataclass
class Counted(Mapping[SampleKey, Sample]):
    """Samples that know which of them were read."""

    samples: Mapping[SampleKey, Sample]
    read: list[SampleKey] = field(default_factory=list)

    def __getitem__(self, key: SampleKey) -> Sample:
        self.read.append(key)
        return self.samples[key]

    def __contains__(self, key: object) -> bool:
        return key in self.samples

    def __iter__(self) -> Iterator[SampleKey]:
        return iter(self.samples)

    def __len__(self) -> int:
        return len(self.samples)


def test_the_worst_cases_come_first_each_with_why_and_where_it_begins(talked: Make) -> None:
    found = run_failures(talked({"a": [True] * 3, "b": [True, False, True], "c": [False] * 3}))
    assert [one.result.case for one in found.cases] == ["c", "b"]
    assert [one.status for one in found.results] == ["passing", "unstable", "failing"]
    assert (found.failures, found.told, found.hidden) == (4, 4, 0)
    assert found.suspects == {"worker": 4}
    example = found.cases[1].example
    assert (example.sample, example.reason, example.beside) == (1, "expected right, got wrong", 0)
    assert [one.suspect.why for case in found.cases for one in case.failures if one.suspect] == [
        *["lacks the answer"] * 3,
        "departs",
    ]


def test_a_run_whose_samples_all_pass_has_no_failures(talked: Make) -> None:
    found = run_failures(talked({"a": [True, True], "b": [True, True]}))
    assert (found.failures, found.cases) == (0, ())


def test_what_the_scorer_or_the_agent_said_is_the_reason(talked: Make) -> None:
    failed = {("a", 1): Failure("agent", "RuntimeError", "no paper left")}
    record = talked({"a": [False, False]}, failed=failed)
    said = Score("correct", value=False, rationale="too loud")
    record = replace(record, scores={**record.scores, ("a", 0): (said,)})
    (case,) = run_failures(record).cases
    assert [one.reason for one in case.failures] == ["too loud", "RuntimeError: no paper left"]


def test_what_passes_without_the_expected_answer_is_not_asked_for_it(talked: Make) -> None:
    record = talked({"a": [False, False], "b": [True]})
    wrong = record.samples["a", 0].output
    samples = {**record.samples, ("b", 0): replace(record.samples["b", 0], output=wrong)}
    (case,) = run_failures(replace(record, samples=samples)).cases
    assert [(one.reason, one.unmet, one.suspect) for one in case.failures] == [("", None, None)] * 2


def test_of_a_large_run_the_samples_of_the_worst_cases_alone_are_read(talked: Make) -> None:
    record = talked({f"c{n:02}": [False, n % 2 == 0] for n in range(60)})
    samples = Counted(record.samples)
    found = run_failures(replace(record, samples=samples), most=5)
    assert (len(found.cases), found.hidden, found.failures, found.told) == (5, 55, 90, 10)
    assert len({case for case, _ in samples.read}) <= 5 + 10  # those that tell how samples pass
    assert run_failures(record, most=None).told == 90


def test_one_case_can_be_asked_for_even_if_it_passes(talked: Make) -> None:
    record = talked({"a": [True, True], "b": [False, True]})
    assert [one.result.case for one in run_failures(record, case="b").cases] == ["b"]
    passing = run_failures(record, case="a")
    assert (len(passing.results), passing.cases) == (1, ())
    with pytest.raises(RunError, match="no case 'z'"):
        run_failures(record, case="z")


def test_results_without_conversations_have_reasons_and_no_suspects(make_record: Make) -> None:
    record = replace(make_record({"a": [False, True]}), samples={})
    (case,) = run_failures(record).cases
    assert (case.failures[0].trace_id, case.failures[0].suspect) == (None, None)


def test_only_what_passes_or_fails_can_be_asked_for(make_record: Make) -> None:
    numbers = make_record({"a": [0.5, 3.0]})
    with pytest.raises(RunError, match="not passed or failed"):
        run_failures(numbers)
    with pytest.raises(RunError, match="no metric 'other'"):
        run_failures(numbers, "other")
    with pytest.raises(RunError, match="has no scores"):
        run_failures(make_record({"a": [True]}, metrics=(), scorers=()))
