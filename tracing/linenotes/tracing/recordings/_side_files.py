"""What has just been recorded: lines beside the file, which outlive a killed process.

Each process appends to a side file of its own and holds its lock while it lives. At the end, or
when the next process starts, the side files of which nobody holds the lock are folded into the
file. A torn last line was never finished and is left out; a whole line that holds no call, such as
one of another version, is set aside and told.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from threading import Lock

from linenotes.project import Project, RecordingError
from linenotes.tracing.recordings._recorded_call import RecordedCall
from linenotes.tracing.recordings._recording_file import RecordingFile


class SideFiles:
    """The side files of one file of recordings."""

    def __init__(self, project: Project, file: RecordingFile) -> None:
        self._file = file
        place = hashlib.sha256(str(file.path.absolute()).encode()).hexdigest()[:16]
        self.folder = project.make_state() / "recordings" / place

    def open(self) -> SideFile:
        """Return a side file for this process.

        Raises:
            RecordingError: it cannot be written.
        """
        with self.locked():
            return SideFile(self.folder / f"{os.getpid()}-{secrets.token_hex(4)}.jsonl")

    @property
    def set_aside(self) -> Path:
        """Where lines are that hold no call; the user may delete it."""
        return self.folder / "set-aside.txt"

    def fold(self) -> int:
        """Put into the file what ended processes have left beside it.

        Returns:
            How many lines held no call and were set aside.

        Raises:
            RecordingError: the file cannot be read or written; nothing is lost.
        """
        if not self.folder.is_dir():
            return 0
        with self.locked():
            left = [path for path in sorted(self.folder.glob("*.jsonl")) if _is_left(path)]
            fresh, odd = _sorted_out(line for path in left for line in _whole_lines(path))
            if fresh:
                fresh.sort(key=lambda call: call.recorded)
                calls = self._file.lines().all_calls()
                self._file.write({**calls, **{call.key: call for call in fresh}}.values())
            if odd:
                self._put_aside(odd)
            for path in left:
                path.unlink()
        return len(odd)

    def _put_aside(self, lines: Sequence[bytes]) -> None:
        try:
            with self.set_aside.open("ab") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _cannot_write(self.set_aside, error) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from the file inside the block.

        Raises:
            RecordingError: nothing can be written beside it.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileIO(self.folder / "lock", "a")
        except OSError as error:
            raise _cannot_write(self.folder, error) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class SideFile:
    """Takes calls as they are made. Safe to call from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        try:
            # Unbuffered: a line that was written outlives the process.
            self._file = FileIO(path, "a")
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except OSError as error:
            raise _cannot_write(path, error) from error

    def append(self, line: bytes) -> None:
        """Keep a line.

        Raises:
            RecordingError: there is no room or no right to write.
        """
        with self._lock:
            try:
                end = self._file.seek(0, os.SEEK_END)
                if self._file.write(line) == len(line):
                    return
                self._file.truncate(end)
            except OSError as error:
                raise _cannot_write(self._path, error) from error
        raise _cannot_write(self._path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    def close(self) -> None:
        """Let others fold it."""
        self._file.close()


def _is_left(path: Path) -> bool:
    """Tell whether no process writes a side file any more."""
    with suppress(OSError), FileIO(path, "r") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _whole_lines(path: Path) -> Iterator[bytes]:
    lines = path.read_bytes().splitlines(keepends=True)
    return (line for line in lines if line.endswith(b"\n"))


def _sorted_out(lines: Iterable[bytes]) -> tuple[list[RecordedCall], list[bytes]]:
    """Return the calls that lines hold, and the lines that hold none."""
    calls, odd = [], []
    for line in lines:
        try:
            calls.append(RecordedCall.of(line))
        except ValueError:
            odd.append(line)
    return calls, odd


def _cannot_write(path: Path, error: OSError) -> RecordingError:
    return RecordingError(
        f"Cannot write {path}: {error.strerror or error}. Make room or rights there, or run "
        "without --record; what was recorded before is kept."
    )
