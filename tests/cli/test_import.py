from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


@pytest.fixture
def tables(project: Path) -> Path:
    for name, rate in (("old", 2), ("new", 1)):
        rows = [f"c{c},{s},{int(c % 4 >= rate)}" for c in range(40) for s in range(3)]
        text = "\n".join(["case,sample,solved", *rows])
        (project / f"{name}.csv").write_text(text, encoding="utf-8")
    return project


def test_imported_tables_are_shown_and_compared(tables: Path, cli: Cli) -> None:
    ended = cli("import", "old.csv", "--agent", "airline")
    assert ended.code == 0, ended.err
    assert "airline on old" in ended.out
    assert "n=40 cases, K=3 samples" in ended.out
    assert "120 results imported." in ended.out
    again = cli("import", "old.csv", "--agent", "airline")
    assert "120 results imported before, so nothing was added." in again.out
    assert cli("import", "new.csv", "--agent", "airline").code == 0
    compared = cli("compare", "latest~1", "latest")
    assert compared.code == 0
    assert "new against old, solved: +25 points" in compared.out
    assert "tr-" not in compared.out, "there are no conversations to show"


def test_the_document_names_rows_file_and_metrics(tables: Path, cli: Cli) -> None:
    document = cli("import", "new.csv", "--name", "v2", "--metric", "solved", "--json").json
    assert (document["version"], document["rows"], document["samples"]) == ("v2", 120, 3)
    assert document["file"] == "new.csv"


def test_names_do_not_move_the_cursor(tables: Path, cli: Cli) -> None:
    shown = cli("import", str(tables / "old.csv"), "--name", "n1\x1b[2J", "--agent", "a\x1b[31m")
    assert "n1 [2J" in shown.out
    assert "\x1b" not in shown.out + shown.err


def test_a_mistake_in_the_file_is_one_sentence_and_exit_2(project: Path, cli: Cli) -> None:
    (project / "bad.csv").write_text("case,sample,ok\na,0,maybe\n", encoding="utf-8")
    ended = cli("import", "bad.csv")
    assert (ended.code, ended.out) == (2, "")
    assert "bad.csv:2: column 'ok': 'maybe' is no number" in ended.err
