from __future__ import annotations

from pathlib import Path

import pytest

from linenotes.datasets import dataset_names, load_dataset
from linenotes.project import DatasetError, Project, Settings


def golden(path: Path, *, case: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{{"id": "{case}", "inputs": {{"q": 1}}}}\n')
    return path


def project_with(root: Path, **datasets: str) -> Project:
    return Project(root=root, settings=Settings(datasets=datasets))


def test_a_name_of_the_settings_comes_before_every_file(tmp_path: Path) -> None:
    golden(tmp_path / "golden" / "refunds.jsonl", case="from-settings")
    golden(tmp_path / "datasets" / "desk.jsonl", case="from-folder")
    found = load_dataset("desk", project_with(tmp_path, desk="golden/refunds.jsonl"))
    assert (found.name, found.cases[0].id) == ("desk", "from-settings")


def test_a_path_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden(tmp_path / "here" / "cases.jsonl", case="here")
    monkeypatch.chdir(tmp_path / "here")
    found = load_dataset("cases.jsonl", project_with(tmp_path))
    assert (found.name, found.cases[0].id) == ("cases", "here")


@pytest.mark.parametrize("ending", ["jsonl", "yaml", "yml", "csv"])
def test_a_name_is_looked_for_in_the_projects_folder(tmp_path: Path, ending: str) -> None:
    file = golden(tmp_path / "datasets" / f"desk.{ending}", case="a")
    if ending == "csv":
        file.write_text("id,inputs.q\na,1\n")
    elif ending != "jsonl":
        file.write_text("- {id: a, inputs: {q: 1}}\n")
    found = load_dataset("desk", project_with(tmp_path))
    assert (found.name, found.cases[0].id) == ("desk", "a")


def test_a_file_of_the_project_comes_before_what_is_shipped(tmp_path: Path) -> None:
    golden(tmp_path / "datasets" / "support-desk.jsonl", case="mine")
    assert load_dataset("support-desk", project_with(tmp_path)).cases[0].id == "mine"


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    golden(tmp_path / "datasets" / "desk.jsonl", case="a")
    golden(tmp_path / "datasets" / "desk.csv", case="b")
    with pytest.raises(DatasetError, match=r"ambiguous in .*: desk\.jsonl and desk\.csv\. Rename"):
        load_dataset("desk", project_with(tmp_path))


def test_a_setting_that_names_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"'desk' is set to 'gone\.jsonl'.*pyproject\.toml"):
        load_dataset("desk", project_with(tmp_path, desk="gone.jsonl"))


def test_an_unknown_name_lists_what_there_is_and_what_is_close(tmp_path: Path) -> None:
    golden(tmp_path / "datasets" / "refunds.jsonl", case="a")
    with pytest.raises(DatasetError) as refused:
        load_dataset("refund", project_with(tmp_path, orders="orders.jsonl"))
    assert str(refused.value) == (
        "There is no dataset 'refund', neither by name nor as a file. Did you mean 'refunds'? "
        "Known names: orders, refunds, support-desk. "
        "A path must end in .jsonl, .yaml, .yml, .csv."
    )


def test_the_names_are_those_of_settings_folder_and_package(tmp_path: Path) -> None:
    golden(tmp_path / "datasets" / "refunds.jsonl", case="a")
    (tmp_path / "datasets" / "notes.txt").write_text("not a dataset")
    project = project_with(tmp_path, orders="orders.jsonl")
    assert dataset_names(project) == ("orders", "refunds", "support-desk")
