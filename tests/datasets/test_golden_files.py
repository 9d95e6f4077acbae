from __future__ import annotations

import csv
import io
import json
import traceback
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from linenotes.datasets import Case, Dataset, read_golden_file
from linenotes.project import DatasetError

GOOD = '{"id": "a", "inputs": {"question": "Why?"}}\n'


def read(folder: Path, name: str, content: str | bytes) -> Dataset:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_golden_file(file)


def problems(folder: Path, name: str, content: str | bytes) -> list[str]:
    """The problems of a file that must be refused, without its path."""
    with pytest.raises(DatasetError) as refused:
        read(folder, name, content)
    prefix = f"{folder / name}:"
    assert all(problem.startswith(prefix) for problem in refused.value.problems)
    return [problem.removeprefix(prefix) for problem in refused.value.problems]


def test_every_problem_is_told_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    content = (
        '{"id": "a", "inputs": {"q": 1}, "expected": {}}\n'
        "\n"
        '{"id": "b"}\n'
        "{broken\n"
        '{"id": "c", "inputs": {"q": 2}, "weight": 0}\n'
        '{"id": "c", "inputs": {"q": 2}}\n'
        '{"id": "d", "inputs": {"q": 2}}\n'
    )
    assert problems(tmp_path, "cases.jsonl", content) == [
        "1: case 'a': unknown key 'expected' (close to 'expectations').",
        "3: case 'b': 'inputs' is missing.",
        "4: not valid JSON: Expecting property name enclosed in double quotes at column 2.",
        "5: case 'c': 'weight' is not valid: Input should be greater than or equal to "
        "0.000000001, not 0.",
        "6: id 'c' is also that of line 5.",
        "7: case 'd' has the same inputs as case 'c'.",
    ]


def test_the_message_names_the_file_the_count_and_the_cure(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as refused:
        read(tmp_path, "cases.jsonl", '{"id": "a"}\n{"id": "b"}\n')
    file = str(tmp_path / "cases.jsonl")
    assert str(refused.value) == (
        f"Golden file {file!r} has 2 problems, so no case of it was loaded. "
        "Mend the lines that are listed."
    )


def test_a_traceback_shows_the_problems(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as refused:
        read(tmp_path, "cases.jsonl", '{"id": "a"}\n')
    shown = "".join(traceback.format_exception(refused.value))
    assert "cases.jsonl:1: case 'a': 'inputs' is missing." in shown


@pytest.mark.parametrize("name", ["cases.jsonl", "cases.yaml", "cases.yml", "cases.csv"])
@pytest.mark.parametrize("content", [b"", b"\n  \n", b"\xef\xbb\xbf"])
def test_an_empty_file_holds_no_cases(tmp_path: Path, name: str, content: bytes) -> None:
    assert problems(tmp_path, name, content) == ["1: the file holds no cases."]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cases.jsonl", b'{"id": "a", "inputs": {"q": "x"}}\n{"id": "b", "inputs": {"q": "\xff"}}'),
        ("cases.yaml", b"- id: a\n  inputs: {q: \xff}"),
        ("cases.csv", b"id,inputs.q\na,\xff\n"),
    ],
)
def test_a_byte_that_is_not_utf8_is_found_on_its_line(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (problem,) = problems(tmp_path, name, content)
    assert problem.startswith("2: byte ")
    assert problem.endswith("is not UTF-8; save the file as UTF-8.")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"id": 7, "inputs": {"q": 1}}, "'id' must be text, not 7; put it in quotes."),
        (
            {"id": " a", "inputs": {"q": 1}},
            "'id' must be one line of text with no space at its ends, not ' a'.",
        ),
        ({"inputs": {"q": 1}}, "'id' is missing."),
        (
            {"id": "a", "inputs": "Why?"},
            "case 'a': 'inputs' is not valid: Input should be a valid dict",
        ),
        (
            {"id": "a", "inputs": {}},
            "case 'a': 'inputs' is not valid: Dictionary should have at least 1 item",
        ),
        ({"id": "a", "inputs": {"q": 1}, "tags": {"n": 1}}, "case 'a': 'tags.n' must be text"),
        ({"id": "a", "inputs": {"q": 1}, "zzz": 1}, "case 'a': unknown key 'zzz' (a case has id,"),
        ({"id": "a", "inputs": {"q": 2**70}}, "case 'a': 'inputs' at q: an integer of more than"),
        (
            {"id": "a", "inputs": {"q": 1}, "weight": None},
            "case 'a': 'weight' is not valid: Input should be",
        ),
    ],
)
@pytest.mark.parametrize("name", ["cases.jsonl", "cases.yaml"])
def test_a_field_of_the_wrong_kind_is_told_with_its_value(
    tmp_path: Path, name: str, row: dict[str, object], problem: str
) -> None:
    content = json.dumps(row) if name == "cases.jsonl" else json.dumps([row])
    (told,) = problems(tmp_path, name, content)
    assert told.startswith(f"1: {problem}")


