from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import linenotes.tracing.store._process_guard as guard_module

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux's /proc")
_GUARD = [sys.executable, str(guard_module.__file__)]
_FAMILY = "sleep 60 & echo $! > {pids}; echo $$ >> {pids}; wait"


def test_the_guard_ends_with_the_status_of_its_command() -> None:
    with _start("exit 7") as guard:
        assert guard.wait(10) == 7


def test_closing_the_pipe_ends_the_command_and_what_it_started(tmp_path: Path) -> None:
    with _start(_FAMILY.format(pids=tmp_path / "pids")) as guard:
        pids = _pids(tmp_path / "pids")
        assert guard.stdin is not None
        guard.stdin.close()
        guard.wait(10)
    assert _have_ended(pids)


def test_terminating_the_guard_ends_the_command(tmp_path: Path) -> None:
    with _start(_FAMILY.format(pids=tmp_path / "pids")) as guard:
        pids = _pids(tmp_path / "pids")
        guard.terminate()
        guard.wait(10)
    assert _have_ended(pids)


def test_nothing_is_left_when_whoever_asked_is_killed(tmp_path: Path) -> None:
    holder = (
        "import subprocess, sys, time; "
        "subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True); "
        "time.sleep(60)"
    )
    command = [*_GUARD, "/bin/sh", "-c", _FAMILY.format(pids=tmp_path / "pids")]
    with subprocess.Popen([sys.executable, "-c", holder, *command]) as parent:
        pids = _pids(tmp_path / "pids")
        parent.send_signal(signal.SIGKILL)
    assert _have_ended(pids)


def _have_ended(pids: list[int]) -> bool:
    """A process that was killed may still be there for a moment."""
    deadline = time.monotonic() + 60
    while any(_runs(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(_runs(pid) for pid in pids)


def _start(script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*_GUARD, "/bin/sh", "-c", script], stdin=subprocess.PIPE)


def _pids(path: Path) -> list[int]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if path.exists() and len(pids := path.read_text().split()) == 2:
            return [int(pid) for pid in pids]
        time.sleep(0.05)
    raise AssertionError("the command did not start")


def _runs(pid: int) -> bool:
    """Whether `pid` runs; a zombie that nobody has waited for does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
