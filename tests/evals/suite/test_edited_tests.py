"""A golden test that was edited since it judged its baseline is another instrument."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from tests.evals.suite.conftest import Run, words

Write = Callable[..., None]
LENIENT = """
from linenotes.evals import Gate, golden

WRONG = "nothing"


def is_right(sample):
    return sample.output["answer"] == sample.expectations["answer"]


@golden("cases.jsonl", agent="desk.py:build", samples=4, gate=Gate({more}))
def test_answers(sample):
    # what the desk answers
    assert is_right(sample)
"""


def edit(pytester: pytest.Pytester, old: str, new: str, file: str = "test_desk.py") -> None:
    path = pytester.path / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def saved(run: Run, write: Write) -> None:
    """The version of the desk as the baseline."""
    write(text=LENIENT.replace("{more}", "margin=0.05"))
    result = run("--update-baseline")
    result.stdout.fnmatch_lines(["Baseline 'champion' is now run *champion.pytest.jsonl.gz*"])


@pytest.fixture
def elsewhere(saved: None, shared_state: Path) -> None:
    """The committed baseline alone, as a CI has it."""
    shutil.rmtree(shared_state / "runs")


@pytest.mark.usefixtures("elsewhere")
def test_comments_margins_and_samples_are_no_edit_of_the_judgement(
    run: Run, pytester: pytest.Pytester
) -> None:
    edit(pytester, "    # what the desk answers", '    """The desk answers."""')
    edit(pytester, "margin=0.05", "margin=0.2, target='dataset'")
    assert words(run("-v"))["test_answers[verdict]"] == "UNCHANGED"
    edit(pytester, "samples=4", "samples=2")
    result = run("-v")
    assert "The test has changed" not in result.stdout.str()
    assert "CANNOT MEASURE" not in result.stdout.str()


@pytest.mark.usefixtures("elsewhere")
def test_without_the_run_of_its_baseline_an_edited_test_cannot_measure_until_it_is_saved_anew(
    run: Run, pytester: pytest.Pytester
) -> None:
    edit(pytester, 'sample.output["answer"] ==', 'sample.output["answer"] <=')
    edit(pytester, "question == 3", "question == 1", file="desk.py")
    result = run("-v")
    assert words(result)["test_answers[verdict]"] == "FAILED"
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "CANNOT MEASURE. The test has changed since it judged the baseline 'champion', and its "
            "run * is not here to be judged anew. Judge the version to beat anew, *--update-base*"
        ]
    )
    edit(pytester, "question == 1", "question == 3", file="desk.py")
    run("--update-baseline")
    assert words(run("-v"))["test_answers[verdict]"] == "UNCHANGED"


@pytest.mark.usefixtures("saved")
def test_where_the_run_is_here_an_edited_test_judges_the_samples_of_its_baseline_anew(
    run: Run, pytester: pytest.Pytester
) -> None:
    edit(pytester, "    return sample", '    return sample.output["answer"] != WRONG or sample')
    result = run("-v")
    assert words(result)["test_answers[verdict]"] == "UNCHANGED"
    result.stdout.fnmatch_lines(
        ["*The test has changed since*judged the 16 samples of that run anew. *--update-baseline.*"]
    )
    # Held against the scores of the lenient test, every version would now be worse.
    edit(pytester, "    assert is_right(sample)", "    assert not sample.output")
    result = run("-v")
    assert words(result)["test_answers[verdict]"] == "UNCHANGED"
    assert "It is worse" not in result.stdout.str()


@pytest.mark.usefixtures("elsewhere")
def test_an_edit_of_what_the_test_stands_on_or_is_given_is_one_of_the_test(
    run: Run, pytester: pytest.Pytester
) -> None:
    edit(pytester, "    return sample", '    return sample.output["answer"] == WRONG or sample')
    run("-v").stdout.fnmatch_lines(["CANNOT MEASURE. The test has changed since it judged *"])


@pytest.mark.usefixtures("elsewhere")
def test_a_baseline_that_does_not_tell_by_what_code_it_was_judged_is_none(
    run: Run, pytester: pytest.Pytester
) -> None:
    (path,) = (pytester.path / "baselines").rglob("champion*")
    head, *lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    older = {**orjson.loads(head)}
    del older["plan"]["codes"]
    path.write_bytes(gzip.compress(b"".join([orjson.dumps(older), b"\n", *lines])))
    run("-v").stdout.fnmatch_lines(["CANNOT MEASURE. Nobody knows by what code of the test *"])


def test_parameters_of_a_test_are_part_of_it(
    run: Run, write: Write, pytester: pytest.Pytester, shared_state: Path
) -> None:
    text = LENIENT.replace("{more}", "").replace("(sample):\n    #", "(sample, most):\n    #")
    marked = '@pytest.mark.parametrize("most", [3], ids=["few"])\n@golden'
    write(text="import pytest\n" + text.replace("@golden", marked))
    run("--update-baseline")
    shutil.rmtree(shared_state / "runs")
    assert words(run("-v"))["test_answers[few-verdict]"] == "UNCHANGED"
    shutil.rmtree(shared_state / "runs")
    edit(pytester, "[3]", "[4]")
    run("-v").stdout.fnmatch_lines(["CANNOT MEASURE. The test has changed since it judged *"])


def test_golden_tests_and_gates_keep_baselines_of_one_name_beside_each_other(
    run: Run, write: Write, pytester: pytest.Pytester, shared_state: Path
) -> None:
    from linenotes.evals import evaluate, find_baseline, save_baseline
    from linenotes.project import Project

    write(text=LENIENT.replace("{more}", ""))
    project = Project.find(pytester.path)
    earlier = evaluate("desk.py:build", "cases.jsonl", samples=4, project=project).record
    path = save_baseline(project, earlier, "champion")
    assert words(run("-v"))["test_answers[verdict]"] == "UNCHANGED", "the test judges its samples"
    run("--update-baseline")
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "champion.jsonl.gz",
        "champion.pytest.jsonl.gz",
    ]
    named = {"agent": earlier.plan.agent, "dataset": earlier.plan.dataset.name}
    of_gates = find_baseline(project, "champion", **named)
    assert of_gates is not None
    assert of_gates.plan.metrics == ("matches_expectations",)
    shutil.rmtree(shared_state / "runs")
    assert words(run("-v"))["test_answers[verdict]"] == "UNCHANGED"
    path.with_name("champion.pytest.jsonl.gz").unlink()
    shutil.rmtree(shared_state / "runs")
    run("-v").stdout.fnmatch_lines(["CANNOT MEASURE. The baseline 'champion' has no score 'ans*"])
