from __future__ import annotations

from pathlib import Path

import pytest

from linenotes.evals.journal._appending import AppendOnlyFile


def test_each_line_is_behind_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    with AppendOnlyFile(path) as file:
        assert file.append(b"one\n") == 0
        assert file.append(b"two\n") == 4
    with AppendOnlyFile(path) as file:
        assert file.append(b"three\n") == 8
    assert path.read_bytes() == b"one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("content", "whole"),
    [(b"", b""), (b"torn", b""), (b"one\n", b"one\n"), (b"one\ntw", b"one\n"), (b"\n", b"\n")],
)
def test_what_follows_the_last_newline_is_cut(tmp_path: Path, content: bytes, whole: bytes) -> None:
    path = tmp_path / "lines"
    path.write_bytes(content)
    with AppendOnlyFile(path) as file:
        file.cut_torn_line()
    assert path.read_bytes() == whole
