from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from linenotes.evals.documents._printed import _PRINTED
from linenotes.evals.scorers._catalogue import BUILT_IN
from linenotes.evals.scorers._scorer_loading import find_scorers
from linenotes.project import Project

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def test_scorers_are_listed_with_an_example_each(project: Path, cli: Cli) -> None:
    ended = cli("scorers")
    assert ended.code == 0, ended.err
    lines = [line.rstrip() for line in ended.out.splitlines()]
    assert max(map(len, lines)) <= 100
    for name, one in BUILT_IN.items():
        assert any(line.startswith(f"{name}  ") and line.endswith(one.line) for line in lines)
        assert any(line.strip() == one.example for line in lines)


def test_scorers_of_the_project_come_first(project: Path, cli: Cli) -> None:
    settings = project / "pyproject.toml"
    own = '\n[tool.linenotes.scorers]\nroute = \'handoffs("a", "b")\'\n'
    settings.write_text(settings.read_text() + own)
    document = cli("scorers", "--json").json
    _PRINTED["scorers"].validate_python(document, strict=False)
    first = document["scorers"][0]  # type: ignore[index]
    assert first == {
        "name": "route",
        "line": 'As pyproject.toml has it: handoffs("a", "b")',
        "example": "route",
        "built_in": False,
    }


def test_examples_are_what_the_scorers_take(project: Path) -> None:
    (project / "scorers.py").write_text(
        "def polite(sample): return True\ndef right_team(sample): return True\n"
    )
    examples = [one.example for name, one in BUILT_IN.items() if name != "deepeval"]
    found = find_scorers([*examples, "scorers.py:right_team"], Project.find())
    assert [one.name for one in found][:2] == ["matches_expectations", "talked_to"]
