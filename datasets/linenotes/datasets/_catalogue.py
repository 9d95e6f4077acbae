"""The datasets that a project can name: its settings', its `datasets` folder's, and those shipped.

A name is looked for in that order. A path to a golden file needs no name.
"""

from __future__ import annotations

import difflib
from importlib import resources
from pathlib import Path

from linenotes.datasets._cases import Dataset
from linenotes.datasets._golden_files import SUFFIXES, read_golden_file
from linenotes.project import DatasetError, Project

_SHIPPED_FILE = "golden.jsonl"


def load_dataset(name_or_path: str, project: Project) -> Dataset:
    """Return a dataset by its name in `project`, or by the path of a golden file.

    A name is, in this order: a key of `[tool.linenotes.datasets]`, whose path is relative to
    the project's root; a file `datasets/NAME` in the project with the ending of a golden file;
    a dataset that comes with linenotes. A path is relative to the working directory.

    Raises:
        DatasetError: there is no such dataset, two files share the name, or it is not valid.
    """
    named = project.settings.datasets.get(name_or_path)
    if named is not None:
        return read_golden_file(_set_path(project, name_or_path, named), name=name_or_path)
    for path in (Path(name_or_path), project.root / name_or_path):
        if path.suffix in SUFFIXES and path.is_file():
            return read_golden_file(path)
    in_folder = _folder_files(project).get(name_or_path, [])
    if len(in_folder) > 1:
        files = " and ".join(file.name for file in in_folder)
        raise DatasetError(
            f"Dataset {name_or_path!r} is ambiguous in {str(project.root / 'datasets')!r}: "
            f"{files}. Rename one, or give its path."
        )
    if in_folder:
        return read_golden_file(in_folder[0])
    return _load_shipped(name_or_path, project)


def dataset_names(project: Project) -> tuple[str, ...]:
    """Return the name of every dataset that `load_dataset` knows, sorted."""
    return tuple(sorted({*project.settings.datasets, *_folder_files(project), *_shipped()}))


def _set_path(project: Project, name: str, relative: str) -> Path:
    path = project.root / relative
    if not path.is_file():
        raise DatasetError(
            f"Dataset {name!r} is set to {relative!r}, and there is no file {str(path)!r}. "
            "Mend [tool.linenotes.datasets] in pyproject.toml."
        )
    return path


def _load_shipped(name: str, project: Project) -> Dataset:
    if name in _shipped():
        file = resources.files("linenotes.datasets").joinpath(name, _SHIPPED_FILE)
        with resources.as_file(file) as path:
            return read_golden_file(path, name=name)
    names = dataset_names(project)
    close = difflib.get_close_matches(name, names, n=3)
    hint = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
    raise DatasetError(
        f"There is no dataset {name!r}, neither by name nor as a file. {hint}"
        f"Known names: {', '.join(names)}. A path must end in {', '.join(SUFFIXES)}."
    )


def _folder_files(project: Project) -> dict[str, list[Path]]:
    files: dict[str, list[Path]] = {}
    for suffix in SUFFIXES:
        for path in sorted((project.root / "datasets").glob(f"*{suffix}")):
            files.setdefault(path.stem, []).append(path)
    return files


def _shipped() -> list[str]:
    folders = resources.files("linenotes.datasets").iterdir()
    return [folder.name for folder in folders if folder.joinpath(_SHIPPED_FILE).is_file()]
