"""The file of an agent's recordings on a dataset: sorted lines, compressed, fit to be committed.

The first line says what the file is; then comes one call a line. Equal recordings give equal bytes,
whoever wrote them and in whatever order. A file is replaced whole, so it is never half written.
"""

from __future__ import annotations

import gzip
import os
import re
import secrets
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from linenotes.project import Project, RecordingError
from linenotes.tracing.recordings._recorded_call import CallKey, RecordedCall, sample_of

SUFFIX = ".jsonl.gz"
_UNFIT = re.compile(r"[^\w.@+-]+")


class FileHeader(BaseModel):
    """The first line of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    linenotes: Literal["recordings"] = "recordings"
    schema_version: Literal[1] = 1
    dataset: str
    agent: str


@dataclass(frozen=True)
class RecordingFile:
    """Where the recordings of one agent on one dataset are."""

    path: Path
    header: FileHeader

    @classmethod
    def of(cls, project: Project, *, dataset: str, agent: str) -> RecordingFile:
        """Return the file of `agent` on `dataset`, which may not be there yet."""
        folder = project.root / project.settings.recordings.folder
        path = folder / _as_name(dataset) / f"{_as_name(agent)}{SUFFIX}"
        return cls(path, FileHeader(dataset=dataset, agent=agent))

    @classmethod
    def at(cls, path: Path) -> RecordingFile:
        """Return the file at `path`, as its first line names it.

        Raises:
            RecordingError: it cannot be read.
        """
        return cls(path, _header(_read(path), path)[0])

    @classmethod
    def all_of(cls, project: Project) -> list[RecordingFile]:
        """Return the files of a project, in the order of their names.

        Raises:
            RecordingError: one of them cannot be read.
        """
        folder = project.root / project.settings.recordings.folder
        return [cls.at(path) for path in sorted(folder.glob(f"*/*{SUFFIX}"))]

    def lines(self) -> Lines:
        """Return what the file holds, nothing where it is not there.

        Raises:
            RecordingError: it cannot be read, or belongs to another agent or dataset.
        """
        if not self.path.exists():
            return Lines()
        header, lines = _header(_read(self.path), self.path)
        if header != self.header:
            raise RecordingError(
                f"{self.path} holds recordings of agent {header.agent!r} on {header.dataset!r}, "
                f"not of {self.header.agent!r} on {self.header.dataset!r}. Rename one of the two."
            )
        try:
            return Lines.of(lines, self.path)
        except ValueError as error:
            raise _broken(self.path, error) from error

    def write(self, calls: Iterable[RecordedCall]) -> None:
        """Replace the file by `calls`.

        Raises:
            RecordingError: it cannot be written.
        """
        head = orjson.dumps(self.header.model_dump(), option=orjson.OPT_APPEND_NEWLINE)
        content = head + b"".join(sorted(call.line() for call in calls))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _replace(self.path, gzip.compress(content, 9, mtime=0))
        except OSError as error:
            raise RecordingError(
                f"Cannot write {self.path}: {error.strerror or error}. Make room or rights there; "
                "what was recorded is kept and goes into the file with the next run."
            ) from error


@dataclass
class Lines:
    """The lines of recordings by case and sample; they are parsed when they are looked at."""

    by_sample: dict[tuple[str, int], list[bytes]] = field(default_factory=lambda: defaultdict(list))
    path: Path | None = None
    """The file that they are from."""

    @classmethod
    def of(cls, lines: Sequence[bytes], path: Path | None = None) -> Lines:
        """Return the lines of a file in order.

        Raises:
            ValueError: one is no recorded call.
        """
        found = cls(path=path)
        for line in lines:
            found.add(line)
        return found

    def add(self, line: bytes) -> None:
        """Take in a line; a later one about a call replaces an earlier one."""
        self.by_sample[sample_of(line)].append(line)

    def calls(self, case: str, sample: int) -> dict[CallKey, RecordedCall]:
        """Return the calls of one sample.

        Raises:
            RecordingError: a line is damaged.
        """
        found = map(self._call, self.by_sample.get((case, sample), ()))
        return {call.key: call for call in found}

    def all_calls(self) -> dict[CallKey, RecordedCall]:
        """Return all calls, in the order of their lines.

        Raises:
            RecordingError: a line is damaged.
        """
        lines = (line for held in self.by_sample.values() for line in held)
        return {call.key: call for call in map(self._call, lines)}

    def _call(self, line: bytes) -> RecordedCall:
        try:
            return RecordedCall.of(line)
        except ValueError as error:
            case, sample = sample_of(line)
            place = f"case {case!r} sample {sample}: {error}"
            raise _broken(self.path or Path("(recordings)"), place) from error

    @property
    def samples(self) -> Mapping[tuple[str, int], Sequence[bytes]]:
        """Which samples have recordings."""
        return self.by_sample


def _replace(path: Path, content: bytes) -> None:
    """Replace a file whole, also when the machine stops or another process does the same."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    try:
        with fresh.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _as_name(name: str) -> str:
    return _UNFIT.sub("_", name).lstrip(".") or "_"


def _read(path: Path) -> list[bytes]:
    try:
        return gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    except (EOFError, OSError, zlib.error) as error:
        raise _broken(path, error) from error


def _header(lines: list[bytes], path: Path) -> tuple[FileHeader, list[bytes]]:
    try:
        return FileHeader.model_validate_json(lines[0] if lines else b""), lines[1:]
    except ValidationError as error:
        raise _broken(path, error.errors()[0]["msg"]) from error


def _broken(path: Path, reason: object) -> RecordingError:
    return RecordingError(
        f"{path} is not a file of recordings that this version reads ({reason}). "
        "Restore it, or delete it and record again."
    )