@pytest.mark.parametrize("depth", [70, 300, 5000])
@pytest.mark.parametrize(
    ("name", "around"),
    [
        ("cases.jsonl", '{"id": "a", "inputs": {"q": %s}}'),
        ("cases.yaml", "[{id: a, inputs: {q: %s}}]"),
        ("cases.csv", "id,inputs.q\na,%s\n"),
    ],
)
def test_a_nesting_without_end_is_refused(
    tmp_path: Path, name: str, around: str, depth: int
) -> None:
    (told,) = problems(tmp_path, name, around % ("[" * depth + "]" * depth))
    assert told.endswith("nested deeper than 64 levels.")


def test_the_name_is_the_files_own_else_the_one_given_else_the_stem(tmp_path: Path) -> None:
    named = tmp_path / "named.yaml"
    named.write_text("name: desk\ncases: [{id: a, inputs: {q: 1}}]")
    plain = tmp_path / "plain.jsonl"
    plain.write_text(GOOD)
    assert read_golden_file(named, name="other").name == "desk"
    assert read_golden_file(plain, name="other").name == "other"
    assert read_golden_file(plain).name == "plain"
    assert read_golden_file(plain).source == plain


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    plain = read(tmp_path, "plain.csv", "id,inputs.q\na,x\n")
    marked = read(tmp_path, "marked.csv", b"\xef\xbb\xbfid,inputs.q\r\na,x\r\n")
    assert marked.cases == plain.cases


def test_a_file_that_is_not_there_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"cannot be read: No such file or directory\. Check"):
        read_golden_file(tmp_path / "cases.jsonl")
    with pytest.raises(DatasetError, match=r"must end in \.jsonl, \.yaml, \.yml, \.csv"):
        read_golden_file(tmp_path / "cases.xlsx")


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBER_LIKE = ["007", "12", "-0", "1e5", "NaN", "2024-05-01", "12:30", "1_000", " 12 "]
WORD_LIKE = ["true", "TRUE", "null", "no", "~", "<<", '"quoted"', "[draft]", "{name}", ""]
tricky = st.sampled_from([*NUMBER_LIKE, *WORD_LIKE, "a,b", "two\nlines", "\r\n"])
names = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=5)
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts | tricky,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
rows = st.fixed_dictionaries(
    {
        "id": names | st.sampled_from(["007", "12", "true", "null", "2024-05-01"]),
        "inputs": st.dictionaries(names, json_values, min_size=1, max_size=3),
    },
    optional={
        "expectations": st.dictionaries(names, json_values, max_size=2),
        "tags": st.dictionaries(names, tricky.filter(bool), max_size=2),
        "split": st.sampled_from(["val", "test"]),
        "cluster": names,
        "weight": st.integers(1, 5) | st.floats(0.1, 9),
    },
)
files = st.lists(
    rows,
    min_size=1,
    max_size=4,
    unique_by=(lambda row: row["id"], lambda row: json.dumps(row["inputs"], sort_keys=True)),
)


def as_cells(row: dict[str, Any]) -> dict[str, str]:
    """A row as a person writes it in CSV: text as it is, unless it would read as JSON."""
    cells: dict[str, str] = {}
    for key, value in row.items():
        if key in ("inputs", "expectations"):
            cells |= {f"{key}.{name}": as_cell(inner) for name, inner in value.items()}
        elif key == "tags":
            cells |= {f"tags.{name}": text for name, text in value.items()}
        else:
            cells[key] = value if isinstance(value, str) else json.dumps(value)
    return cells


def as_cell(value: object) -> str:
    if not isinstance(value, str) or not value or value[0] + value[-1] in ("{}", "[]"):
        return json.dumps(value)
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value)


def as_csv(rows: list[dict[str, Any]]) -> str:
    cells = [as_cells(row) for row in rows]
    columns = sorted({column for row in cells for column in row})
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(cells)
    return text.getvalue()


class QuotingDumper(yaml.SafeDumper):
    """Writes text in double quotes, for YAML tools differ in what they leave plain."""


QuotingDumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


def as_yaml(rows: list[dict[str, Any]]) -> str:
    return str(yaml.dump({"name": "desk", "cases": rows}, Dumper=QuotingDumper))


@given(files, st.randoms(use_true_random=False))
def test_one_content_has_one_digest_in_every_format_and_order(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], random: Random
) -> None:
    folder = tmp_path_factory.mktemp("formats")
    expected = Dataset("made", tuple(Case.model_validate(row) for row in rows)).digest
    shuffled = random.sample(rows, len(rows))
    lines = "\n".join(json.dumps(row) for row in shuffled)
    assert read(folder, "cases.jsonl", lines).digest == expected
    assert read(folder, "flow.yaml", json.dumps(shuffled)).digest == expected
    assert read(folder, "block.yaml", as_yaml(shuffled)).digest == expected
    assert read(folder, "cases.csv", as_csv(shuffled)).digest == expected
