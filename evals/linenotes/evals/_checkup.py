"""What a machine and a project need, checked one by one; each finding says its own cure."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from linenotes.project import LinenotesError, Project, without_credentials

_LEAST_FREE = 1_000_000_000
"""Bytes; the embedded model takes a tenth of that, and a store grows."""


@dataclass(frozen=True)
class Finding:
    """One thing that was checked."""

    check: str
    ok: bool
    found: str
    cure: str = ""


def checkup(project: Project | None = None) -> list[Finding]:
    """Check Python, project, disk, ports, store and embedded model, in that order."""
    try:
        project = project or Project.find()
    except LinenotesError as error:
        return [_python(), Finding("project", ok=False, found=str(error), cure="Mend that file.")]
    checks: list[Callable[[Project], Finding]] = [_project, _disk, _ports, _store, _model]
    return [_python(), *(_guarded(check, project) for check in checks)]


def _guarded(check: Callable[[Project], Finding], project: Project) -> Finding:
    """A check that meets a mistake of the user's has found it: the message says the cure."""
    try:
        return check(project)
    except LinenotesError as error:
        return Finding(check.__name__.removeprefix("_"), ok=False, found=str(error))


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    fits = (3, 11) <= sys.version_info[:2] < (3, 14)
    return Finding("python", fits, version, "" if fits else "Use Python 3.11, 3.12 or 3.13.")


def _project(project: Project) -> Finding:
    named = ", ".join(project.settings.agents) or "no agents of its own"
    return Finding("project", ok=True, found=f"{project.root}: {named}")


def _disk(project: Project) -> Finding:
    folder = _existing(project.state)
    free = shutil.disk_usage(folder).free
    roomy = free >= _LEAST_FREE
    cure = "" if roomy else f"Make room on the disk of {folder}, or set LINENOTES_STATE elsewhere."
    return Finding("disk", roomy, f"{free / 1e9:.1f} GB free for {project.state}", cure)


def _existing(folder: Path) -> Path:
    return next(f for f in (folder, *folder.parents) if f.exists())


def _ports(_project: Project) -> Finding:
    try:
        with socket.create_server(("127.0.0.1", 0)):
            return Finding("ports", ok=True, found="a loopback port can be opened")
    except OSError as error:
        return Finding("ports", ok=False, found=str(error), cure="Allow loopback connections.")


def _store(project: Project) -> Finding:
    import mlflow

    from linenotes.tracing import open_store

    open_store(project).close()
    address = without_credentials(project.tracking_uri)
    return Finding("store", ok=True, found=f"{address} (mlflow {mlflow.__version__})")


def _model(_project: Project) -> Finding:
    from linenotes.agents import local_model_status

    status = local_model_status()
    if status.engine is None:
        return Finding("model", ok=False, found="no engine", cure="pip install 'linenotes[local]'")
    if status.weights is None:
        return Finding("model", ok=False, found="no weights", cure="linenotes models install")
    serving = f", served by process {status.server}" if status.server else ""
    return Finding("model", ok=True, found=f"local:smollm2-135m, {status.weights}{serving}")
