from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.evals.suite.conftest import Run, words

Write = Callable[..., None]


def test_a_case_is_an_item_and_the_verdict_comes_last(run: Run, write: Write) -> None:
    write()
    result = run("-v")
    assert words(result) == {
        "test_answers[c0]": "PASSED",
        "test_answers[c1]": "PASSED",
        "test_answers[c2]": "UNSTABLE 2/4",
        "test_answers[c3]": "FAILED",
        "test_answers[verdict]": "FAILED",
    }
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*2 failed, 2 passed, 1 unstable*"])


def test_a_failing_item_shows_all_that_a_person_looks_for(run: Run, write: Write) -> None:
    write('require="all"')
    out = run("-k", "c2").stdout
    out.fnmatch_lines(
        [
            ">       assert sample.output[*",
            "E       AssertionError: assert 'nothing' == 2",
            "*- linenotes -*",
            "c2: 2/4 samples passed",
            "sample 1: assert 'nothing' == 2",
            "  failing sample * | passing sample",
            "  user → plan: 2 * | user → plan: 2",
            "≠ answer → user: nothing * | answer → user: 2",
            "trace  linenotes trace show tr-*",
            "again  pytest 'test_desk.py::test_answers[[]c2[]]'*",
        ]
    )


def test_only_selected_cases_are_executed(run: Run, write: Write) -> None:
    write()
    result = run("-k", "c0 or c1", "-v")
    result.stdout.fnmatch_lines(["linenotes: desk.py:build on cases, 2 cases, 4 samples each *"])
    assert set(words(result)) == {"test_answers[c0]", "test_answers[c1]"}
    result.stdout.fnmatch_lines(
        ["test_desk.py::test_answers: no verdict. 8 of 8 samples of 2 cases passed."]
    )


def test_an_item_is_named_on_the_command_line(run: Run, write: Write) -> None:
    write()
    run("test_desk.py::test_answers[c1]").assert_outcomes(passed=1)


def test_a_verdict_alone_judges_all_cases(run: Run, write: Write) -> None:
    write()
    result = run("-k", "verdict", "-v")
    assert words(result) == {"test_answers[verdict]": "FAILED"}
    result.stdout.fnmatch_lines(
        ["linenotes: * 4 cases, 4 samples each *", "answers * 62% * 4  4 *"]
    )


def test_a_verdict_on_some_of_its_cases_is_not_reached(run: Run, write: Write) -> None:
    write()
    result = run("-k", "not c3", "-rs")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["*A verdict is on all 4 cases of its test, and 3 are selected.*"])


def test_what_failed_last_is_run_again_with_all_that_its_verdict_needs(
    run: Run, write: Write
) -> None:
    write()
    run()
    result = run("--lf", "-v")
    assert set(words(result)) == {"test_answers[c3]", "test_answers[verdict]"}
    result.stdout.fnmatch_lines(["linenotes: * 4 cases, 4 samples each *"])


def test_what_failed_last_comes_first(run: Run, write: Write) -> None:
    write()
    run()
    assert next(iter(words(run("--ff", "-v")))) == "test_answers[c3]"


def test_the_first_failure_ends_the_session(run: Run, write: Write) -> None:
    write()
    result = run("-x", "-v")
    assert "test_answers[verdict]" not in words(result)
    result.stdout.fnmatch_lines(["*stopping after 1 failures*"])


def test_a_marker_selects_golden_tests(run: Run, write: Write, pytester: pytest.Pytester) -> None:
    write()
    pytester.makepyfile(test_plain="def test_plain(): pass")
    run("-m", "not golden", "--strict-markers").assert_outcomes(passed=1, deselected=5)


def test_collecting_executes_nothing(run: Run, write: Write) -> None:
    write()
    result = run("--collect-only", "-q")
    result.stdout.fnmatch_lines(
        [*(f"test_desk.py::test_answers[[]c{i}[]]" for i in range(4)), "*[[]verdict[]]"]
    )
    result.stdout.no_fnmatch_line("linenotes:*")


def test_skipped_tests_execute_nothing(run: Run, write: Write) -> None:
    marked = "import pytest\npytestmark = pytest.mark.skip\n"
    write(text=marked + TEST_WITHOUT_MORE)
    result = run()
    result.assert_outcomes(skipped=5)
    result.stdout.no_fnmatch_line("linenotes:*")


TEST_WITHOUT_MORE = """
from linenotes.evals import golden

@golden("cases.jsonl", agent="desk.py:build", samples=4)
def test_answers(sample):
    assert sample.output["answer"] == sample.expectations["answer"]
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('agent="nobody"', "*nobody*"),
        ('agent="desk.py:build", split="val"', "Dataset 'cases' has no split 'val'.*"),
        ('agent="desk.py:build", samples=0', "*Each case needs at least 1 sample, not 0.*"),
        ('agent="desk.py:build", require="most"', "*require='most' is no requirement.*"),
        (
            'agent="desk.py:build", gate=Gate(guardrails={"polite": 0.1})',
            "*A golden test measures one metric, so its gate has no guardrails.*",
        ),
    ],
)
def test_a_mistake_in_a_declaration_is_told_when_it_is_collected(
    run: Run, write: Write, text: str, message: str
) -> None:
    write(
        text=f"from linenotes.evals import Gate, golden\n@golden('cases.jsonl', {text})\n"
        "def test_x(sample): pass"
    )
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])


def test_a_test_without_the_argument_says_so(run: Run, write: Write) -> None:
    write(
        text="from linenotes.evals import golden\n"
        "@golden('cases.jsonl', agent='desk.py:build')\ndef test_x(): pass"
    )
    run().stdout.fnmatch_lines(["Golden test 'test_x' takes no argument `sample`.*"])


def test_a_case_cannot_be_called_as_the_verdict(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write()
    line = '{"id": "verdict", "inputs": {"question": 9}}\n'
    with (pytester.path / "cases.jsonl").open("a", encoding="utf-8") as file:
        file.write(line)
    run().stdout.fnmatch_lines(["Dataset 'cases' has a case 'verdict'*Rename the case."])


def test_an_agent_that_does_not_build_fails_once_and_lets_other_tests_run(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write()
    pytester.makepyfile(desk="build = 1", test_plain="def test_plain(): pass")
    result = run()
    result.assert_outcomes(errors=1, skipped=4, passed=1)
    result.stdout.fnmatch_lines(["*desk.py:build*"])
