from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


@pytest.fixture
def filled(project: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An experiment of its own with two traces; the id of the first."""
    experiment = f'[tool.linenotes]\nexperiment = "{tmp_path.name}"\n'
    (project / "pyproject.toml").write_text(experiment, encoding="utf-8")
    first = cli("run", "app.py:build", "first words", "--json").json["trace_id"]
    cli("run", "app.py:build", "--case", "c3", "--dataset", "cases.jsonl")
    return str(first)


def test_traces_are_listed_newest_first(filled: str, cli: Cli) -> None:
    header, newest, older, *_ = cli("trace", "list").out.splitlines()
    assert header.split() == ["trace", "when", "agent", "case", "took", "request"]
    assert "c3#0" in newest
    assert older.startswith(filled[:11])
    assert "first words" in older
    assert "✓" in older
    assert max(map(len, (header, newest, older))) <= 100


def test_filters_choose(filled: str, cli: Cli) -> None:
    def ids(*options: str) -> list[object]:
        listed = cli("trace", "list", "--json", *options).json["traces"]
        assert isinstance(listed, list)
        return [trace["trace_id"] for trace in listed]

    assert len(ids()) == 2
    assert ids("--case", "ad-hoc") == [filled]
    assert len(ids("--agent", "writer", "--state", "ok")) == 2
    assert ids("--error", "ValueError") == []
    assert len(ids("--limit", "1")) == 1


def test_nothing_found_says_how_to_make_some(filled: str, cli: Cli) -> None:
    ended = cli("trace", "list", "--case", "never asked")
    assert ended.code == 0
    assert "linenotes run" in ended.out


@pytest.mark.parametrize("handoff", ["a", "a:", ":b"])
def test_half_a_handoff_is_exit_2(filled: str, cli: Cli, handoff: str) -> None:
    ended = cli("trace", "list", "--handoff", handoff)
    assert ended.code == 2
    assert "FROM:TO" in ended.err
