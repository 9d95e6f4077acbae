"""Sessions that end in the middle, beside one another, or with no room for what they write."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.evals.suite.conftest import ASKING_TEST, TEST, Run, plugin

from linenotes.evals import RunStore
from linenotes.evals.testing import ScriptedServer
from linenotes.project import Project

Write = Callable[..., None]
FULL = Path("/dev/full")


def started(*arguments: str) -> subprocess.Popen[str]:
    """Return a session in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *plugin(), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_stopped_run_is_not_continued_with_cases_that_have_changed(
    run: Run, write: Write, server: ScriptedServer, pytester: pytest.Pytester
) -> None:
    write(text=ASKING_TEST)
    arguments = ("-k", "verdict", "--linenotes-concurrency", "1")
    run(*arguments, "--budget-calls", "4")
    cases = pytester.path / "asked.jsonl"
    cases.write_text(cases.read_text(encoding="utf-8").replace("1 ok", "one ok"), encoding="utf-8")
    asked = len(server.requests)
    result = run(*arguments)
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("Continued run*")
    assert len(server.requests) == asked + 6


@pytest.mark.slow
def test_a_session_that_is_interrupted_while_agents_run_is_continued_by_the_next(
    run: Run, write: Write, server: ScriptedServer, pytester: pytest.Pytester
) -> None:
    write(text=ASKING_TEST)
    arguments = ("--linenotes-concurrency", "1")
    with ScriptedServer("ok", latency=0.5) as slow, slow.in_environment():
        session = started(*arguments)
        while len(slow.requests) < 3 and session.poll() is None:
            time.sleep(0.05)
        session.send_signal(signal.SIGINT)
        said, _ = session.communicate(timeout=60)
        assert session.returncode == pytest.ExitCode.INTERRUPTED, said
        assert "Traceback" not in said
        result = run(*arguments)
        assert len(slow.requests) <= 7
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["Continued run *, which was stopped with * of 6 samples."])
    assert not server.requests


@pytest.mark.slow
def test_two_sessions_at_once_keep_runs_of_their_own(
    run: Run, write: Write, server: ScriptedServer
) -> None:
    write(text=ASKING_TEST)
    before = RunStore.of(Project.find()).next_sequence()
    both = [started("-q") for _ in range(2)]
    said = [session.communicate(timeout=120)[0] for session in both]
    assert [session.returncode for session in both] == [0, 0], said
    runs = RunStore.of(Project.find())
    mine = [runs.read(plan.run_id) for plan in runs.plans() if plan.sequence >= before]
    assert [(len(one.outcomes), len(one.scores)) for one in mine] == [(6, 6), (6, 6)]
    assert len(server.requests) == 12


@pytest.mark.skipif(not FULL.exists(), reason="This system has no device that is always full.")
def test_a_full_disk_is_told_for_each_file_and_fails_the_session(run: Run, write: Write) -> None:
    write()
    files = (f"--linenotes-json={FULL}", f"--linenotes-summary={FULL}")
    result = run("-k", "c0", *files)
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    told = result.stdout.str()
    assert told.count("'/dev/full' cannot be written: No space left on device.") == len(files)
    assert "Traceback" not in told


def test_one_name_in_two_files_is_refused_for_one_run_only(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write()
    (pytester.path / "test_more.py").write_text(
        TEST.replace("{more}", ", limit=2"), encoding="utf-8"
    )
    result = run("-k", "c0")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["test_desk.py::test_answers: no verdict.*", "test_more.py::test_answers: no verdict.*"]
    )
