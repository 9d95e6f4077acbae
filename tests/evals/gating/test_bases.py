from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import (
    RunRecord,
    StoredBase,
    VersionBase,
    evaluate,
    find_base,
    save_baseline,
)
from linenotes.project import PromptError, RunError


@pytest.fixture
def find(
    rated: Callable[[str], AgentVersion], numbers: Callable[..., Dataset]
) -> Callable[[str], StoredBase | VersionBase]:
    candidate = rated("v2")

    def named(name: str) -> StoredBase | VersionBase:
        return find_base(candidate.agent.project, name, candidate=candidate, dataset=numbers(2))

    return named


Find = Callable[[str], StoredBase | VersionBase]


def test_a_name_is_a_saved_baseline_before_it_is_a_run(
    find: Find, rated: Callable[[str], AgentVersion], make_record: Callable[..., RunRecord]
) -> None:
    save_baseline(rated("v1").agent.project, make_record({"a": [True]}), "latest")
    found = find("latest")
    assert isinstance(found, StoredBase)
    assert (found.label, found.fingerprint) == ("v1", "f" * 64)


def test_a_run_is_named_as_everywhere(
    find: Find, rated: Callable[[str], AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    run = evaluate(rated("v3"), numbers(2), samples=2).record.plan
    for name in (run.run_id, run.run_id[:10], "latest"):
        found = find(name)
        assert isinstance(found, StoredBase)
        assert found.record.plan.run_id == run.run_id


@pytest.mark.parametrize("name", ["@v1", "@1", "app.py:build@v1"])
def test_a_version_of_the_prompts_is_run_with_the_candidate(find: Find, name: str) -> None:
    found = find(name)
    assert isinstance(found, VersionBase)
    assert (found.version.prompts["rate"].version, found.label) == ("v1", name)


def test_what_is_not_there_is_told_with_what_is(
    find: Find, rated: Callable[[str], AgentVersion], make_record: Callable[..., RunRecord]
) -> None:
    for name in ("spring", "champion.pytest"):
        save_baseline(rated("v1").agent.project, make_record({"a": [True]}), name)
    with pytest.raises(
        RunError,
        match=r"no saved baseline 'champion' .*\(saved: .*t \(of pytest\), spring\).*same",
    ):
        find("champion")
    with pytest.raises(PromptError, match="has a version or an alias 'v9'"):
        find("@v9")
