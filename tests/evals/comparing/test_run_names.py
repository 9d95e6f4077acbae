from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from linenotes.evals import RunPlan, RunStore, Sample, read_runs
from linenotes.evals.journal._journal import Journal
from linenotes.evals.journal._records import FILE_NAME
from linenotes.project import RunError

OTHER = {"name": "letters", "digest": "e" * 64}


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path)


@pytest.fixture
def started(
    store: RunStore, make_plan: Callable[..., RunPlan], make_sample: Callable[..., Sample]
) -> Callable[..., str]:
    """Start a run, newer than those before, finish a sample of it, and return its id."""
    count = iter(range(1, 100))

    def start(version: str, *, finished: bool = True, **plan: object) -> str:
        number = next(count)
        made = make_plan(
            **{"run_id": f"{number:x}" * 32, "version": version, "sequence": number, **plan}
        )
        with Journal.create(store.path(made.run_id), made) as journal:
            if finished:
                journal.started("c0", 0)
                journal.finished(make_sample())
        return made.run_id

    return start


def ids(store: RunStore, *names: str) -> list[str]:
    return [record.plan.run_id for record in read_runs(store, names)]


def test_runs_are_named_by_id_prefix_and_age(store: RunStore, started: Callable[..., str]) -> None:
    first, second = started("v1"), started("v2")
    assert ids(store, first, second[:8]) == [first, second]
    assert ids(store, "latest~1", "latest") == [first, second]


def test_a_version_means_its_newest_run(store: RunStore, started: Callable[..., str]) -> None:
    started("v1")
    newest, other = started("v1"), started("v2")
    assert ids(store, "v1", "v2") == [newest, other]
    assert ids(store, "app@v1", "latest") == [newest, other]
    assert ids(store, "v1", "v1") == [newest, newest]


def test_a_version_means_its_run_on_the_dataset_of_the_others(
    store: RunStore, started: Callable[..., str]
) -> None:
    here, there = started("v1"), started("v1", dataset=OTHER)
    candidate, elsewhere = started("v2"), started("v2", dataset=OTHER)
    assert ids(store, "v1", candidate) == [here, candidate]
    assert ids(store, "v1", elsewhere) == [there, elsewhere]
    assert ids(store, "v1", "v2") == [there, elsewhere]


def test_a_run_without_a_finished_sample_does_not_stand_for_its_version(
    store: RunStore, started: Callable[..., str]
) -> None:
    measured, other = started("v1"), started("v2")
    started("v1", finished=False)
    assert ids(store, "v1", "v2") == [measured, other]


def test_versions_that_share_no_dataset_are_refused(
    store: RunStore, started: Callable[..., str]
) -> None:
    started("v1")
    started("v2", dataset=OTHER)
    with pytest.raises(RunError, match="No dataset has runs of all of v1, v2"):
        ids(store, "v1", "v2")


def test_a_version_of_several_agents_needs_the_agent(
    store: RunStore, started: Callable[..., str]
) -> None:
    mine, yours = started("v1"), started("v1", agent="other")
    with pytest.raises(RunError, match=r"version of several agents. Say app@v1 or other@v1."):
        ids(store, "v1", "latest")
    assert ids(store, "app@v1", "other@v1") == [mine, yours]


def test_a_version_that_could_be_the_start_of_an_id_is_refused(
    store: RunStore, started: Callable[..., str]
) -> None:
    started("1")
    with pytest.raises(RunError, match="'1' could be the version of that name or run 1111"):
        ids(store, "1", "latest")


def test_what_is_neither_run_nor_version_is_refused(
    store: RunStore, started: Callable[..., str]
) -> None:
    run = started("v1")
    assert (store.path(run) / FILE_NAME).exists()
    with pytest.raises(RunError, match="There is no run 'v9'"):
        ids(store, "v9", "latest")
