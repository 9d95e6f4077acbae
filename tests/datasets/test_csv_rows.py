from __future__ import annotations

from pathlib import Path

import pytest

from linenotes.datasets import Dataset, read_golden_file
from linenotes.project import DatasetError


def read(folder: Path, content: str) -> Dataset:
    file = folder / "cases.csv"
    file.write_text(content, encoding="utf-8", newline="")
    return read_golden_file(file)


def refused(folder: Path, content: str) -> tuple[str, ...]:
    with pytest.raises(DatasetError) as error:
        read(folder, content)
    return tuple(p.removeprefix(f"{folder / 'cases.csv'}:") for p in error.value.problems)


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("Where is my order?", "Where is my order?"),
        ("007", "007"),
        ("+49 30 1234", "+49 30 1234"),
        ("2024-05-01", "2024-05-01"),
        ("TRUE", "TRUE"),
        ("12", 12),
        ("-1.5e3", -1500.0),
        ("true", True),
        ("null", None),
        ('"12"', "12"),
        ('""', ""),
        ('["a", 1]', ["a", 1]),
        ('{"role": "user"}', {"role": "user"}),
        ("[1] says so", "[1] says so"),
        ("two\r\nlines", "two\r\nlines"),
    ],
)
def test_a_cell_that_is_json_is_its_value_and_all_else_is_text(
    tmp_path: Path, cell: str, value: object
) -> None:
    (case,) = read(tmp_path, f"id,inputs.q\na,{quoted(cell)}\n").cases
    assert case.inputs == {"q": value}
    assert type(case.inputs["q"]) is type(value)


def test_id_split_cluster_and_tags_are_always_text(tmp_path: Path) -> None:
    content = "id,split,cluster,tags.zip,inputs.q\n007,1,2,true,x\n"
    (case,) = read(tmp_path, content).cases
    assert (case.id, case.split, case.cluster, case.tags) == ("007", "1", "2", {"zip": "true"})


def test_an_empty_cell_says_nothing(tmp_path: Path) -> None:
    content = "id,inputs.q,inputs.hint,expectations.a,cluster,weight\na,x,,,,\nb,y,z,1,c,2\n"
    first, second = read(tmp_path, content).cases
    assert first.model_dump(exclude_defaults=True) == {"id": "a", "inputs": {"q": "x"}}
    assert (second.inputs, second.weight) == ({"q": "y", "hint": "z"}, 2.0)


def test_a_name_may_hold_dots(tmp_path: Path) -> None:
    (case,) = read(tmp_path, "id,inputs.user.name\na,Ann\n").cases
    assert case.inputs == {"user.name": "Ann"}


def test_lines_are_counted_over_cells_of_several_lines(tmp_path: Path) -> None:
    content = 'id,inputs.q\r\na,"one\r\ntwo\r\nthree"\r\n\r\nb,\r\nc,x,y\r\n'
    assert refused(tmp_path, content) == (
        "6: case 'b': 'inputs' is missing.",
        "7: 3 cells under 2 columns; put a cell with a comma in double quotes.",
    )


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("a,Where is it?", "the first line must name the columns, with commas between: id,"),
        ("id;inputs.q", "the first line must name the columns, with commas between: id,"),
        ("id,question", "unknown column 'question'; the columns are id,"),
        ("id,inputs", "unknown column 'inputs'; the columns are id,"),
        ("id,inputs.", "unknown column 'inputs.'; the columns are id,"),
        ("id,inputs.q,inputs.q", "the column 'inputs.q' stands there twice."),
    ],
)
def test_a_header_that_does_not_name_the_columns_is_refused(
    tmp_path: Path, header: str, problem: str
) -> None:
    cells = ",".join("abc"[: header.count(",") + 1])
    told = refused(tmp_path, f"{header}\n{cells}\n")
    assert told[0].startswith(f"1: {problem}")


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("NaN", "'inputs.q': NaN is not JSON; write null, or \"NaN\" for the text."),
        ('{"a": 1,}', "'inputs.q': not valid JSON: "),
        ("[draft]", "'inputs.q': not valid JSON: "),
        ('{"a": 1, "a": 2}', "'inputs.q': the key 'a' stands there twice."),
    ],
)
def test_a_cell_that_is_nearly_json_is_refused(tmp_path: Path, cell: str, problem: str) -> None:
    (told,) = refused(tmp_path, f"id,inputs.q\na,{quoted(cell)}\n")
    assert told.startswith(f"2: {problem}")


def test_a_weight_that_is_no_number_is_refused(tmp_path: Path) -> None:
    (told,) = refused(tmp_path, "id,inputs.q,weight\na,x,heavy\n")
    assert told.startswith("2: case 'a': 'weight' is not valid: Input should be a valid number")


def test_a_quote_that_is_not_closed_is_refused_where_it_opens(tmp_path: Path) -> None:
    (told,) = refused(tmp_path, 'id,inputs.q\na,x\nb,"open\nand so on\n')
    assert told == "3: not valid CSV: unexpected end of data."
