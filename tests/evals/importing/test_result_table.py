from __future__ import annotations

from pathlib import Path

import pytest

from linenotes.evals.importing import _result_table
from linenotes.evals.importing._result_table import ResultTable, read_results
from linenotes.project import ResultsFileError


def read(folder: Path, content: str, *metrics: str, name: str = "r.csv") -> ResultTable:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return read_results(path, metrics)


def test_all_columns_that_are_left_are_metrics_in_their_order(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "ok,case,sample,cluster,weight,tag.topic,tone,cost,seconds\n"
        "yes,a,0,g1,2,billing,3.5,0.01,1.5\n"
        "no,a,1,g1,2,billing,,,\n",
    )
    assert table.metrics == ("ok", "tone")
    assert [result.values for result in table.results] == [(True, 3.5), (False, None)]
    (case,) = table.cases
    assert (case.id, case.cluster, case.weight, case.tags) == ("a", "g1", 2.0, {"topic": "billing"})
    assert (table.results[0].cost, table.results[0].seconds) == (0.01, 1.5)
    assert not table.timed


def test_chosen_metrics_come_in_the_order_chosen_and_others_may_be_anything(tmp_path: Path) -> None:
    table = read(tmp_path, "case,sample,note,ok,tone\na,0,nice,1,3\n", "tone", "ok")
    assert table.metrics == ("tone", "ok")
    assert table.results[0].values == (3.0, 1.0)


def test_rows_of_json_may_lack_metrics_that_others_have(tmp_path: Path) -> None:
    rows = '{"case": "a", "sample": 0, "ok": true}\n{"case": 7, "sample": 0, "tone": 2}\n'
    table = read(tmp_path, rows, name="r.jsonl")
    assert table.metrics == ("ok", "tone")
    assert [result.values for result in table.results] == [(True, None), (None, 2.0)]
    assert [case.id for case in table.cases] == ["a", "7"]


def test_a_row_without_a_score_was_lost_and_an_error_says_whose_it_is(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "case,sample,ok,error\na,0,,\na,1,,ValueError: bad\na,2,,ReadTimeout: slow\na,3,1,\n",
    )
    failures = [result.failure for result in table.results]
    assert [failure and failure.kind for failure in failures] == [
        "infrastructure",
        "agent",
        "infrastructure",
        None,
    ]


def test_what_some_rows_leave_empty_the_others_say_of_the_case(tmp_path: Path) -> None:
    table = read(tmp_path, "case,sample,ok,cluster\na,0,1,\na,1,1,g\n")
    assert table.cases[0].cluster == "g"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("case,ok\na,1\n", r"r\.csv:2: there is no column 'sample', only case, ok"),
        ("case,sample,ok\n", r"r\.csv has no rows of results"),
        ("case,sample\na,0\n", r"r\.csv has no column with scores"),
        ("case,sample,ok\na,0,\n", r"r\.csv: metric 'ok' has no value in any row"),
        ("case,sample,ok\na,0,1\n,1,1\n", r"r\.csv:3: column 'case' is empty"),
        ("case,sample,ok\na,0,1\na,x,1\n", r"r\.csv:3: column 'sample': 'x' is no number of a"),
        ("case,sample,ok\na,0,1\na,0,1\n", r"r\.csv:3: sample 0 of case 'a' stands on line 2"),
        ("case,sample,ok\na,0,1\na,1,bad\n", r"r\.csv:3: column 'ok': 'bad' is no number"),
        (
            "case,sample,ok,weight\na,0,1,1\na,1,1,2\n",
            r"r\.csv:3: column 'weight' is 2\.0, and 1\.0 on line 2, in the same case 'a'",
        ),
        (
            "case,sample,ok,weight\na,0,1,0\n",
            r"r\.csv:2: column 'weight' cannot be kept: .*greater",
        ),
        (
            "case,sample,ok,weight\na,0,1,1e14\n",
            r"r\.csv:2: column 'weight' cannot be kept: .*less",
        ),
        ("case,sample,ok,seconds\na,0,1,1e12\n", r"r\.csv:2: column 'seconds': '1e12' is more"),
        ("case,sample,ok,cost\na,0,1,1e300\n", r"r\.csv:2: column 'cost': '1e300' is beyond"),
        ("case,sample,ok\na,0,-1e300\n", r"r\.csv:2: column 'ok': '-1e300' is beyond"),
        ('case,sample,ok,tags\na,0,1,"{""t"": ""\\ud800""}"\n', r"column 'tags' cannot be kept"),
        ('case,sample,ok\n"a\nb",0,1\n', r"r\.csv:2: column 'case' cannot be kept"),
        ("case,sample,ok,tags\na,0,1,x\n", r"r\.csv:2: column 'tags': 'x' is no JSON object"),
        ("case,sample,o:k\na,0,1\n", r"r\.csv:2: a metric cannot be called 'o:k'"),
    ],
)
def test_what_is_wrong_is_said_with_line_column_and_cure(
    content: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ResultsFileError, match=message):
        read(tmp_path, content)


def test_a_metric_that_is_no_column_is_said(tmp_path: Path) -> None:
    with pytest.raises(ResultsFileError, match=r"there is no column 'tone', only case, sample, ok"):
        read(tmp_path, "case,sample,ok\na,0,1\n", "tone")


def test_more_rows_than_fit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_result_table, "MOST_ROWS", 2)
    with pytest.raises(ResultsFileError, match="more than 2 rows"):
        read(tmp_path, "case,sample,ok\n" + "".join(f"a,{i},1\n" for i in range(3)))
