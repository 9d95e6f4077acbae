"""The recordings of a project that no store has yet: those that go on, and abandoned ones.

A file without a lock belongs to nobody: its process was killed, or its recording ended and its
trace was not kept. It stays until it is closed, which stores what it says.
"""

from __future__ import annotations

import fcntl
from contextlib import suppress
from pathlib import Path

from linenotes.project import Project
from linenotes.tracing._trace import trace_id_prefix
from linenotes.tracing.live._live_reading import LiveTrace, read_live
from linenotes.tracing.recorder._live_log import SUFFIX


def live_traces(project: Project) -> list[LiveTrace]:
    """Return the recordings of `project` that go on or were abandoned, oldest first."""
    found = (_read(path) for path in project.live.glob(f"tr-*{SUFFIX}"))
    return sorted((one for one in found if one), key=lambda one: one.trace.start_ns)


def find_live(project: Project, name: str) -> LiveTrace | None:
    """Return the recording whose trace id is `name` or starts with it, if exactly one does.

    Raises:
        RunError: `name` is not the id of a trace, or less than four digits of one.
    """
    prefix = trace_id_prefix(name)
    found = [path for path in project.live.glob(f"tr-*{SUFFIX}") if path.name.startswith(prefix)]
    return _read(found[0]) if len(found) == 1 else None


def discard_live(project: Project, trace_id: str) -> None:
    """Remove the live log of a trace, as when a store has the trace."""
    with suppress(OSError):
        _path(project, trace_id).unlink()


def discard_abandoned(project: Project, live: LiveTrace) -> None:
    """Remove the file of `live`, unless the same trace is recorded again by now."""
    if _read(_path(project, live.trace.trace_id)) == live:
        discard_live(project, live.trace.trace_id)


def _path(project: Project, trace_id: str) -> Path:
    return project.live / (trace_id + SUFFIX)


def _read(path: Path) -> LiveTrace | None:
    try:
        with path.open("rb") as file:
            alive = _is_locked(file.fileno())  # before it is read: it may end in between
            return read_live(file.read(), alive=alive)
    except OSError:  # it ended, and was removed
        return None


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False
