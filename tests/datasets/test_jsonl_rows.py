from __future__ import annotations

from pathlib import Path

import pytest

from linenotes.datasets import read_golden_file
from linenotes.project import DatasetError


def refused(folder: Path, content: str) -> tuple[str, ...]:
    file = folder / "cases.jsonl"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(DatasetError) as error:
        read_golden_file(file)
    return tuple(problem.removeprefix(f"{file}:") for problem in error.value.problems)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"id": "a", "id": "b", "inputs": {"q": 1}}', "the key 'id' stands there twice."),
        ('{"id": "a", "inputs": {"q": 1, "q": 2}}', "the key 'q' stands there twice."),
        ('{"id": "a", "inputs": {"q": NaN}}', 'NaN is not JSON; write null, or "NaN" for'),
        ('{"id": "a", "inputs": {"q": -Infinity}}', "-Infinity is not JSON; write null, or"),
        ('{"id": "a", "inputs": {"q": 1e999}}', "case 'a': 'inputs' at q: inf is not a number"),
        ('{"id": "a", "inputs": {"q": "\\ud800"}}', "case 'a': 'inputs' at q: half of a surrogate"),
        ('["a"]', "a line must be one JSON object, a case."),
        ('"a"', "a line must be one JSON object, a case."),
        ('{"id": "a"', "not valid JSON: Expecting ',' delimiter at column 11."),
        ("[" * 100_000, "nested deeper than 64 levels."),
    ],
)
def test_a_line_that_is_not_strict_json_is_refused(tmp_path: Path, line: str, problem: str) -> None:
    (told,) = refused(tmp_path, f"\n\n{line}\n")
    assert told.startswith(f"3: {problem}")


def test_line_separators_inside_text_do_not_shift_lines(tmp_path: Path) -> None:
    content = '{"id": "a", "inputs": {"q": "one\u2028two\x85"}}\r\n\r\n{"id": "b"}\r\n'
    assert refused(tmp_path, content) == ("3: case 'b': 'inputs' is missing.",)
