from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from linenotes.evals import RunPlan, RunStore, Sample
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._records import FILE_NAME
from linenotes.project import RunError

IDS = ["abc1" + "0" * 28, "abc2" + "0" * 28, "d" * 32]


@pytest.fixture
def runs(
    tmp_path: Path, make_plan: Callable[..., RunPlan], make_sample: Callable[..., Sample]
) -> RunStore:
    store = RunStore(tmp_path / "runs")
    for number, run_id in reversed(list(enumerate(IDS))):
        created = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)
        plan = make_plan(run_id=run_id, created=created, version=f"v{number}")
        with Journal.create(store.path(run_id), plan) as journal:
            journal.finished(make_sample())
    return store


@pytest.fixture
def empty(runs: RunStore, make_plan: Callable[..., RunPlan]) -> str:
    """Start a run of which no sample finishes, and return its id."""
    plan = make_plan(run_id="e" * 32, created=datetime(2026, 2, 1, tzinfo=UTC), version="v3")
    with Journal.create(runs.path(plan.run_id), plan) as journal:
        journal.started("c0", 0)
        journal.worked(seconds=1)
    return plan.run_id


def test_the_oldest_is_the_first_and_the_newest_the_last(runs: RunStore) -> None:
    assert [plan.run_id for plan in runs.plans()] == IDS


@pytest.mark.parametrize(
    ("name", "meant"),
    [("latest", 2), ("latest~0", 2), ("latest~1", 1), ("latest~2", 0), ("abc1", 0), ("d", 2)],
)
def test_a_run_is_found_by_its_place_or_a_unique_prefix(
    runs: RunStore, name: str, meant: int
) -> None:
    assert runs.find(name).run_id == IDS[meant]
    assert runs.find(IDS[meant]).run_id == IDS[meant]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("abc", "Run 'abc' could be abc100000000, abc200000000. Give more of the id."),
        ("zzz", "There is no run 'zzz' .* The newest of 3 are .*app v0.*app v2"),
        ("", "There is no run ''"),
        ("latest~3", "There is no run 'latest~3'. The newest of 3"),
        ("latest~x", "There is no run 'latest~x'"),
    ],
)
def test_a_name_that_means_none_or_several_is_told(runs: RunStore, name: str, told: str) -> None:
    with pytest.raises(RunError, match=told):
        runs.find(name)


@pytest.mark.parametrize("name", ["latest", "abc", "latest~1"])
def test_without_any_run_the_way_to_make_one_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match=r"There are no runs yet: `linenotes eval AGENT` makes one"):
        RunStore(tmp_path / "none").find(name)


@pytest.mark.parametrize(("name", "meant"), [("latest", 2), ("latest~1", 1), ("latest~2", 0)])
def test_a_run_without_a_finished_sample_is_not_the_latest(
    runs: RunStore, empty: str, name: str, meant: int
) -> None:
    assert runs.find(name).run_id == IDS[meant]
    assert runs.find(empty[:5]).run_id == empty


def test_a_run_without_a_finished_sample_is_the_latest_to_go_on_with(
    runs: RunStore, empty: str
) -> None:
    assert runs.find_begun("latest").run_id == empty
    assert runs.find_begun("latest~1").run_id == IDS[2]
    assert runs.find_begun("abc1").run_id == IDS[0]
    with pytest.raises(RunError, match="There is no run 'latest~4'"):
        runs.find_begun("latest~4")


def test_runs_without_a_finished_sample_are_named_as_such(runs: RunStore, empty: str) -> None:
    told = r"The newest of 4 are .*\(app v2\), eeeeeeeeeeee \(app v3, no sample finished\)\.$"
    with pytest.raises(RunError, match=told):
        runs.find("latest~3")
    with pytest.raises(RunError, match=told):
        runs.find("zzz")


def test_a_folder_without_a_plan_is_no_run(runs: RunStore) -> None:
    for content in (b"", b'{"event":"plan","plan":{"run_id', b"garbage\n"):
        folder = runs.folder / ("half-made" + str(len(content)))
        folder.mkdir()
        (folder / FILE_NAME).write_bytes(content)
    assert len(runs.plans()) == 3


def test_a_run_is_read_with_what_it_did(runs: RunStore, make_sample: Callable[..., Sample]) -> None:
    assert runs.read("latest").samples == {("c0", 0): make_sample()}
