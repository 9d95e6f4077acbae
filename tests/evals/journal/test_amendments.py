from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from linenotes.evals import RunPlan, Sample, Score
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._plans import Amendment
from linenotes.evals.journal._records import FILE_NAME, read_journal, read_plan

CORRECT, SPEED = Score("correct", value=True), Score("speed", value=0.5)


@pytest.fixture
def path(
    tmp_path: Path, make_plan: Callable[..., RunPlan], make_sample: Callable[..., Sample]
) -> Path:
    plan = make_plan(scorers=("own.py:correct", "speed"), metrics=("correct", "speed"))
    with Journal.create(tmp_path / "run", plan) as journal:
        journal.finished(make_sample())
        journal.scored(make_sample(), (CORRECT, SPEED))
    return tmp_path / "run" / FILE_NAME


def test_an_amendment_changes_the_plan_and_leaves_the_first_line(path: Path) -> None:
    first = path.read_bytes().splitlines()[0]
    with Journal(path) as journal:
        journal.amended(Amendment(samples=4))
        assert journal.plan.samples == 4
        assert journal.record == read_journal(path)
    assert read_journal(path).plan.samples == 4
    assert path.read_bytes().splitlines()[0] == first
    plan = read_plan(path)
    assert plan is not None
    assert plan.samples == 1


def test_new_scorers_leave_only_the_scores_that_are_kept(
    path: Path, make_sample: Callable[..., Sample]
) -> None:
    amendment = Amendment(scorers={"length": "length", "speed": "speed"}, kept=frozenset({"speed"}))
    with Journal(path) as journal:
        journal.amended(amendment)
        assert journal.kept_scores(("c0", 0)) == (SPEED,)
        assert journal.record == read_journal(path)
        assert journal.record.scores == {}
        length = Score("length", value=3.0)
        journal.scored(make_sample(), (length, SPEED))
        assert journal.kept_scores(("c0", 0)) is None
    record = read_journal(path)
    assert record.plan.metrics == ("length", "speed")
    assert record.plan.scorers == ("length", "speed")
    assert record.scores == {("c0", 0): (length, SPEED)}
    assert record.withdrawn == {"correct"}
    assert b'"correct"' in path.read_bytes().splitlines()[2], "old scores stay in the journal"


def test_scores_that_were_kept_twice_are_still_kept(path: Path) -> None:
    with Journal(path) as journal:
        journal.amended(Amendment(scorers={"a": "a", "speed": "speed"}, kept=frozenset({"speed"})))
        journal.amended(Amendment(scorers={"b": "b", "speed": "speed"}, kept=frozenset({"speed"})))
        assert journal.kept_scores(("c0", 0)) == (SPEED,)
        assert journal.record.withdrawn == {"a", "correct"}


def test_a_metric_that_comes_back_is_no_longer_withdrawn(path: Path) -> None:
    with Journal(path) as journal:
        journal.amended(Amendment(scorers={"speed": "speed"}, kept=frozenset()))
        journal.amended(Amendment(scorers={"correct": "own.py:correct"}, kept=frozenset()))
        assert journal.record.withdrawn == {"speed"}


def test_what_was_done_to_a_run_after_its_end_counts_as_revisions(path: Path) -> None:
    with Journal(path) as journal:
        journal.worked(seconds=1)
        assert journal.record.revision == 0
        journal.worked(seconds=1)
        journal.amended(Amendment(samples=2))
        assert journal.record.revision == 2
