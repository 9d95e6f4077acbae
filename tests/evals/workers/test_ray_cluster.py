from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import Conduct, RunStore, evaluate
from linenotes.evals.workers._ray_cluster import ray_cluster
from linenotes.project import Project, RunError

HEAD = ["start", "--head", "--block", "--node-ip-address=127.0.0.1", "--num-cpus=2"]
WHERE = """
from pathlib import Path

def answer(state):
    files = sorted(path.name for path in Path.cwd().iterdir() if path.name != "__pycache__")
    return {"answer": {"folder": str(Path.cwd()), "files": files}}
"""
CASES = "\n".join(f'{{"id": "c{i}", "inputs": {{"question": {i}}}}}' for i in range(6))


@pytest.fixture
def cluster(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Start a cluster that is there before anybody asks for it, and return its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on the loopback
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    elsewhere = tmp_path_factory.mktemp("head")
    said = elsewhere / "said"
    # `ray start` puts its programs into a line of a shell: their path must have no blank.
    (elsewhere / "environment").symlink_to(sys.prefix)
    python = elsewhere / "environment" / "bin" / "python"
    with said.open("w") as out:
        command = [str(python), "-m", "ray.scripts.scripts", *HEAD, f"--port={port}"]
        head = subprocess.Popen(
            [*command, "--include-dashboard=false"], cwd=elsewhere, stdout=out, stderr=out
        )
    until = time.monotonic() + 120
    while "Ray runtime started" not in said.read_text():
        assert head.poll() is None, said.read_text()
        assert time.monotonic() < until, said.read_text()
        time.sleep(0.1)
    yield f"127.0.0.1:{port}"
    head.terminate()
    head.wait()


@pytest.mark.slow
def test_an_existing_cluster_gets_the_project_and_none_of_its_secrets(
    one_node: Callable[..., AgentVersion], tmp_path: Path, cluster: str
) -> None:
    files: Mapping[str, str] = {".env": "KEY=1", "cases.jsonl": CASES, "scoring.py": SCORING}
    version = one_node(WHERE, files)
    (tmp_path / ".linenotes").mkdir()
    command = [sys.executable, "-m", "linenotes.cli", "eval", "app.py:build"]
    options = ["--dataset", "cases.jsonl", "--scorer", "scoring.py:answered", "--samples", "2"]
    ray = ["--executor", "ray", "--ray-address", cluster, "--workers", "2", "--json"]
    ended = subprocess.run(
        [*command, *options, *ray], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    record = RunStore.of(version.agent.project).read("latest")
    assert len(record.samples) == 12
    for sample in record.samples.values():
        assert isinstance(sample.output, dict)
        answer = sample.output["answer"]
        assert isinstance(answer, dict)
        assert answer["folder"] != str(tmp_path)
        assert answer["files"] == ["app.py", "cases.jsonl", "pyproject.toml", "scoring.py"]


SCORING = "def answered(sample):\n    return bool(sample.output)\n"


def test_where_ray_is_missing_the_message_says_how_to_get_it(
    make_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(RunError, match=r"pip install 'linenotes\[ray\]'"),
        ray_cluster(Conduct(executor="ray"), make_project()),
    ):
        pass


class OtherRay(ModuleType):
    """Does nothing but what Ray does to the process that it is started in."""

    def __init__(self) -> None:
        super().__init__("ray")
        self.token = ""

    def is_initialized(self) -> bool:
        return False

    def init(self, **_: object) -> None:
        self.token = os.environ["RAY_AUTH_TOKEN"]
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def shutdown(self) -> None:
        pass


@pytest.fixture
def other_ray(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtherRay]:
    ray, before = OtherRay(), signal.getsignal(signal.SIGTERM)
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    yield ray
    signal.signal(signal.SIGTERM, before)


def test_a_cluster_leaves_environment_and_signals_as_they_were(
    make_project: Callable[..., Project], other_ray: OtherRay, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    for _ in range(2):
        with ray_cluster(Conduct(executor="ray"), make_project()):
            assert os.environ["RAY_AUTH_TOKEN"] == other_ray.token != ""
        assert "RAY_AUTH_TOKEN" not in os.environ
        assert signal.getsignal(signal.SIGTERM) == before
    users = secrets.token_hex(8)
    monkeypatch.setenv("RAY_AUTH_TOKEN", users)
    with ray_cluster(Conduct(executor="ray"), make_project()):
        assert other_ray.token == users
    assert os.environ["RAY_AUTH_TOKEN"] == users


def test_a_handler_of_a_signal_that_is_not_pythons_is_left_alone(
    make_project: Callable[..., Project], other_ray: OtherRay, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So it is where a program that holds Python has set one.
    monkeypatch.setattr(signal, "getsignal", lambda _: None)
    with ray_cluster(Conduct(executor="ray"), make_project()):
        pass
    monkeypatch.undo()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN


def test_an_address_without_the_executor_is_refused() -> None:
    with pytest.raises(RunError, match=r"--executor ray"):
        Conduct(ray_address="auto")


@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_told(
    one_node: Callable[..., AgentVersion],
    numbers: Callable[..., Dataset],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))  # where `auto` looks for one
    with pytest.raises(RunError, match=r"The Ray cluster at 'auto' cannot be joined"):
        evaluate(one_node(), numbers(2), samples=1, executor="ray", ray_address="auto")
