from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def test_a_valid_file_says_what_it_holds(project: Path, cli: Cli) -> None:
    ended = cli("dataset", "validate", "cases.jsonl")
    assert ended.code == 0
    assert "6 cases" in ended.out


def test_all_problems_are_listed_with_their_lines(project: Path, cli: Cli) -> None:
    bad = '{"id": "a", "inputs": {"x": 1}}\n{"id": "a", "inputs": {"x": 2}, "colour": 1}\n{\n'
    (project / "bad.jsonl").write_text(bad, encoding="utf-8")
    ended = cli("dataset", "validate", "bad.jsonl")
    assert ended.code == 2
    assert [f"bad.jsonl:{line}:" in ended.err for line in (1, 2, 3)] == [False, True, True]
    assert "colour" in ended.err


def test_the_document_names_digest_and_splits(cli: Cli) -> None:
    document = cli("dataset", "validate", "support-desk", "--json").json
    assert document["splits"] == {"test": 242, "val": 110}
    assert len(str(document["digest"])) == 64
