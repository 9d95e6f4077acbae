from __future__ import annotations

from collections.abc import Callable

from tests.evals.suite.conftest import ASKING_TEST, Run

from linenotes.evals.testing import Fault, Request, ScriptedServer

Write = Callable[..., None]
DOWN = Fault.status(500, headers={"x-should-retry": "false"})


def fails(request: Request, _number: int) -> Fault | None:
    return DOWN if " 1 ok" in request.prompt else None


def test_a_case_without_a_measured_sample_is_an_error(run: Run, write: Write) -> None:
    write(text=ASKING_TEST)
    with ScriptedServer("ok", faults=fails) as server, server.in_environment():
        result = run("-m", "golden")
    result.assert_outcomes(errors=1, passed=3)
    result.stdout.fnmatch_lines(
        [
            "Cannot measure c1: of its samples, the infrastructure lost all 2, such as *500*",
            "says_ok * 100% *PASS",
            "*1 case without a sample, left out: c1.",
        ]
    )


def test_a_run_without_any_measured_sample_cannot_be_decided(run: Run, write: Write) -> None:
    write(text=ASKING_TEST)
    with ScriptedServer("ok", faults=lambda *_: DOWN) as server, server.in_environment():
        result = run()
    result.assert_outcomes(errors=3, failed=1)
    result.stdout.fnmatch_lines(["CANNOT MEASURE. No sample could be measured.*"])


def test_a_case_of_which_a_sample_was_lost_is_judged_by_the_others(run: Run, write: Write) -> None:
    once = [DOWN]

    def fails_once(request: Request, _number: int) -> Fault | None:
        return once.pop() if " 1 ok" in request.prompt and once else None

    write(text=ASKING_TEST)
    with ScriptedServer("no", faults=fails_once) as server, server.in_environment():
        result = run("-k", "c1", "--linenotes-concurrency", "1")
    result.stdout.fnmatch_lines(["c1: 0/2 samples passed"])
