"""The code that an agent is made of: its digest, and the git commit it stands at."""

from __future__ import annotations

import ast
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
    a plain script, the script and what it imports from beside it: not its scorers and tests, which
    often lie there, too.
    """
    in_package = (source.parent / "__init__.py").exists()
    files = _package_files(source.parent) if in_package else _imported_files(source)
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


def _imported_files(script: Path) -> list[Path]:
    """Return the script and the Python files beside it that it imports, also by way of others."""
    found: set[Path] = set()
    left = [script]
    while left:
        path = left.pop()
        if path not in found:
            found.add(path)
            left += [file for name in _imported_names(path) for file in _beside(script, name)]
    return sorted(found)


def _imported_names(path: Path) -> set[str]:
    try:
        nodes = [*ast.walk(ast.parse(path.read_bytes()))]
    except (SyntaxError, ValueError):
        return set()  # whoever imports it is told
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            names |= {node.module} if node.module else {alias.name for alias in node.names}
    return {name.partition(".")[0] for name in names}


def _beside(script: Path, name: str) -> list[Path]:
    """Return the file of a module beside the script, or those of a package."""
    module = script.parent / f"{name}.py"
    if module.is_file():
        return [module]
    package = script.parent / name
    return [*package.rglob("*.py")] if (package / "__init__.py").is_file() else []


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
