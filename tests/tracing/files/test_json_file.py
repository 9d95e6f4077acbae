from __future__ import annotations

from pathlib import Path

import pytest

from linenotes.project import TraceFileError
from linenotes.tracing.files._json_file import Document, read_documents


def documents(tmp_path: Path, content: bytes) -> list[Document]:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    return list(read_documents(path))


def test_one_document_may_stand_on_many_lines(tmp_path: Path) -> None:
    (found,) = documents(tmp_path, b'[\n  {"a": 1},\n  {"a": 2}\n]\n')
    assert found.value == [{"a": 1}, {"a": 2}]


def test_a_document_a_line_has_the_line_as_its_place(tmp_path: Path) -> None:
    first, second = documents(tmp_path, b'{"a": 1}\n\n{"a": 2}\n')
    assert (first.value, second.value) == ({"a": 1}, {"a": 2})
    assert second.place.endswith("file.json:line 3")


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    (found,) = documents(tmp_path, b'\xef\xbb\xbf{"a": 1}')
    assert found.value == {"a": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"  \n ", "is empty"),
        (
            b'[{"a": 1}, {"a"',
            "is not JSON .*line 1, column 1.*read as JSON, as JSON lines",
        ),
        (b'{"a": 1}\n{"a": ', "file.json:line 2 is not JSON"),
        (b"\xff\xfe", "is not JSON"),
    ],
)
def test_what_is_no_json_is_named_with_its_place(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(TraceFileError, match=message):
        documents(tmp_path, content)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(TraceFileError, match=r"Cannot read .*No such file"):
        list(read_documents(tmp_path / "nope.json"))
