from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from linenotes.evals import (
    RunRecord,
    Score,
    check_baseline_place,
    compare_runs,
    find_baseline,
    save_baseline,
)
from linenotes.project import Project, RunError

RUNS = {"a": [True, True], "b": [False, None], "c": [True, False]}


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    return make_project()


def test_a_saved_baseline_is_read_as_the_record_of_its_run(
    project: Project, make_record: Callable[..., RunRecord]
) -> None:
    record = make_record(RUNS)
    path = save_baseline(project, record, "champion")
    assert path == project.root / "baselines/numbers/app/champion.jsonl.gz"
    found = find_baseline(project, "champion", agent="app", dataset="numbers")
    assert found is not None
    assert (found.outcomes, found.scores) == (record.outcomes, record.scores)
    assert found.plan.fingerprint == record.plan.fingerprint
    assert compare_runs(found, record).result == compare_runs(record, record).result


def test_equal_runs_give_equal_bytes(
    project: Project, make_record: Callable[..., RunRecord]
) -> None:
    record = make_record(RUNS)
    one = save_baseline(project, record, "one").read_bytes()
    shuffled = replace(record, outcomes=dict(reversed(list(record.outcomes.items()))))
    assert save_baseline(project, shuffled, "two").read_bytes() == one
    assert len(one) < 2000


def test_nothing_that_was_said_and_no_place_of_the_machine_is_saved(
    project: Project, make_record: Callable[..., RunRecord]
) -> None:
    dataset = {"name": "numbers", "digest": "d" * 64, "source": "somebody/cases.jsonl"}
    record = make_record(RUNS, dataset=dataset)
    judged = Score("correct", value=True, rationale="the agent said Grüße")
    record = replace(record, scores={**record.scores, ("a", 0): (judged,)})
    text = gzip.decompress(save_baseline(project, record, "champion").read_bytes()).decode()
    assert "Grüße" not in text
    assert "somebody" not in text
    assert "m-1" not in text


def test_secrets_are_not_saved(project: Project, make_record: Callable[..., RunRecord]) -> None:
    key = "sk-proj-" + "a1B2" * 12
    prompts = {"tone": {"version": "v1", "text": f"Use {key}.", "registry_version": 3}}
    path = save_baseline(project, make_record(RUNS, prompts=prompts), "champion")
    assert key not in gzip.decompress(path.read_bytes()).decode()


def test_saving_again_replaces_the_baseline(
    project: Project, make_record: Callable[..., RunRecord]
) -> None:
    save_baseline(project, make_record(RUNS), "champion")
    save_baseline(project, make_record(RUNS, version="v2"), "champion")
    found = find_baseline(project, "champion", agent="app", dataset="numbers")
    assert found is not None
    assert found.plan.version == "v2"


@pytest.mark.parametrize("name", ["", "../champion", "latest~1", ".hidden", "a/b"])
def test_a_name_that_is_no_file_name_is_refused_and_finds_nothing(
    project: Project, make_record: Callable[..., RunRecord], name: str
) -> None:
    with pytest.raises(RunError, match="cannot be called"):
        save_baseline(project, make_record(RUNS), name)
    assert find_baseline(project, name, agent="app", dataset="numbers") is None


def test_a_name_for_golden_tests_is_theirs(
    project: Project, make_record: Callable[..., RunRecord]
) -> None:
    with pytest.raises(RunError, match=r"golden tests keep theirs .* Call it 'champion'\."):
        check_baseline_place(project, "champion.pytest", agent="app", dataset="numbers")
    save_baseline(project, make_record(RUNS), "champion.pytest").write_bytes(b"")
    with pytest.raises(RunError, match="anew: pytest --update-baseline --baseline champion"):
        find_baseline(project, "champion.pytest", agent="app", dataset="numbers")


def test_agents_that_are_named_by_a_file_have_a_folder_of_their_own(
    project: Project, make_record: Callable[..., RunRecord]
) -> None:
    path = save_baseline(project, make_record(RUNS, agent="src/app.py:build"), "champion")
    assert path.parent == project.root / "baselines/numbers/src_app.py_build"
    assert find_baseline(project, "champion", agent="src/app.py:build", dataset="numbers")
    assert find_baseline(project, "champion", agent="app", dataset="numbers") is None


def test_a_run_without_scores_is_no_baseline(
    project: Project, make_record: Callable[..., RunRecord]
) -> None:
    with pytest.raises(RunError, match="has no scores"):
        save_baseline(project, replace(make_record(RUNS), scores={}), "champion")


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b'{"linenotes":"x"}\n')],
    ids=["empty", "no gzip", "another head"],
)
def test_a_broken_file_is_told_with_its_cure(
    project: Project, make_record: Callable[..., RunRecord], content: bytes
) -> None:
    path: Path = save_baseline(project, make_record(RUNS), "champion")
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"champion.jsonl.gz is not a baseline .* --save-baseline"):
        find_baseline(project, "champion", agent="app", dataset="numbers")


def test_what_can_never_be_saved_is_refused_beforehand(project: Project) -> None:
    named = {"agent": "app", "dataset": "numbers"}
    check_baseline_place(project, "champion", **named)
    assert not (project.root / "baselines").exists()
    with pytest.raises(RunError, match=r"cannot be called '\.\./x'"):
        check_baseline_place(project, "../x", **named)
    (project.root / "baselines").write_text("in the way")
    with pytest.raises(RunError, match="is no folder that can be written"):
        check_baseline_place(project, "champion", **named)


def test_a_small_file_that_unpacks_to_very_much_is_refused(
    project: Project, make_record: Callable[..., RunRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_baseline(project, make_record(RUNS), "champion")
    monkeypatch.setattr("linenotes.evals.gating._baselines._MOST_BYTES", 1 << 20)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b" " * (1 << 20)))
    with pytest.raises(RunError, match="is not a baseline that this version reads"):
        find_baseline(project, "champion", agent="app", dataset="numbers")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (b'"agent":"app"', b'"agent":"other"', "is a baseline of the agent 'other', not of 'app'"),
        (b'{"case":"b"', b'{"case":"z"', "holds samples of 'z', which is none of its cases"),
        (b'"sample":1', b'"sample":0', "holds a sample twice"),
        (b'"sample":1', b'"sample":-1', "is not a baseline that this version reads"),
        (b'"value":true', b'"value":NaN', "holds a score that is no finite number"),
    ],
)
def test_what_no_run_can_have_measured_is_told_with_its_cure(
    before: bytes,
    after: bytes,
    message: str,
    project: Project,
    make_record: Callable[..., RunRecord],
) -> None:
    path = save_baseline(project, make_record(RUNS), "champion")
    content = gzip.decompress(path.read_bytes())
    assert before in content
    path.write_bytes(gzip.compress(content.replace(before, after)))
    with pytest.raises(RunError, match=f"{message}.* --save-baseline champion"):
        find_baseline(project, "champion", agent="app", dataset="numbers")


def test_a_baseline_that_cannot_be_written_leaves_the_old_one_and_nothing_else(
    project: Project, make_record: Callable[..., RunRecord]
) -> None:
    path = save_baseline(project, make_record(RUNS), "champion")
    path.unlink()
    path.mkdir()
    with pytest.raises(RunError, match="Make room or rights there"):
        save_baseline(project, make_record(RUNS), "champion")
    assert list(path.parent.iterdir()) == [path]
