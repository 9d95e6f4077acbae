from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from linenotes.datasets import Dataset, read_golden_file
from linenotes.project import DatasetError


def read(folder: Path, content: str) -> Dataset:
    file = folder / "cases.yaml"
    file.write_text(dedent(content), encoding="utf-8")
    return read_golden_file(file)


def refused(folder: Path, content: str) -> tuple[str, ...]:
    with pytest.raises(DatasetError) as error:
        read(folder, content)
    return tuple(p.removeprefix(f"{folder / 'cases.yaml'}:") for p in error.value.problems)


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("2024-05-01", "2024-05-01"),
        ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00Z"),
        ("no", "no"),
        ("on", "on"),
        ("007", "007"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("=", "="),
        ("12", 12),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("", None),
        ("~", None),
        ("null", None),
        ('"12"', "12"),
        ("'true'", "true"),
        ("!!str 12", "12"),
        ("{role: user, n: [1, two]}", {"role": "user", "n": [1, "two"]}),
        ("|\n      two\n      lines\n", "two\nlines\n"),
    ],
)
def test_a_plain_scalar_is_read_as_json_or_is_text(
    tmp_path: Path, scalar: str, value: object
) -> None:
    (case,) = read(tmp_path, f"- id: a\n  inputs:\n    q: {scalar}").cases
    assert case.inputs == {"q": value}
    assert type(case.inputs["q"]) is type(value)


def test_a_mapping_names_the_dataset(tmp_path: Path) -> None:
    content = """\
        # yaml-language-server: $schema=golden.schema.json
        name: desk
        cases:
          - id: a
            inputs: {q: Why}
    """
    assert read(tmp_path, content).name == "desk"


def test_an_anchor_is_the_value_it_stands_for(tmp_path: Path) -> None:
    content = """\
        - {id: a, inputs: {policy: &policy {days: 30}, q: 1}}
        - {id: b, inputs: {policy: *policy, q: 2}}
    """
    assert read(tmp_path, content).cases[1].inputs == {"policy": {"days": 30}, "q": 2}


def test_each_problem_is_told_with_the_line_of_its_field(tmp_path: Path) -> None:
    content = """\
        name: desk
        cases:
          - id: a
            inputs:
              q: Why?
              score: .nan
            expected: {answer: 1}
          # a comment

          - id: b
            inputs:
              q: Why
            weight: heavy
          - inputs:
              q: How?
            tags:
              level: 3
          - id: b
            inputs: {q: When}
          - id: c
            cluster: refund
            inputs:
              q: When
    """
    told = [problem.split(",")[0] for problem in refused(tmp_path, content)]
    assert told == [
        "4: case 'a': 'inputs' at score: nan is not a number that JSON can hold.",
        "7: case 'a': unknown key 'expected' (close to 'expectations').",
        "13: case 'b': 'weight' is not valid: Input should be a valid number",
        "14: 'id' is missing.",
        "17: 'tags.level' must be text",
        "18: id 'b' is also that of line 10.",
        "22: case 'c' has the same inputs as case 'b'.",
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("- id: a\n  inputs: {q: 1}\n  id: b\n", "3: the key 'id' stands there twice."),
        ("- id: a\n  inputs: {q: 1, q: 2}\n", "2: the key 'q' stands there twice."),
        ("- id: a\n  inputs: {q: [1}\n", "2: not valid YAML: expected ',' or ']'"),
        ("- id: a\n  inputs: {q: *gone}\n", "2: not valid YAML: found undefined alias"),
        ("- id: a\n---\n- id: b\n", "2: not valid YAML: but found another document"),
        ("- id: a\n  inputs: {q: \x07}\n", "1: not valid YAML: unacceptable character #x0007"),
        ("- id: a\n  inputs: {q: !!python/name:os.system }\n", "2: the tag "),
        ("- id: a\n  inputs: {q: !!set {x, y}}\n", "2: the tag "),
        ("- id: a\n  inputs: {[1]: 2, q: 1}\n", "2: a key must be text."),
        ("- id: a\n  inputs: {q: 1, <<: {r: 2}}\n", "2: merge keys are not known here;"),
        ("- id: a\n  inputs: {q: &x [*x]}\n", "2: an alias must not stand inside its own"),
        ("- a\n", "1: a case must be a mapping."),
        ("just text\n", "1: a YAML golden file is a list of cases, or a mapping with"),
        ("name: desk\n", "1: `cases` must be a list: a YAML golden file is"),
        ("name: desk\ncases: {id: a}\n", "2: `cases` must be a list: a YAML golden file is"),
        ("cases: []\ncases: [{id: a, inputs: {q: 1}}]\n", "2: the key 'cases' stands there twice."),
        ("name: 7\ncases: [{id: a, inputs: {q: 1}}]\n", "1: `name` must be text."),
        ("cases: [{id: a, inputs: {q: 1}}]\nversion: 2\n", "2: unknown key 'version': a YAML"),
    ],
)
def test_what_is_not_plain_yaml_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    (told,) = refused(tmp_path, content)
    assert told.startswith(problem)


def test_cases_of_one_line_are_told_apart(tmp_path: Path) -> None:
    content = "[{id: a, inputs: {q: 1}}, {id: a, inputs: {q: 2}}, {id: b, inputs: {q: 1}}]"
    assert refused(tmp_path, content) == (
        "1: case 'b' has the same inputs as case 'a'.",
        "1: id 'a' is also that of line 1.",
    )
