from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linenotes.evals import RunPlan, Sample, Score
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._records import FILE_NAME, read_journal
from linenotes.evals.journal._sample_file import FILE_NAME as SAMPLES_NAME
from linenotes.evals.journal._samples import SampleKey

SAMPLES = 3


def keys(plan: RunPlan) -> list[SampleKey]:
    return [(case.id, index) for index in range(SAMPLES) for case in plan.cases]


def fill_in(journal: Journal, make_sample: Callable[..., Sample]) -> None:
    """Do what a run does: execute what is not there, score what is not scored."""
    cases = {case.id: case for case in journal.plan.cases}
    for case, index in keys(journal.plan):
        sample = make_sample(cases[case], index)
        if (case, index) not in journal.record.outcomes:
            journal.started(case, index)
            journal.finished(sample)
        if (case, index) not in journal.record.scores:
            journal.scored(sample, (Score("correct", value=index > 0),))


@pytest.fixture
def written(
    tmp_path: Path, make_plan: Callable[..., RunPlan], make_sample: Callable[..., Sample]
) -> Path:
    """A whole run of two cases and three samples."""
    folder = tmp_path / ("a" * 32)
    with Journal.create(folder, make_plan(samples=SAMPLES)) as journal:
        fill_in(journal, make_sample)
    return folder


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_run_cut_at_any_byte_of_either_file_goes_on_to_the_same_result(
    written: Path, make_sample: Callable[..., Sample], data: st.DataObject
) -> None:
    whole = read_journal(written / FILE_NAME)
    lines, samples = ((written / name).read_bytes() for name in (FILE_NAME, SAMPLES_NAME))
    plan_ends = lines.index(b"\n") + 1
    kept_lines = data.draw(st.integers(plan_ends, len(lines)), label="bytes of the journal")
    kept_samples = data.draw(st.integers(0, len(samples)), label="bytes of the samples")
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / FILE_NAME
        path.write_bytes(lines[:kept_lines])
        (Path(place) / SAMPLES_NAME).write_bytes(samples[:kept_samples])
        found = read_journal(path)
        assert all(found.samples[key] == whole.samples[key] for key in found.outcomes)
        assert found.scores.items() <= whole.scores.items()
        with Journal(path) as journal:
            assert journal.record == found
            assert not found.outcomes.keys() & set(journal.torn.samples)
            fill_in(journal, make_sample)
        again = read_journal(path)
        assert dict(again.samples) == dict(whole.samples)
        assert (again.outcomes, again.scores) == (whole.outcomes, whole.scores)
        with Journal(path) as journal:
            assert (journal.torn.bytes, journal.torn.samples) == (0, ())


def test_what_was_cut_is_told_in_bytes_and_samples(written: Path) -> None:
    samples, path = written / SAMPLES_NAME, written / FILE_NAME
    samples.write_bytes(samples.read_bytes()[:-1])
    with path.open("ab") as file:
        file.write(b'{"event"')
    last_line = len(samples.read_bytes()) - samples.read_bytes().rindex(b"\n") - 1
    with Journal(path) as journal:
        assert journal.torn.bytes == len(b'{"event"') + last_line
        assert journal.torn.samples == (keys(journal.plan)[-1],)


def test_a_sample_whose_end_is_missing_is_not_mistaken_for_the_next_one_that_is_written(
    written: Path, make_sample: Callable[..., Sample]
) -> None:
    samples, path = written / SAMPLES_NAME, written / FILE_NAME
    samples.write_bytes(samples.read_bytes()[:-1])
    with Journal(path) as journal:
        case = next(case for case in journal.plan.cases if case.id == "c0")
        journal.finished(make_sample(case, 7))
    record = read_journal(path)
    assert record.samples["c0", 7] == make_sample(case, 7)
    assert ("c1", 2) not in record.outcomes
