from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linenotes.agents._local_model import local_model_status, local_server
from linenotes.agents._weights import SMOLLM2
from linenotes.project import ModelError

HOLD = """
import sys
from linenotes.agents._local_model import local_server
local_server().hold()
print(local_server().process(), flush=True)
sys.stdin.read()
"""

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder of its own; its path is short, as a Unix socket's must be."""
    path = Path(tempfile.mkdtemp(prefix="ln-", dir="/tmp"))
    monkeypatch.setenv("LINENOTES_RUNTIME_DIR", str(path))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start processes that use the model until they are told to end."""
    started: list[subprocess.Popen[str]] = []

    def run(script: str = HOLD, **env: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **env},
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def server_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def wait_until_gone(pid: int) -> None:
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail(f"The server {pid} outlived its users.")


@pytest.mark.model
def test_processes_share_one_server_which_leaves_with_the_last_however_they_end(
    folder: Path, start: Start
) -> None:
    first, second = start(), start()
    server = server_of(first)
    assert server_of(second) == server == local_model_status().server

    first.send_signal(signal.SIGKILL)
    time.sleep(3)
    assert local_model_status().server == server

    second.send_signal(signal.SIGKILL)
    wait_until_gone(server)
    assert local_model_status().server is None
    assert not list(folder.glob("*.sock"))


@pytest.mark.model
def test_a_killed_server_is_replaced_for_its_users_and_for_others(
    folder: Path, start: Start
) -> None:
    user = start(
        "import sys\n"
        "from linenotes.agents._local_model import local_server\n"
        "for _ in sys.stdin:\n"
        "    local_server().hold()\n"
        "    print(local_server().process(), flush=True)\n"
    )
    assert user.stdin is not None

    def ask() -> int:
        assert user.stdin is not None
        user.stdin.write("\n")
        user.stdin.flush()
        return server_of(user)

    killed = ask()
    os.kill(killed, signal.SIGKILL)
    wait_until_gone(killed)
    assert list(folder.glob("*.sock"))

    replaced = ask()
    assert replaced != killed
    assert server_of(start()) == replaced


@pytest.mark.model
def test_the_server_starts_without_a_home_and_in_a_folder_that_is_gone(
    start: Start, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r})\n{HOLD}"
    assert server_of(start(script, HOME="/nonexistent", XDG_CACHE_HOME=""))


def test_an_engine_that_does_not_load_is_told_with_its_cure(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = "raise ImportError('libgomp.so.1: cannot open shared object file')"
    (tmp_path / "xllamacpp.py").write_text(broken, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ModelError, match=r"libgomp\.so\.1.*apt-get install libgomp1"):
        local_server().hold()


def test_damaged_weights_are_not_served(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cached = tmp_path / "linenotes" / "weights"
    cached.mkdir(parents=True)
    (cached / f"{SMOLLM2.sha256}.gguf").write_bytes(b"half of them")
    with pytest.raises(ModelError, match=r"are damaged.*models install"):
        local_server().hold()


def test_a_folder_that_others_can_enter_is_refused(folder: Path) -> None:
    folder.chmod(0o755)
    with pytest.raises(ModelError, match="open to others"):
        local_server()


def test_a_folder_too_long_for_a_socket_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINENOTES_RUNTIME_DIR", "/" + "x" * 80)
    with pytest.raises(ModelError, match="at most 74 bytes"):
        local_server()


def test_nothing_is_started_by_asking_for_the_status(folder: Path) -> None:
    status = local_model_status()
    assert status.engine
    assert status.weights
    assert status.server is None
