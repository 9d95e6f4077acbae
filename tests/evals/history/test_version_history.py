from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from linenotes.datasets import Case
from linenotes.evals import RunRecord, RunStore, VersionHistory, newest_plan, version_history
from linenotes.evals.history._version_history import _fresh
from linenotes.evals.journal._usage import Usage
from linenotes.project import RunError

WriteRun = Callable[..., str]
ONE = {"a": [True, True], "b": [True, False]}


def history(store: RunStore, name: str = "latest") -> VersionHistory:
    return version_history(store, newest_plan(store, name)[0])


def test_runs_of_one_version_make_one_table(store: RunStore, write_run: WriteRun) -> None:
    write_run(ONE)
    write_run({"a": [False], "b": [True]})
    found = history(store)
    table = found.scores()
    assert table.groupby("case")["value"].apply(list).to_dict() == {"a": [1, 1, 0], "b": [1, 0, 1]}
    assert table.groupby("case")["sample"].apply(list).to_dict() == {"a": [0, 1, 2], "b": [0, 1, 2]}
    assert len(found.earlier_scores()) == 4
    assert len(found.latest_scores()) == 2
    assert found.copies == 0


def test_other_versions_datasets_and_later_runs_do_not_count(
    store: RunStore, write_run: WriteRun
) -> None:
    write_run(ONE, fingerprint="e" * 64)
    write_run(ONE, dataset={"name": "others", "digest": "d" * 64})
    write_run(ONE, scorers=("another",))
    write_run(ONE, codes={"correct": "edited since"})
    write_run(ONE, judges={"correct": "another-model"})
    middle = write_run(ONE)
    write_run(ONE)
    assert [run.plan.run_id for run in history(store, middle).runs] == [middle]
    assert len(history(store).runs) == 2


def test_a_case_that_has_changed_is_another_case(store: RunStore, write_run: WriteRun) -> None:
    old = [Case(id="a", inputs={"question": "old"}), Case(id="b", inputs={"question": "b"})]
    new = [Case(id="a", inputs={"question": "new"}), Case(id="b", inputs={"question": "b"})]
    write_run(ONE, cases=old)
    write_run(ONE, cases=new)
    counts = history(store).scores().groupby("case").size().to_dict()
    assert counts == {"a": 2, "b": 4}


def test_clusters_and_weights_are_those_of_the_latest_cases(
    store: RunStore, write_run: WriteRun
) -> None:
    cases = [Case(id=i, inputs={"question": i}) for i in "ab"]
    marked = [case.model_copy(update={"cluster": "k", "weight": 2.0}) for case in cases]
    write_run(ONE, cases=cases)
    write_run(ONE, cases=marked)
    table = history(store).scores()
    assert set(table["cluster"]) == {"k"}
    assert set(table["weight"]) == {2.0}


def test_a_case_without_a_cluster_stands_alone_beside_those_that_have_one(
    store: RunStore, write_run: WriteRun
) -> None:
    clusters = {"a": "k", "b": "k", "c": None}
    cases = [Case(id=i, inputs={"question": i}, cluster=of) for i, of in clusters.items()]
    write_run({case: [True, False] for case in "abc"}, cases=cases)
    table = history(store).scores()
    assert table.set_index("case")["cluster"].dropna().to_dict() == {"a": "k", "b": "k"}


def test_an_agent_stands_for_its_newest_run(store: RunStore, write_run: WriteRun) -> None:
    first = write_run(ONE, agent="desk")
    write_run(ONE, agent="other")
    plan, is_agent = newest_plan(store, "desk")
    assert (plan.run_id, is_agent) == (first, True)
    assert newest_plan(store, "latest")[1] is False
    with pytest.raises(RunError, match="There is no run 'nobody'"):
        newest_plan(store, "nobody")


def test_a_metric_must_be_there(store: RunStore, write_run: WriteRun) -> None:
    write_run(ONE)
    with pytest.raises(RunError, match=r"has no metric 'nope'\. It has correct"):
        version_history(store, newest_plan(store, "latest")[0], "nope")


@pytest.mark.parametrize(
    ("model", "replayed", "kept"),
    [("smollm2-135m", 0, 0), ("gpt-4.1", 0, 2), ("gpt-4.1", 1, 0), ("", 0, 2)],
)
def test_a_sample_that_was_given_again_counts_once(
    make_record: Callable[..., RunRecord], model: str, replayed: int, kept: int
) -> None:
    usage = Usage(
        agent="a", model=model, calls=1, input=1, output=1, cached=0, reasoning=0,
        cost=None, unpriced=0,
    )  # fmt: skip
    first = make_record({"a": [True, True]})
    again = replace(
        first,
        outcomes={
            key: replace(one, usage=(usage,), replayed=replayed)
            for key, one in first.outcomes.items()
        },
    )
    seen: set[tuple[str, int, int]] = set()
    assert len(dict(_fresh(again, seen))) == 2
    assert len(dict(_fresh(again, seen))) == kept
    other_seed = replace(again, plan=again.plan.model_copy(update={"seed": 1}))
    assert len(dict(_fresh(other_seed, seen))) == 2
