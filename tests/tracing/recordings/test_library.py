"""What an evaluation's recordings do when they end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.project import Project, RecordingError
from linenotes.tracing import RecordedCall

from .conftest import RECORD, Studio

Make = Callable[..., RecordedCall]


def test_what_ended_the_block_is_not_hidden_by_a_file_that_cannot_be_written(
    studio: Studio, project: Project, make_call: Make
) -> None:
    (project.root / "recordings").write_text("in the way")

    def fail() -> None:
        with studio.library(RECORD) as library:
            library.keep(make_call())
            raise ValueError("the reason")

    with pytest.raises(ValueError, match="the reason") as raised:
        fail()
    (note,) = raised.value.__notes__
    assert note.startswith(f"Cannot write {studio.path}")


def test_a_file_that_cannot_be_written_is_told_and_what_was_recorded_is_kept(
    studio: Studio, project: Project, make_call: Make
) -> None:
    (project.root / "recordings").write_text("in the way")
    with (
        pytest.raises(RecordingError, match="what was recorded is kept"),
        studio.library(RECORD) as library,
    ):
        library.keep(make_call())
    (project.root / "recordings").unlink()
    with studio.library(RECORD) as library:
        assert list(library.elsewhere()) == [make_call()]


def test_lines_that_hold_no_call_are_counted(studio: Studio, make_call: Make) -> None:
    with studio.library(RECORD) as library:
        library.keep(make_call())
        (side,) = (studio.project.state / "recordings").glob("*/*.jsonl")
        (side.parent / "1-dead.jsonl").write_bytes(b"{}\n[]\n")
    assert library.use.set_aside == 2
    assert library.use.set_aside_in == str(side.parent / "set-aside.txt")
