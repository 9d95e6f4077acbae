from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def start_slow_evaluation(project: Path, state: Path, *options: str) -> subprocess.Popen[str]:
    """Start an evaluation of 60 samples of a quarter second each, two at a time."""
    source = (project / "app.py").read_text(encoding="utf-8").replace("0.01", "0.25")
    (project / "app.py").write_text(source, encoding="utf-8")
    before = set(state.glob("runs/*"))
    process = subprocess.Popen(
        [sys.executable, "-m", "linenotes.cli", "eval", "app.py:build", "--dataset",
         "cases.jsonl", "--samples", "10", "-j", "2", "--json", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=project,
        process_group=0,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        started = [path for path in set(state.glob("runs/*")) - before if _finished(path)]
        if started:
            return process
        time.sleep(0.05)
    process.kill()
    pytest.fail(f"nothing finished: {process.communicate()}")


def _finished(run: Path) -> bool:
    journal = run / "journal.jsonl"
    return journal.exists() and b'"event":"finished"' in journal.read_bytes()


def interrupt(process: subprocess.Popen[str]) -> None:
    """Do what a terminal does on Ctrl-C: it tells the command and all that it has started."""
    os.killpg(process.pid, signal.SIGINT)


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_one_interrupt_keeps_what_is_in_flight_and_says_how_to_continue(
    project: Path, state: Path, cli: Cli, workers: str
) -> None:
    process = start_slow_evaluation(project, state, "--workers", workers)
    interrupt(process)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    assert "of 60 samples are kept" in err
    assert "Traceback" not in err
    run = err.partition("--resume ")[2].split("`")[0]
    finished = cli("eval", "--resume", run, "--json")
    assert finished.code == 0
    assert finished.json["scored"] == 60
    assert finished.json["traces"] == {"expected": 60, "stored": 60}


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_two_interrupts_stop_at_once(project: Path, state: Path, cli: Cli, workers: str) -> None:
    process = start_slow_evaluation(project, state, "--workers", workers)
    interrupt(process)
    time.sleep(0.05)
    interrupt(process)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert cli("eval", "--resume", "latest", "--json").json["scored"] == 60


@pytest.mark.slow
def test_a_killed_evaluation_is_continued(project: Path, state: Path, cli: Cli) -> None:
    cli("trace", "doctor")  # the tests of a process share a state folder
    process = start_slow_evaluation(project, state)
    process.kill()
    process.communicate(timeout=60)
    left = cli("trace", "doctor", "--dry-run", "--json").json["abandoned"]
    assert isinstance(left, list)
    assert 1 <= len(left) <= 2, "those that were being executed"
    assert all(trace["agent"] == "app" and trace["case"] for trace in left)
    finished = cli("eval", "--resume", "latest", "--json")
    assert cli("trace", "doctor", "--json").json["abandoned"] == []
    assert finished.json["scored"] == 60
    assert finished.json["traces"] == {"expected": 60, "stored": 60}
