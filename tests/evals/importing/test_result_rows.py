from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from linenotes.evals.importing._result_rows import read_rows
from linenotes.project import ResultsFileError


def rows(folder: Path, name: str, content: str | bytes) -> list[tuple[int, dict[str, object]]]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [(row.line, dict(row.cells)) for row in read_rows(path)]


def test_csv_of_a_spreadsheet_has_a_mark_semicolons_and_its_own_line_ends(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbfcase;sample\r\n"a;\r\nb";0\r\n\r\nc;1\r\n'
    assert rows(tmp_path, "r.csv", content) == [
        (2, {"case": "a;\r\nb", "sample": "0"}),
        (5, {"case": "c", "sample": "1"}),
    ]


def test_tabs_and_lone_carriage_returns_are_read(tmp_path: Path) -> None:
    found = rows(tmp_path, "r.tsv", "case\tok\na\t1\nb\t0")
    assert [cells for _, cells in found] == [{"case": "a", "ok": "1"}, {"case": "b", "ok": "0"}]


def test_json_lines_keep_their_types_and_know_nan(tmp_path: Path) -> None:
    found = rows(tmp_path, "r.jsonl", '{"case": "a\u2028", "ok": true}\n\n{"x": NaN, "tags": {}}\n')
    assert found[0] == (1, {"case": "a\u2028", "ok": True})
    assert found[1][0] == 3
    assert found[1][1].keys() == {"x", "tags"}


def test_parquet_is_read_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    pd.DataFrame({"case": ["a", "b"], "ok": [True, None], "n": [1.5, None]}).to_parquet(path)
    first, second = read_rows(path)
    assert (first.line, dict(first.cells)) == (1, {"case": "a", "ok": True, "n": 1.5})
    assert second.cells["ok"] is None


def test_an_empty_file_has_no_rows_of_json_and_no_header_of_csv(tmp_path: Path) -> None:
    assert rows(tmp_path, "r.jsonl", "") == []
    with pytest.raises(ResultsFileError, match=r"r\.csv:1: there are no names of columns"):
        rows(tmp_path, "r.csv", "")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("r.xlsx", "x", r"'\.xlsx' is not read\. Give one of \.csv"),
        ("r.csv", b"case\n\xff\n", r"byte 5 is not UTF-8\. Save the file as UTF-8"),
        ("r.csv", "case,case\n", r"r\.csv:1: the column 'case' stands there twice"),
        ("r.csv", ",case\n0,a\n", r"r\.csv:1: column 1 has no name\. .*`index=False`"),
        ("r.csv", "a,b\n1,2\n3\n", r"r\.csv:3: 1 cells under 2 columns"),
        ("r.csv", 'a,b\n"x,2\n', r"r\.csv:2: not valid CSV"),
        ("r.csv", "a\n" + "x" * 200_000, r"r\.csv:2: not valid CSV: field larger"),
        ("r.jsonl", '{"a": 1}\n{"a"\n', r"r\.jsonl:2: not valid JSON"),
        ("r.jsonl", "[1]\n", r"r\.jsonl:1: a line must be one JSON object"),
        ("r.jsonl", "[" * 100_000 + "\n", r"r\.jsonl:1: not valid JSON"),
        ("r.jsonl", '"' + "x" * (1 << 20), r"r\.jsonl:1: the line has more than 1,048,576"),
        ("r.parquet", "PAR1 no", r"r\.parquet: row 1 on is no Parquet"),
    ],
)
def test_what_is_no_table_says_where_and_the_cure(
    name: str, content: str | bytes, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ResultsFileError, match=message):
        rows(tmp_path, name, content)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ResultsFileError, match=r"Cannot read .*No such file"):
        list(read_rows(tmp_path / "none.csv"))
