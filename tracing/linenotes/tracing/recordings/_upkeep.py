"""Files of recordings as a person looks after them: what is there, what is amiss, what can go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from linenotes.project import Project, RecordingError
from linenotes.tracing.recordings._last_use import last_use
from linenotes.tracing.recordings._recorded_call import CallKey, RecordedCall
from linenotes.tracing.recordings._recording_file import SUFFIX, RecordingFile
from linenotes.tracing.recordings._side_files import SideFiles


@dataclass(frozen=True)
class RecordingsSummary:
    """What one file holds."""

    path: Path
    dataset: str
    agent: str
    cases: int
    samples: int
    calls: int
    models: Mapping[str, int]
    """Calls by the model that was configured."""
    tools: Mapping[str, int]
    bytes: int
    first: str
    """When its oldest recording was made, in UTC; empty in an empty file."""
    last: str


@dataclass(frozen=True)
class Pruned:
    """What went out of a file, and what stays."""

    path: Path
    removed: tuple[CallKey, ...]
    kept: int
    is_dataset_known: bool
    """False where nobody could say which cases there are."""


@dataclass(frozen=True)
class Verified:
    """What is amiss in a file."""

    path: Path
    calls: int
    problems: tuple[str, ...]
    stale: Mapping[str, int]
    """Models that the last run did not ask, with how many calls they have answered."""


@dataclass(frozen=True)
class Merged:
    """What files have in common and what not."""

    path: Path
    calls: int
    conflicts: tuple[CallKey, ...]
    """Calls that were answered in different ways."""


def summarize_recordings(project: Project) -> list[RecordingsSummary]:
    """Return what each file of the project holds.

    Raises:
        RecordingError: one cannot be read.
    """
    return [_summary(file) for file in _files(project)]


def _summary(file: RecordingFile) -> RecordingsSummary:
    calls = file.lines().all_calls().values()
    times = sorted(call.recorded for call in calls)
    return RecordingsSummary(
        path=file.path,
        dataset=file.header.dataset,
        agent=file.header.agent,
        cases=len({call.key.case for call in calls}),
        samples=len({(call.key.case, call.key.sample) for call in calls}),
        calls=len(calls),
        models=_by_name(calls, "model"),
        tools=_by_name(calls, "tool"),
        bytes=file.path.stat().st_size,
        first=times[0] if times else "",
        last=times[-1] if times else "",
    )


def _by_name(calls: Iterable[RecordedCall], kind: str) -> dict[str, int]:
    return dict(sorted(Counter(c.key.model for c in calls if c.key.kind == kind).items()))


def recorded_calls(
    project: Project, case: str, sample: int | None = None, *, agent: str | None = None
) -> list[RecordedCall]:
    """Return the recordings of a case in the order in which they were made.

    Raises:
        RecordingError: there are none.
    """
    files = _files(project, agent=agent)
    found = [
        call
        for file in files
        for call in file.lines().all_calls().values()
        if call.key.case == case and sample in {None, call.key.sample}
    ]
    if not found:
        cases = sorted({key[0] for file in files for key in file.lines().samples})
        named = f" There are some of {', '.join(cases[:5])}." if cases else ""
        of = f"case {case!r}" + (f" sample {sample}" if sample is not None else "")
        raise RecordingError(f"There is no recording of {of}.{named} Name what is there.")
    return sorted(found, key=lambda call: (call.key.sample, call.recorded, call.key))


def recording_path(project: Project, *, dataset: str, agent: str) -> Path:
    """Return where the recordings of `agent` on `dataset` are, or will be."""
    return RecordingFile.of(project, dataset=dataset, agent=agent).path


def recorded_counts(project: Project, *, dataset: str, agent: str) -> Mapping[tuple[str, int], int]:
    """Return (case, sample) to how many calls of it are recorded; nothing is read but their heads.

    Raises:
        RecordingError: the file cannot be read.
    """
    lines = RecordingFile.of(project, dataset=dataset, agent=agent).lines()
    return {key: len(held) for key, held in lines.samples.items()}


def prune_recordings(
    project: Project,
    present: Callable[[str], Collection[str] | None],
    *,
    agent: str | None = None,
    unused: bool = False,
    dry_run: bool = False,
) -> list[Pruned]:
    """Take out recordings of cases that are gone.

    Args:
        project: whose files are pruned.
        present: takes a dataset's name and returns the ids of its cases; None where it is not
            known, and then no case counts as gone.
        agent: only this agent's files.
        unused: also take out what the last run had no use for: it may be another version's.
        dry_run: change nothing.

    Raises:
        RecordingError: a file cannot be read or written.
    """
    return [
        _prune(project, file, present(file.header.dataset), unused=unused, dry_run=dry_run)
        for file in _files(project, agent=agent)
    ]


def _prune(
    project: Project,
    file: RecordingFile,
    cases: Collection[str] | None,
    *,
    unused: bool,
    dry_run: bool,
) -> Pruned:
    sides = SideFiles(project, file)
    used = last_use(sides.folder) if unused else None
    with sides.locked():  # else what a process adds in between would be lost
        calls = file.lines().all_calls()
        removed = [
            key
            for key in calls
            if (cases is not None and key.case not in cases) or (used and used.leaves_out(key))
        ]
        if removed and not dry_run:
            file.write(call for key, call in calls.items() if key not in set(removed))
    return Pruned(file.path, tuple(removed), len(calls) - len(removed), cases is not None)


def verify_recordings(project: Project) -> list[Verified]:
    """Return for each file what is amiss: unreadable lines, secrets, models of earlier times."""
    folder = project.root / project.settings.recordings.folder
    return [_verify(project, path) for path in sorted(folder.glob(f"*/*{SUFFIX}"))]


def _verify(project: Project, path: Path) -> Verified:
    try:
        file = RecordingFile.at(path)
        calls = list(file.lines().all_calls().values())
    except (RecordingError, ValueError) as error:
        return Verified(path, 0, (str(error),), {})
    sides = SideFiles(project, file)
    used = last_use(sides.folder)
    stale = {
        name: count
        for name, count in _by_name(calls, "model").items()
        if used and name not in used.models
    }
    return Verified(path, len(calls), (*_unredacted(project, calls), *_set_aside(sides)), stale)


def _unredacted(project: Project, calls: Sequence[RecordedCall]) -> list[str]:
    redactor = project.redactor.refreshed()
    return [
        f"{call.key.case} sample {call.key.sample}, {call.key.agent}: holds what the settings "
        "redact. Record it again, or prune it"
        for call in calls
        if redactor.value([call.asked, call.content]) != [call.asked, call.content]
    ]


def _set_aside(sides: SideFiles) -> Iterator[str]:
    if sides.set_aside.exists():
        yield (
            f"{sides.set_aside} holds what was recorded beside it and could not be read. Read it "
            "with the version that wrote it, or delete it and record again"
        )


def merge_recordings(paths: Sequence[Path], into: Path, *, newest: bool = False) -> Merged:
    """Put what files hold into one; nothing is written where they contradict one another.

    Args:
        paths: files of one agent and one dataset.
        into: the file to write; it may be one of them.
        newest: of contradicting recordings, keep the one that was made last.

    Raises:
        RecordingError: a file cannot be read or written, or they are of several agents.
    """
    files = [RecordingFile.at(path) for path in paths]
    if len({file.header for file in files}) > 1:
        named = " and ".join(f"{f.header.agent} on {f.header.dataset}" for f in files)
        raise RecordingError(f"The files are of {named}. Merge files of one agent and dataset.")
    calls: dict[CallKey, RecordedCall] = {}
    conflicts = []
    for call in (call for file in files for call in file.lines().all_calls().values()):
        known = calls.setdefault(call.key, call)
        if (known.answer, known.content) != (call.answer, call.content):
            conflicts.append(call.key)
        if call.recorded > known.recorded:
            calls[call.key] = call
    if newest or not conflicts:
        RecordingFile(into, files[0].header).write(calls.values())
    return Merged(into, len(calls), tuple(sorted(set(conflicts))))


def _files(project: Project, *, agent: str | None = None) -> list[RecordingFile]:
    """Return the files of a project, with what ended processes have left beside them."""
    found = RecordingFile.all_of(project)
    for file in found:
        SideFiles(project, file).fold()
    return [file for file in found if agent in {None, file.header.agent}]
