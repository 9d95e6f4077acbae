from __future__ import annotations

from pathlib import Path

import pytest

from linenotes.project import Project, find_code, import_code


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "beside.py").write_text("WORD = 'beside'\n")
    (tmp_path / "own.py").write_text("import beside\nWORD = beside.WORD\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    return Project.find()


def test_a_file_is_found_in_the_project_and_sees_what_is_beside_it(project: Project) -> None:
    assert find_code("own.py", project) == (project.root / "own.py").resolve()
    assert import_code("own.py", project).WORD == "beside"


def test_the_working_directory_comes_first(project: Project) -> None:
    Path("own.py").write_text("WORD = 'here'\n")
    assert import_code("own.py", project).WORD == "here"


def test_a_file_is_executed_anew_each_time(project: Project) -> None:
    assert import_code("own.py", project) is not import_code("own.py", project)


def test_what_is_not_there_is_told(project: Project) -> None:
    assert find_code("nothing.py", project) is None
    assert find_code("nothing_at_all", project) is None
    with pytest.raises(FileNotFoundError, match=r"nothing\.py"):
        import_code("nothing.py", project)
