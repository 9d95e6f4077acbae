from __future__ import annotations

from pathlib import Path

import pytest

from linenotes.project import AgentSettings, Project, ProjectError

VARIABLES = ("LINENOTES_STATE", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_TRACKING_URI")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("marker", ["pyproject.toml", "langgraph.json", ".git/HEAD"])
def test_the_root_is_the_nearest_folder_upwards_with_a_marker(tmp_path: Path, marker: str) -> None:
    _write(tmp_path / marker, "{}" if marker.endswith(".json") else "")
    inner = tmp_path / "app" / "graphs"
    inner.mkdir(parents=True)
    assert Project.find(inner).root == tmp_path


def test_a_project_inside_another_is_its_own(tmp_path: Path) -> None:
    _write(tmp_path / "pyproject.toml", "[tool.linenotes]\nexperiment = 'outer'\n")
    _write(tmp_path / "inner" / "pyproject.toml", "")
    project = Project.find(tmp_path / "inner")
    assert (project.root, project.experiment) == (tmp_path / "inner", "inner")


def test_the_working_directory_is_where_the_search_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path / "pyproject.toml", "")
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    assert Project.find().root == tmp_path


def test_state_lives_in_the_root_unless_the_environment_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path / "pyproject.toml", "")
    project = Project.find(tmp_path)
    assert project.state == tmp_path / ".linenotes"
    assert project.runs == tmp_path / ".linenotes" / "runs"
    monkeypatch.setenv("LINENOTES_STATE", str(tmp_path / "elsewhere"))
    assert project.runs == tmp_path / "elsewhere" / "runs"


def test_a_relative_state_folder_starts_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path / "pyproject.toml", "")
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    monkeypatch.setenv("LINENOTES_STATE", "state")
    assert Project.find().state == tmp_path / "deep" / "state"


def test_the_environment_goes_before_the_settings_and_these_before_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(tmp_path / "shop" / "pyproject.toml", "")
    plain = Project.find(path.parent)
    assert plain.experiment == "shop"
    assert plain.tracking_uri == f"sqlite:///{path.parent}/.linenotes/mlflow.db"

    _write(path, "[tool.linenotes]\nexperiment = 'desk'\ntracking-uri = 'http://127.0.0.1:5000'\n")
    named = Project.find(path.parent)
    assert (named.experiment, named.tracking_uri) == ("desk", "http://127.0.0.1:5000")

    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "night")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///night.db")
    assert (named.experiment, named.tracking_uri) == ("night", "sqlite:///night.db")


def test_postgresql_means_the_driver_that_mlflow_works_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project.find(_write(tmp_path / "pyproject.toml", "").parent)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://me:key@db/x?sslmode=require")
    assert project.tracking_uri == "postgresql+psycopg2://me:key@db/x?sslmode=require"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql+pg8000://db/x")
    assert project.tracking_uri == "postgresql+pg8000://db/x"


def test_graphs_of_langgraph_json_are_agents_and_pyproject_goes_first(tmp_path: Path) -> None:
    _write(
        tmp_path / "langgraph.json",
        '{"graphs": {"desk": "./desk.py:graph", "shop": {"path": "shop.py:make"}, "own": "a:b"}}',
    )
    _write(tmp_path / "pyproject.toml", "[tool.linenotes.agents]\nown = 'mine:graph'\n")
    assert Project.find(tmp_path).settings.agents == {
        "desk": AgentSettings(graph="./desk.py:graph"),
        "shop": AgentSettings(graph="shop.py:make"),
        "own": AgentSettings(graph="mine:graph"),
    }


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("pyproject.toml", "[tool.linenotes\n", "not valid TOML"),
        ("pyproject.toml", "[tool]\nlinenotes = 3\n", "must be a table, not 3"),
        ("langgraph.json", "{", "not valid JSON"),
        ("langgraph.json", '["a.py:b"]', '"graphs" must map'),
        ("langgraph.json", '{"graphs": ["a.py:b"]}', '"graphs" must map'),
        ("langgraph.json", '{"graphs": {"desk": "desk.py"}}', "graph 'desk'"),
        ("langgraph.json", '{"graphs": {"desk": {"file": "desk.py:g"}}}', "graph 'desk'"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_is_wrong(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    path = _write(tmp_path / name, text)
    with pytest.raises(ProjectError) as caught:
        Project.find(tmp_path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
    assert str(caught.value).endswith(".")


def test_text_that_is_no_utf8_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "langgraph.json"):
        path = tmp_path / name
        path.write_bytes(b"\xff\xfe")
        with pytest.raises(ProjectError, match=name):
            Project.find(tmp_path)
        path.unlink()
