from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from linenotes.project import Project, RecordingError
from linenotes.tracing import CallKey, RecordedCall
from linenotes.tracing.recordings._recording_file import FileHeader, RecordingFile

Make = Callable[..., RecordedCall]


def test_what_was_written_is_read(project: Project, make_call: Make) -> None:
    file = RecordingFile.of(project, dataset="cases", agent="app")
    calls = [make_call(case=f"c{n}", sample=s, answer=f"{n}{s}") for n in range(3) for s in (0, 1)]
    file.write(calls)
    assert file.path == project.root / "recordings" / "cases" / "app.jsonl.gz"
    assert file.lines().all_calls() == {call.key: call for call in calls}
    assert file.lines().calls("c1", 1) == {calls[3].key: calls[3]}
    assert RecordingFile.at(file.path) == file


def test_equal_recordings_give_equal_bytes(project: Project, make_call: Make) -> None:
    calls = [make_call(case=f"c{n}", sample=n % 3) for n in range(30)]
    written = []
    for order in (calls, calls[::-1], calls[11:] + calls[:11]):
        file = RecordingFile.of(project, dataset="cases", agent="app")
        file.write(order)
        written.append(file.path.read_bytes())
    assert len(set(written)) == 1


def test_names_that_are_no_names_of_files_are_made_fit(project: Project) -> None:
    file = RecordingFile.of(project, dataset="../x y", agent="app.py:build")
    assert file.path.parent.parent == project.root / "recordings"
    assert file.path.name == "app.py_build.jsonl.gz"


def test_a_file_of_another_agent_is_refused(project: Project, make_call: Make) -> None:
    RecordingFile.of(project, dataset="cases", agent="a:b").write([make_call()])
    with pytest.raises(RecordingError, match="holds recordings of agent 'a:b'"):
        RecordingFile.of(project, dataset="cases", agent="a_b").lines()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no gzip",
        gzip.compress(b"", mtime=0),
        gzip.compress(b'{"linenotes":"recordings","schema_version":2}\n', mtime=0),
        gzip.compress(b'{"dataset":"cases","agent":"app"}\n[]\n', mtime=0),
        gzip.compress(b'{"dataset":"cases","agent":"app"}\n', mtime=0)[:-9],
    ],
)
def test_a_broken_file_is_told(project: Project, content: bytes) -> None:
    file = RecordingFile.of(project, dataset="cases", agent="app")
    file.path.parent.mkdir(parents=True)
    file.path.write_bytes(content)
    with pytest.raises(RecordingError, match="is not a file of recordings that this version"):
        file.lines()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, make_call: Make) -> None:
    (tmp_path / "recordings").write_text("a file")
    file = RecordingFile(
        tmp_path / "recordings" / "a.jsonl.gz", FileHeader(dataset="cases", agent="app")
    )
    with pytest.raises(RecordingError, match="what was recorded is kept"):
        file.write([make_call()])


def test_processes_that_write_at_once_do_not_meet_and_leave_nothing(
    project: Project, make_call: Make
) -> None:
    file = RecordingFile.of(project, dataset="cases", agent="app")
    written = [[make_call(case=f"{writer}-{n}") for n in range(10, 60)] for writer in range(8)]
    with ThreadPoolExecutor(8) as writers:
        for _ in range(5):
            list(writers.map(file.write, written))
    assert list(file.lines().all_calls().values()) in written
    assert list(file.path.parent.iterdir()) == [file.path]


def test_a_file_is_on_the_disk_before_it_takes_the_place_of_the_old_one(
    project: Project, make_call: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[os.stat_result] = []
    sync = os.fsync

    def observed(file: int) -> None:
        sync(file)
        synced.append(os.fstat(file))
        assert not held.path.exists()

    monkeypatch.setattr(os, "fsync", observed)
    held = RecordingFile.of(project, dataset="cases", agent="app")
    held.write([make_call()])
    found = held.path.stat()
    assert [(one.st_ino, one.st_size) for one in synced] == [(found.st_ino, found.st_size)]


def test_a_call_survives_its_line(make_call: Make) -> None:
    call = make_call(case='quoted "case" \\ ü', answer="🙏")
    assert RecordedCall.of(call.line()) == call
    assert isinstance(call.key, CallKey)


@pytest.mark.parametrize(
    ("sound", "damaged"),
    [
        (b'"answer":"message"', b'"answer":"massage"'),
        (b'"ordinal":0', b'"ordinal":"x"'),
        (b'"ordinal":0', b'"ordinal":'),
        (b'"kind":"model"', b'"kind":"\xff"'),
    ],
)
def test_a_damaged_line_is_told_with_its_place(
    tmp_path: Path, make_call: Make, sound: bytes, damaged: bytes
) -> None:
    file = RecordingFile(tmp_path / "app.jsonl.gz", FileHeader(dataset="cases", agent="app"))
    file.write([make_call(case="c0", sample=0)])
    content = gzip.decompress(file.path.read_bytes())
    assert sound in content
    file.path.write_bytes(gzip.compress(content.replace(sound, damaged), mtime=0))
    with pytest.raises(RecordingError, match=r"app\.jsonl\.gz is not .*case 'c0' sample 0"):
        file.lines().calls("c0", 0)
