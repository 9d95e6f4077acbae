from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from linenotes.evals import RunPlan
from linenotes.evals.engine._stopwatch import Stopwatch
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._records import FILE_NAME, read_journal

MakePlan = Callable[..., RunPlan]


class Clock:
    """Tells the time that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def journals(tmp_path: Path, make_plan: MakePlan) -> Iterator[list[Journal]]:
    with ExitStack() as files:
        folders = [tmp_path / "one", tmp_path / "two"]
        yield [files.enter_context(Journal.create(folder, make_plan())) for folder in folders]


def seconds(journal: Journal) -> float:
    """Return what a process that comes later reads."""
    return read_journal(journal.path).wall_seconds


def test_a_run_that_is_killed_knows_how_long_it_worked(journals: list[Journal]) -> None:
    clock = Clock()
    watch = Stopwatch(journals, clock=clock)
    clock.now += 50  # until agents run
    watch.__enter__()
    for _ in range(4):
        clock.now += 1.5
        watch.lap()
    assert [seconds(journal) for journal in journals] == [6.0, 6.0]
    with Stopwatch(journals, clock=clock):
        clock.now += 2
    assert [seconds(journal) for journal in journals] == [8.0, 8.0]


def test_time_is_noted_once_however_often_samples_finish(journals: list[Journal]) -> None:
    clock = Clock()
    with Stopwatch(journals, clock=clock) as watch:
        for _ in range(40):
            clock.now += 0.125
            watch.lap()
    assert [seconds(journal) for journal in journals] == [5.0, 5.0]
    lines = (journals[0].path.parent / FILE_NAME).read_bytes().splitlines()
    assert len(lines) == 1 + 5 + 1


def test_the_time_is_noted_of_a_session_and_not_of_its_laps(journals: list[Journal]) -> None:
    clock = Clock()
    for session in range(2):
        with Stopwatch(journals, clock=clock) as watch:
            clock.now += 3
            watch.lap()
        assert journals[0].record.revision == session
