"""Code of the user, named as `path.py` or as a module: where it is, and how it is imported.

A path is looked for in the working directory, then in the project. Whatever is beside it, or in
the project for a module, can be imported by it.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from linenotes.project._project import Project

_serial = itertools.count()


def find_code(place: str, project: Project) -> Path | None:
    """Return the file of `path.py` or of a module, or None if there is none.

    Raises:
        ImportError: a package that the module is in does not import.
    """
    if place.endswith(".py"):
        candidates = (Path.cwd() / place, project.root / place)
        return next((path.resolve() for path in candidates if path.is_file()), None)
    _put_on_path(project.root)
    spec = importlib.util.find_spec(place)
    return Path(spec.origin) if spec and spec.origin else None


def import_code(place: str, project: Project) -> ModuleType:
    """Import a module, or execute `path.py` anew: then what it reads is read again.

    Raises:
        FileNotFoundError: there is no such file.
        Exception: whatever the code raises.
    """
    if not place.endswith(".py"):
        _put_on_path(project.root)
        return importlib.import_module(place)
    path = find_code(place, project)
    if path is None:
        raise FileNotFoundError(place)
    _put_on_path(path.parent)
    return _execute(path)


def _execute(path: Path) -> ModuleType:
    name = f"linenotes_code_{next(_serial)}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # type hints, as of a graph's state, are looked up there
    spec.loader.exec_module(module)
    return module


def _put_on_path(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
