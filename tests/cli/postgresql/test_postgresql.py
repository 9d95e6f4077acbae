"""The whole way with a store that is a PostgreSQL: directly, and by MLflow's server on it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli
    from tests.cli.postgresql.conftest import PostgreSQL, Server

pytestmark = pytest.mark.slow
_EVAL = ("eval", "app.py:build", "--dataset", "cases.jsonl")
_PATIENCE = 120.0
_WAITS = """
def writer(state):
    if state["question"] == "word 3" and not pathlib.Path("go").exists():
        pathlib.Path("reached").touch()
        while not pathlib.Path("go").exists():
            time.sleep(0.01)
"""
"""An agent that lets the test choose the moment at which the store fails."""


def test_an_evaluation_is_stored_and_read_back(
    project: Path, cli: Cli, remote: PostgreSQL | Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", remote.uri)
    ended = cli(*_EVAL, "--samples", "2", "--scorer", "scorers.py:shouted", "--json")
    assert ended.code == 0, ended.err
    run = ended.json
    assert run["traces"] == {"expected": 12, "stored": 12}
    listed = cli("trace", "list", "--case", "c3", "--run", str(run["run_id"]), "--json").json
    (trace, _) = cast("list[dict[str, object]]", listed["traces"])
    shown = cli("trace", "show", str(trace["trace_id"]))
    assert "word 3" in shown.out, shown.err
    assert cli("publish", str(run["run_id"]), "--json").json.items() <= run.items()
    assert not (project / "mlruns").exists()


def test_what_a_store_missed_is_published_when_it_is_back(
    project: Path,
    state: Path,
    cli: Cli,
    postgresql: PostgreSQL,
    remote: PostgreSQL | Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", remote.uri)
    _let_the_agent_wait(project)
    evaluation = _start(*_EVAL, "--samples", "2")
    _await(evaluation, (project / "reached").exists)
    remote.stop()
    (project / "go").touch()
    said = _end(evaluation)
    remote.start()
    assert evaluation.returncode == 2
    assert "Not published: all 120 samples are kept in the journal, and `linenotes publish " in said
    run_id = next(state.rglob(said.split("`linenotes publish ")[1].split("`")[0] + "*")).name

    publishing = _start("publish", run_id)
    _await(publishing, lambda: postgresql.count("trace_info", run_id) > 25)
    postgresql.stop()
    postgresql.start()
    said = _end(publishing)
    # It ends well if PostgreSQL was away between two transactions.
    assert publishing.returncode == 0 or "`linenotes publish " in said, said
    for _ in range(2):
        ended = cli("publish", run_id)
        assert "120 of 120 traces are stored" in ended.out, ended.err
        assert postgresql.count("spans", run_id) == 120 * 3


def test_a_database_without_its_driver_names_what_installs_it(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://me:s3same@127.0.0.1:1/x")
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    ended = cli("trace", "list")
    assert ended.code == 2
    assert "pip install 'linenotes[postgres]'" in ended.err
    assert "s3same" not in ended.err


def _let_the_agent_wait(project: Path) -> None:
    """Have 60 cases, and an agent that waits in one of them."""
    cases = [{"id": f"c{n}", "inputs": {"question": f"word {n}"}} for n in range(60)]
    lines = "\n".join(json.dumps(case) for case in cases)
    (project / "cases.jsonl").write_text(lines, encoding="utf-8")
    app = project / "app.py"
    text = app.read_text(encoding="utf-8").replace("import time", "import pathlib, time", 1)
    app.write_text(text.replace("\ndef writer(state):\n", _WAITS), encoding="utf-8")


def _start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-m", "linenotes.cli", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _await(process: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    """Wait until the condition holds, which is to be before the process ends."""
    until = time.monotonic() + _PATIENCE
    while not condition():
        assert process.poll() is None, _end(process)
        assert time.monotonic() < until
        time.sleep(0.02)


def _end(process: subprocess.Popen[str]) -> str:
    """Wait for the end, and return what the process said."""
    said, _ = process.communicate(timeout=_PATIENCE)
    assert "s3same" not in said
    return said
