"""The built packages: everything that a user needs, nothing of ours, and they run."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMPORT_ROOTS = ("agents", "tracing", "datasets", "evals")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, built with what is installed and no network."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist"]
    build = subprocess.run(
        [*command, "-d", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert build.returncode == 0, build.stderr
    return folder


@pytest.fixture(scope="module")
def unpacked(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(folder)  # noqa: S202  we built it
    return folder


def _sources() -> set[str]:
    return {
        path.relative_to(ROOT / root).as_posix()
        for root in IMPORT_ROOTS
        for path in (ROOT / root / "linenotes").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def _files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_the_wheel_holds_the_code_and_data_of_all_four_roots_and_nothing_else(
    unpacked: Path,
) -> None:
    files = {name for name in _files(unpacked) if ".dist-info/" not in name}
    assert files == _sources()


def test_the_wheel_carries_the_licence_and_the_command(unpacked: Path) -> None:
    (info,) = unpacked.glob("linenotes-*.dist-info")
    assert "Apache License" in (info / "licenses" / "LICENSE").read_text(encoding="utf-8")
    commands = (info / "entry_points.txt").read_text(encoding="utf-8")
    assert "linenotes = linenotes.cli:main" in commands


def test_the_command_of_the_wheel_runs(unpacked: Path, tmp_path: Path) -> None:
    program = "import linenotes.cli as c, sys; print(c.__file__); sys.argv[1:]=['--help']; c.main()"
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(str(unpacked))
    assert "Usage" in run.stdout


def test_the_sdist_holds_code_tests_and_licence(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"} <= names
    assert {f"{root}/linenotes" for root in IMPORT_ROOTS} <= {
        "/".join(name.split("/")[:2]) for name in names
    }
    assert "tests/project/test_wheel.py" in names
    assert not any("__pycache__" in name for name in names)
