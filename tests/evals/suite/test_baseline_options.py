"""--baseline, --update-baseline and --target, with the gates that they are for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.evals.suite.conftest import ASKING_TEST, Run, words

from linenotes.evals import RunStore
from linenotes.evals.testing import ScriptedServer
from linenotes.project import Project

Write = Callable[..., None]
MANY = 30


@pytest.fixture
def many(pytester: pytest.Pytester) -> None:
    """Enough cases to show that all of them got worse."""
    lines = [
        f'{{"id": "c{i}", "inputs": {{"question": "{i} ok"}}, "expectations": {{}}}}'
        for i in range(MANY)
    ]
    (pytester.path / "asked.jsonl").write_text("\n".join(lines), encoding="utf-8")


def break_prompt(pytester: pytest.Pytester) -> None:
    """What the provider repeats is then no longer what was asked for."""
    graph = pytester.path / "asking.py"
    text = graph.read_text(encoding="utf-8").replace("{state['question']}", "{state['question']}!")
    graph.write_text(text, encoding="utf-8")


def test_without_its_baseline_a_gate_cannot_measure_and_says_how_to_save_one(
    run: Run, write: Write
) -> None:
    write("gate=Gate()")
    result = run("-v")
    assert words(result) == {
        "test_answers[c0]": "PASSED",
        "test_answers[c1]": "PASSED",
        "test_answers[c2]": "UNSTABLE 2/4",
        "test_answers[c3]": "FAILING 0/4",
        "test_answers[verdict]": "FAILED",
    }
    result.stdout.fnmatch_lines(["CANNOT MEASURE. There is no baseline 'champion' *--update-*"])


def test_the_version_that_became_the_baseline_is_unchanged(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write("gate=Gate()")
    saved = run("--update-baseline")
    assert saved.ret == pytest.ExitCode.OK
    saved.stdout.fnmatch_lines(["Baseline 'champion' is now run *"])
    assert [*(pytester.path / "baselines").rglob("champion*")]
    again = run("-v")
    assert words(again)["test_answers[verdict]"] == "UNCHANGED"
    assert again.ret == pytest.ExitCode.OK


def test_a_broken_version_fails_and_its_cases_do_not_by_themselves(
    run: Run, write: Write, server: ScriptedServer, pytester: pytest.Pytester, many: None
) -> None:
    write("gate=Gate()", text=ASKING_TEST)
    run("--update-baseline", "-q").assert_outcomes(passed=MANY + 1)
    break_prompt(pytester)
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "FAIL. *against*says_ok: FAIL. -100 points (95%*n=30). It is worse *",
            f"*1 failed, {MANY} failing in *",
        ]
    )


def test_few_cases_leave_a_change_undecided_and_say_what_it_would_take(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write("gate=Gate()")
    run("--update-baseline")
    desk = pytester.path / "desk.py"
    worse = desk.read_text(encoding="utf-8").replace("question == 2 and", "question and")
    desk.write_text(worse, encoding="utf-8")
    result = run()
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["INCONCLUSIVE. *: INCONCLUSIVE. -12 points*n=4)*To decide: *"])
    write("gate=Gate(inconclusive=0)")
    allowed = run("-v")
    assert words(allowed)["test_answers[verdict]"] == "INCONCLUSIVE"
    assert allowed.ret == pytest.ExitCode.OK


def test_another_baseline_or_run_is_compared_with(run: Run, write: Write) -> None:
    write("gate=Gate()")
    run("--update-baseline", "--baseline", "night")
    assert words(run("-v", "--baseline", "night"))["test_answers[verdict]"] == "UNCHANGED"
    newest = RunStore.of(Project.find()).plans()[-1].run_id
    assert words(run("-v", "--baseline", newest))["test_answers[verdict]"] == "UNCHANGED"


def test_a_run_that_other_scorers_judged_is_judged_by_the_test(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    from linenotes.evals import evaluate

    write("gate=Gate()")
    project = Project.find(pytester.path)
    earlier = evaluate("desk.py:build", "cases.jsonl", samples=4, project=project)
    result = run("--baseline", earlier.record.plan.run_id, "-v")
    assert words(result)["test_answers[verdict]"] == "UNCHANGED"


def test_target_says_what_intervals_speak_of(run: Run, write: Write) -> None:
    write("require=0.9")
    run().stdout.fnmatch_lines(["Intervals speak of cases like these."])
    run("--target", "dataset").stdout.fnmatch_lines(["Intervals speak of exactly these cases."])


@pytest.mark.parametrize(
    ("require", "verdict"),
    [("0.01", "PASSED"), ("0.5", "INCONCLUSIVE"), ("1.0", "FAILED"), ('"all"', "FAILED")],
)
def test_a_required_rate_fails_only_what_is_shown_to_miss_it(
    run: Run, write: Write, require: str, verdict: str
) -> None:
    write(f"require={require}")
    result = run("-v", "--target", "dataset")
    assert words(result)["test_answers[verdict]"] == verdict
    assert words(result)["test_answers[c2]"] == ("FAILED" if require == '"all"' else "UNSTABLE 2/4")


def test_a_quarantined_case_is_run_and_shown_and_fails_nothing(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write("require='all'")
    entry = "{{case: {}, dataset: cases, owner: ann, expires: {}, reason: flaky}}"
    lines = [entry.format("c2", "2999-01-01"), entry.format("c3", "2001-01-01")]
    held = pytester.path / "quarantine.yaml"
    held.write_text("".join(f"- {line}\n" for line in lines), encoding="utf-8")
    result = run("-v")
    assert words(result) == {
        "test_answers[c0]": "PASSED",
        "test_answers[c1]": "PASSED",
        "test_answers[c2]": "UNSTABLE 2/4",
        "test_answers[c3]": "FAILED",
        "test_answers[verdict]": "FAILED",
    }
    result.stdout.fnmatch_lines(
        [
            "FAIL. 1 of 3 cases do not pass in every sample: c3 0/4.",
            "1 quarantined case run and not counted: c2.",
            "The quarantine of case 'c3' (cases) expired on 2001-01-01: *",
        ]
    )
    write("gate=Gate()")
    held.write_text(f"- {lines[0]}\n", encoding="utf-8")
    run("--update-baseline")
    desk = pytester.path / "desk.py"
    worse = desk.read_text(encoding="utf-8").replace("question == 2 and", "question and")
    desk.write_text(worse, encoding="utf-8")
    run().stdout.fnmatch_lines(["*-17 points*n=3)*", "Differs: the agent's code changed."])


def test_an_expired_quarantine_fails_the_verdict_whatever_the_samples_say(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write("require='any', limit=2")
    entry = "- {case: c1, dataset: cases, owner: ann, expires: 2001-01-01, reason: flaky}\n"
    (pytester.path / "quarantine.yaml").write_text(entry, encoding="utf-8")
    result = run("-v")
    assert words(result)["test_answers[verdict]"] == "FAILED"
    result.stdout.fnmatch_lines(
        ["FAIL. The quarantine of case 'c1' (cases) expired on *: ann has *"]
    )


def test_a_baseline_that_cannot_be_saved_is_told_and_fails_the_session(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write("gate=Gate()")
    (pytester.path / "baselines").write_text("in the way")
    result = run("--update-baseline")
    result.stdout.fnmatch_lines(["*Cannot write *champion.pytest.jsonl.gz: Not a directory.*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()
