from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linenotes.project import TraceFileError
from linenotes.tracing import file_digest

if TYPE_CHECKING:
    from tests.tracing.files.conftest import ReadFile, WriteFile

HI = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]


def test_the_format_is_told_by_what_the_file_holds(
    read_file: ReadFile, otlp: Callable[..., Any]
) -> None:
    assert read_file({"messages": HI})[0].timed is False
    assert (
        read_file(otlp({"name": "work", "attributes": {"gen_ai.operation.name": "invoke_agent"}}))[
            0
        ].timed
        is True
    )


def test_a_format_that_is_named_is_the_one_that_is_read(read_file: ReadFile) -> None:
    with pytest.raises(TraceFileError, match="OTLP has an object with resourceSpans"):
        read_file({"messages": HI}, file_format="otlp")


def test_two_conversations_that_are_one_trial_are_an_error(read_file: ReadFile) -> None:
    record = {"messages": HI, "task_id": 7, "trial": 2}
    with pytest.raises(TraceFileError, match=r"record 2 is trial 2 of task '7', and so is .*1\."):
        read_file([record, record])


def test_chats_without_times_have_that_of_their_file(
    write_file: WriteFile, read_file: ReadFile
) -> None:
    path = write_file({"messages": HI})
    (found,) = read_file({"messages": HI}, start_ns=None)
    assert 0 <= found.trace.start_ns - path.stat().st_mtime_ns < 10**12


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert file_digest(path).startswith("ba7816bf")
    with pytest.raises(TraceFileError, match="Cannot read"):
        file_digest(tmp_path / "nope")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(TraceFileError, match="is no regular file"):
        file_digest(pipe)


@pytest.mark.parametrize("name", ["pass^1", "a/b", "", "-x", "x" * 300])
def test_a_score_that_mlflow_would_refuse_is_refused_with_its_place(
    read_file: ReadFile, name: str
) -> None:
    with pytest.raises(TraceFileError, match=r"record 2: a score cannot be called '"):
        read_file([{"messages": HI}, {"messages": HI, "scores": {name: 1.0}}])
