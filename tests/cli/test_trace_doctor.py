"""A run that was killed: shown as running, then closed by the doctor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


@pytest.fixture
def killed(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the agent by the command line until its editor kills the process; return the trace."""
    monkeypatch.setenv("LINENOTES_STATE", str(tmp_path / "state"))
    source = (project / "app.py").read_text(encoding="utf-8")
    deadly = source.replace("    loud = ", "    import os; os.kill(os.getpid(), 9)\n    loud = ")
    (project / "app.py").write_text(deadly, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "linenotes.cli", "run", "app.py:build", "hello there"],
        cwd=project,
        env={**os.environ, "LINENOTES_STATE": str(tmp_path / "state")},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    [left] = (tmp_path / "state" / "live").iterdir()
    return left.stem


def test_a_killed_run_is_shown_and_closed(killed: str, cli: Cli) -> None:
    shown = cli("trace", "show", killed[:11])
    assert shown.code == 0
    assert "user → writer" in shown.out
    assert "while editor ran" in shown.out
    assert "linenotes trace doctor" in shown.out

    listed = cli("trace", "doctor", "--dry-run")
    assert "abandoned" in listed.out
    assert "editor" in listed.out

    closed: Any = cli("trace", "doctor", "--json").json
    assert closed["closed"] is True
    assert closed["alive"] == []
    [trace] = closed["abandoned"]
    assert trace["trace_id"] == killed
    assert trace["running"] == ["editor"]

    shown = cli("trace", "show", killed[:11])
    assert "ERROR" in shown.out
    assert "ended early" in shown.out
    assert "No trace is open." in cli("trace", "doctor").out


def test_a_run_that_ends_leaves_no_log(project: Path, state: Path, cli: Cli) -> None:
    before = logs(state)
    assert cli("run", "app.py:build", "hello there").code == 0
    assert logs(state) <= before


def test_an_evaluation_leaves_no_logs(project: Path, state: Path, cli: Cli) -> None:
    before = logs(state)
    ended = cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--samples", "2")
    assert ended.code == 0
    assert logs(state) <= before


def logs(state: Path) -> set[Path]:
    """Return the live logs; the tests of a process share a state folder."""
    return set((state / "live").glob("*"))
