"""--samples, --linenotes-concurrency, --budget-*, --linenotes-prompt and --linenotes-model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.evals.suite.conftest import ASKING_TEST, Run

from linenotes.evals.testing import ScriptedServer

Write = Callable[..., None]


@pytest.fixture(autouse=True)
def _asks(write: Write) -> None:
    write(text=ASKING_TEST)


def test_samples_overrides_what_tests_declare(run: Run, server: ScriptedServer) -> None:
    run("--samples", "3").stdout.fnmatch_lines(["*, 3 cases, 3 samples each *"])
    assert len(server.requests) == 9


def test_the_environment_says_what_no_option_does(
    run: Run, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINENOTES_SAMPLES", "1")
    run().stdout.fnmatch_lines(["*, 3 cases, 1 sample each *"])
    run("--samples", "3").stdout.fnmatch_lines(["*, 3 cases, 3 samples each *"])


def test_a_variable_that_cannot_be_read_is_told_once_a_golden_test_is_there(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINENOTES_SAMPLES", "many")
    result = run()
    assert result.ret != 0
    assert (
        "LINENOTES_SAMPLES='many' is not what it takes" in result.stdout.str() + result.stderr.str()
    )
    pytester.makepyfile(test_desk="def test_plain(): pass")
    run().assert_outcomes(passed=1)


@pytest.mark.parametrize("name", ["samples", "concurrency"])
def test_settings_are_the_defaults(
    run: Run, server: ScriptedServer, pytester: pytest.Pytester, write: Write, name: str
) -> None:
    write(text=ASKING_TEST.replace(", samples=2", ""))
    with (pytester.path / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[tool.linenotes.pytest]\n{name} = 1\n")
    run()
    assert len(server.requests) == (3 if name == "samples" else 9)


@pytest.mark.parametrize(
    ("option", "amount", "told"),
    [("usd", "0.035", "$0.03"), ("tokens", "35", "35 tokens"), ("calls", "4", "4 calls")],
)
def test_a_budget_keeps_what_had_finished(
    run: Run, server: ScriptedServer, option: str, amount: str, told: str
) -> None:
    result = run(
        f"--budget-{option}", amount, "--linenotes-concurrency", "1", "--linenotes-model", "m"
    )
    result.stdout.fnmatch_lines([f"*The budget of {told}* is used up*"])
    assert 2 <= len(server.requests) <= 4
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_budget_of_seconds_is_taken(run: Run, server: ScriptedServer) -> None:
    run("--budget-seconds", "1000").assert_outcomes(passed=4)


def test_another_prompt_is_tried_without_touching_code(run: Run, server: ScriptedServer) -> None:
    run("--linenotes-prompt", "answer=v1")
    assert {request.prompt[:6] for request in server.requests} == {"By v1 "}
    run("--linenotes-prompt", "v2")
    assert {request.prompt[:6] for request in server.requests[6:]} == {"By v2 "}


def test_another_model_is_tried_without_touching_code(run: Run, server: ScriptedServer) -> None:
    run("--linenotes-model", "answer=m")
    run()
    assert [request.model for request in server.requests] == 6 * ["m"] + 6 * ["n"]


def test_a_session_tries_one_version(run: Run) -> None:
    run("--linenotes-prompt", "answer=v1,v2").stdout.fnmatch_lines(
        ["'answer=v1,v2' is not NAME=VERSION*A session tries one version."]
    )
