from __future__ import annotations

from pathlib import Path

import pytest

from linenotes.evals.judging._labels import Kind, Label, label_table, read_labels
from linenotes.project import ResultsFileError


def read(folder: Path, content: str, kind: Kind = "pass", name: str = "l.csv") -> list[Label]:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return read_labels(path, kind)


def test_labels_are_of_the_kind_that_the_judge_gives(tmp_path: Path) -> None:
    words = "case,sample,label\na,0,pass\na,1,FAILED\nb,0,1\nb,1,no\nc,0,\n"
    assert [label.value for label in read(tmp_path, words)] == [True, False, True, False]
    numbers = '{"case": "a", "sample": 0, "label": 3.5}\n'
    assert read(tmp_path, numbers, "number", "l.jsonl")[0].value == 3.5
    names = read(tmp_path, "case,sample,label\na,0,billing\n", "name")
    assert names == [Label("a", 0, "people", "billing", 2)]


def test_several_raters_may_label_one_sample(tmp_path: Path) -> None:
    table = label_table(read(tmp_path, "case,sample,label,rater\na,0,pass,ann\na,0,fail,bob\n"))
    assert table["rater"].tolist() == ["ann", "bob"]
    assert table["label"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("case,sample,score\na,0,1\n", r"l\.csv:2: there is no column 'label', only case, sample"),
        ("case,sample,label\n", r"l\.csv has no labels"),
        ("case,sample,label\na,,1\n", r"l\.csv:2: case or sample is empty"),
        ("case,sample,label\na,0,0.5\n", r"l\.csv:2: column 'label': '0\.5' is neither a pass"),
        ("case,sample,label\na,0,good\n", r"l\.csv:2: column 'label': 'good' is no number"),
        (
            "case,sample,label\na,0,1\na,0,1\n",
            r"l\.csv:3: 'people' has labelled sample 0 of case 'a' on line 2, too",
        ),
    ],
)
def test_what_is_no_table_of_labels_is_said(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ResultsFileError, match=message):
        read(tmp_path, content)
