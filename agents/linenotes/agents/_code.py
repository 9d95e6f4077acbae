"""The code that an agent is made of: its digest, and the git commit it stands at."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

_LARGEST = 20_000_000
"""Bytes; larger files beside an agent are data of another kind and are not read."""


@dataclass(frozen=True)
class Commit:
    """A git commit, and whether the working tree had changes on top of it."""

    sha: str
    dirty: bool


def commit_of(source: Path) -> Commit | None:
    """Return the commit of the repository that tracks `source`; None if none does."""
    sha = _git(source.parent, "rev-parse", "HEAD")
    tracked = _git(source.parent, "ls-files", "--", source.name)
    if not sha or not tracked:
        return None
    return Commit(sha=sha, dirty=bool(_git(source.parent, "status", "--porcelain")))


def code_digest(source: Path) -> str:
    """Return the sha256 over the agent's own code.

    Of a package that is every file in its folder but prompts, which a version has of its own; of
    a plain script, the Python files beside it.
    """
    in_package = (source.parent / "__init__.py").exists()
    files = _package_files(source.parent) if in_package else sorted(source.parent.glob("*.py"))
    whole = hashlib.sha256()
    for path in files:
        whole.update(path.relative_to(source.parent).as_posix().encode() + b"\0")
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def _package_files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not {"prompts", "__pycache__"} & set(path.relative_to(folder).parts)
        and path.stat().st_size <= _LARGEST
    )


def _git(folder: Path, *arguments: str) -> str:
    """Return what git prints; empty where there is no git or no repository."""
    try:
        done = subprocess.run(  # noqa: S603  fixed arguments, no shell
            ["git", "-C", str(folder), *arguments],  # noqa: S607  the git of the user's PATH
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
