from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from linenotes.agents import AgentVersion
from linenotes.evals import Job, Sample
from linenotes.evals.workers._messages import (
    defect_line,
    finished_line,
    job_line,
    raised_line,
    read_answer,
    read_job_line,
)
from linenotes.project import DatasetError, LinenotesError, ModelError

if TYPE_CHECKING:
    from linenotes.datasets import Dataset


@pytest.fixture
def job(one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]) -> Job:
    return Job("r", one_node(), numbers(1).cases[0], 2, seed=5)


def test_a_sample_comes_back_as_it_was(job: Job, make_sample: Callable[..., Sample]) -> None:
    sample = make_sample(job.case, job.index)
    line = finished_line(sample)
    assert b"\n" not in line
    assert read_answer(line, job) == sample


def test_a_job_is_named_by_its_run_its_case_and_its_index(job: Job) -> None:
    wanted = read_job_line(job_line(job))
    assert (wanted.run_id, wanted.case, wanted.index) == ("r", "c0", 2)


class UnknownError(LinenotesError):
    pass


@pytest.mark.parametrize(
    ("error", "kind"),
    [(ModelError("No key."), ModelError), (UnknownError("Odd."), LinenotesError)],
)
def test_a_mistake_of_the_users_is_raised_again(
    job: Job, error: LinenotesError, kind: type[LinenotesError]
) -> None:
    with pytest.raises(kind) as raised:
        read_answer(raised_line(error), job)
    assert str(raised.value) == str(error)


def test_a_golden_files_problems_are_told_one_by_one(job: Job) -> None:
    with pytest.raises(DatasetError) as raised:
        read_answer(raised_line(DatasetError("Two.", problems=("a:1: x", "a:2: y"))), job)
    assert raised.value.problems == ("a:1: x", "a:2: y")


def test_our_own_mistake_keeps_its_traceback(job: Job) -> None:
    with pytest.raises(RuntimeError, match=r'File "x\.py", line 3'):
        read_answer(defect_line('Traceback:\n  File "x.py", line 3'), job)
