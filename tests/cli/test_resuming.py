from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

EVAL = ("eval", "app.py:build", "--dataset", "cases.jsonl", "--samples", "2", "-j", "1")


def stop(state: Path, run_id: str) -> None:
    """Leave of a run what a kill in the middle would have left."""
    journal = state / "runs" / run_id / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    scored = [i for i, line in enumerate(lines) if b'"event":"scored"' in line]
    journal.write_bytes(b"".join(lines[: scored[4] + 1]))


@pytest.fixture
def stopped(project: Path, state: Path, cli: Cli) -> str:
    """The id of a run with 5 of its 12 samples."""
    run_id = str(cli(*EVAL, "--new", "--json").json["run_id"])
    stop(state, run_id)
    return run_id


def test_without_a_terminal_a_line_says_how_to_continue_and_a_new_run_is_started(
    stopped: str, cli: Cli
) -> None:
    ended = cli(*EVAL, "--json")
    assert ended.code == 0
    assert ended.json["run_id"] != stopped
    (line,) = (line for line in ended.err.splitlines() if "The same evaluation" in line)
    assert "was stopped with 5 of 12 samples" in line
    assert f"`linenotes eval --resume {stopped[:12]}` continues it" in line


def test_with_continue_it_is_continued_without_asking(stopped: str, cli: Cli) -> None:
    ended = cli(*EVAL, "--continue", "--json")
    assert (ended.code, ended.json["run_id"], ended.json["scored"]) == (0, stopped, 12)
    assert "5 of 12 samples are kept, 7 are executed" in ended.err
    again = cli(*EVAL, "--continue", "--json").json
    assert again["run_id"] != stopped, "it is whole, so there is nothing to continue"


def test_with_new_nothing_is_said(stopped: str, cli: Cli) -> None:
    ended = cli(*EVAL, "--new", "--json")
    assert ended.json["run_id"] != stopped
    assert "was stopped" not in ended.err


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "goes_on"), [("\n", True), ("n\n", False)])
def test_in_a_terminal_it_is_asked_and_to_continue_is_the_default(
    stopped: str, project: Path, answer: str, goes_on: bool
) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "linenotes.cli", *EVAL, "--json"],
        stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, cwd=project,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    while b"[Y/n]" not in said:
        said += os.read(ours, 1024)
    os.write(ours, answer.encode())
    out, _ = _drained(process, ours)
    assert b"was stopped with 5 of 12 samples" in said
    assert process.returncode == 0
    assert (f'"run_id": "{stopped}"' in out) is goes_on


def _drained(process: subprocess.Popen[bytes], terminal: int) -> tuple[str, bytes]:
    """Read what a process still says on its terminal, and return its output."""
    rest = b""
    try:
        while part := os.read(terminal, 65536):
            rest += part
    except OSError:
        pass  # its end has been closed
    finally:
        os.close(terminal)
    out, _ = process.communicate(timeout=120)
    return out.decode(), rest


def test_a_finished_run_is_topped_up(project: Path, cli: Cli) -> None:
    run = cli(*EVAL, "--new", "--json").json
    grown = cli("eval", "--resume", str(run["run_id"])[:12], "--samples", "4", "--json")
    assert grown.code == 0, grown.err
    assert (grown.json["run_id"], grown.json["samples"]) == (run["run_id"], 4)
    assert grown.json["scored"] == 24
    assert "12 of 24 samples are kept, 12 are executed" in grown.err
    less = cli("eval", "--resume", "latest", "--samples", "3")
    assert (less.code, less.out) == (2, "")
    assert "has 4 samples of each case, and none is ever taken away" in less.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume", "latest", "--seed", "3"], "--seed does not go with --resume"),
        (["--resume", "latest", "--scorer", "x"], "--scorer does not go with --resume"),
        (["--resume", "latest", "--new"], "--continue does not go with --resume"),
        (["app.py:build", "--retry-errors"], "--retry-errors goes with --resume RUN"),
    ],
)
def test_options_that_contradict_one_another_are_refused(
    project: Path, cli: Cli, arguments: list[str], message: str
) -> None:
    ended = cli("eval", *arguments)
    assert ended.code == 2
    assert message in ended.err


def test_what_was_measured_without_a_store_is_shown_and_said_not_to_be_published(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    ended = cli(*EVAL, "--new", "--json")
    assert ended.code == 2
    assert (ended.json["scored"], ended.json["traces"]) == (12, {"expected": 12, "stored": 0})
    name = str(ended.json["run_id"])[:12]
    last = ended.err.splitlines()[-1]
    assert last.startswith("linenotes: The MLflow server 'http://127.0.0.1:9' does not answer")
    assert f"`linenotes publish {name}` stores them" in last
    assert ended.err.count("Until then everything is kept in the journal.") == 1
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert cli("publish", name).code == 0
    assert len(cli("trace", "list", "--run", name, "--json").json["traces"]) == 12  # type: ignore[arg-type]
