from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

from linenotes.project import Project
from linenotes.tracing import RecordedCall, verify_recordings
from linenotes.tracing.recordings._recording_file import RecordingFile
from linenotes.tracing.recordings._side_files import SideFiles

Make = Callable[..., RecordedCall]


def _files(project: Project) -> tuple[RecordingFile, SideFiles]:
    file = RecordingFile.of(project, dataset="cases", agent="app")
    return file, SideFiles(project, file)


def test_what_was_recorded_goes_into_the_file(project: Project, make_call: Make) -> None:
    file, sides = _files(project)
    side = sides.open()
    side.append(make_call(answer="new").line())
    assert not file.path.exists()
    side.close()
    sides.fold()
    assert [call.content for call in file.lines().all_calls().values()] == [
        make_call(answer="new").content
    ]
    assert not list(sides.folder.glob("*.jsonl"))


def test_a_side_file_in_use_is_left_alone(project: Project, make_call: Make) -> None:
    file, sides = _files(project)
    side = sides.open()
    side.append(make_call().line())
    sides.fold()
    assert not file.path.exists()
    side.append(make_call(case="c1").line())
    side.close()
    sides.fold()
    assert len(file.lines().all_calls()) == 2


def test_a_torn_line_is_left_out(project: Project, make_call: Make) -> None:
    file, sides = _files(project)
    sides.open().close()
    line = make_call(case="c1").line()
    (sides.folder / "1-dead.jsonl").write_bytes(make_call().line() + line[: len(line) // 2])
    sides.fold()
    assert [key.case for key in file.lines().all_calls()] == ["c0"]


def test_a_line_that_holds_no_call_is_set_aside_and_told(project: Project, make_call: Make) -> None:
    file, sides = _files(project)
    sides.open().close()
    odd = make_call(case="c1").line().replace(b'"kind":"model"', b'"kind":"oracle"')
    (sides.folder / "1-dead.jsonl").write_bytes(make_call().line() + odd)
    assert sides.fold() == 1
    assert [key.case for key in file.lines().all_calls()] == ["c0"]
    assert sides.set_aside.read_bytes() == odd
    (sides.folder / "2-dead.jsonl").write_bytes(odd)
    assert sides.fold() == 1
    assert sides.set_aside.read_bytes() == odd * 2
    assert sides.fold() == 0
    (found,) = verify_recordings(project)
    assert "set-aside.txt holds what was recorded" in found.problems[0]


def test_of_two_recordings_of_one_call_the_later_stays(project: Project, make_call: Make) -> None:
    file, sides = _files(project)
    sides.open().close()
    for name, answer, year in (("a", "late", 2027), ("b", "early", 2025)):
        call = make_call(answer=answer, recorded=f"{year}-01-01")
        (sides.folder / f"{name}.jsonl").write_bytes(call.line())
    sides.fold()
    assert [call.recorded for call in file.lines().all_calls().values()] == ["2027-01-01"]


_KILLED = """
import os, signal, sys
from linenotes.project import Project
from linenotes.tracing.recordings._recording_file import RecordingFile
from linenotes.tracing.recordings._side_files import SideFiles
project = Project.find()
file = RecordingFile.of(project, dataset="cases", agent="app")
side = SideFiles(project, file).open()
for line in sys.stdin.buffer:
    side.append(line)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_recorded_is_folded_by_the_next(
    project: Project, make_call: Make
) -> None:
    file, sides = _files(project)
    lines = b"".join(make_call(case=f"c{n}").line() for n in range(20))
    killed = _started(_KILLED)
    killed.communicate(lines)
    assert killed.returncode == -signal.SIGKILL
    sides.fold()
    assert len(file.lines().all_calls()) == 20


_RECORDING = """
import sys
from linenotes.project import Project
from linenotes.tracing.recordings._recording_file import RecordingFile
from linenotes.tracing.recordings._side_files import SideFiles
project = Project.find()
sides = SideFiles(project, RecordingFile.of(project, dataset="cases", agent="app"))
for line in sys.stdin.buffer.read().splitlines(keepends=True):
    side = sides.open()
    side.append(line)
    side.close()
    sides.fold()
"""


def test_two_processes_at_once_lose_nothing(project: Project, make_call: Make) -> None:
    workers = [_started(_RECORDING) for _ in range(2)]
    for number, worker in enumerate(workers):
        assert worker.stdin is not None
        worker.stdin.writelines(make_call(case=f"c{number}-{n}").line() for n in range(15))
    for worker in workers:
        worker.communicate()
    assert [worker.returncode for worker in workers] == [0, 0]
    file, sides = _files(project)
    assert len(file.lines().all_calls()) == 30
    assert not list(sides.folder.glob("*.jsonl"))


def _started(program: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program]
    return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
