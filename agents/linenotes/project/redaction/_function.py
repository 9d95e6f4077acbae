"""The user's own redaction: a function from text to text, named in the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from linenotes.project._errors import ProjectError
from linenotes.project._user_code import find_code, import_code

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from linenotes.project._project import Project

_modules: dict[tuple[Path, int], ModuleType] = {}
"""Files that were executed, as they were when."""


def load_function(spec: str, project: Project) -> Callable[[str], str]:
    """Return the function `module:attr` or `path.py:attr` of `project`.

    Raises:
        ProjectError: there is no such function, or its module does not import.
    """
    place, _, attribute = spec.rpartition(":")
    try:
        found = getattr(_module(place, project), attribute, None)
    except Exception as error:
        raise ProjectError(
            f"[tool.linenotes.redaction] function {spec!r} does not import: "
            f"{type(error).__name__}: {error}. Mend the module."
        ) from error
    if not callable(found):
        raise ProjectError(
            f"[tool.linenotes.redaction] function {spec!r} is no function. "
            "Name one that takes a text and returns it redacted."
        )
    return cast("Callable[[str], str]", found)


def _module(place: str, project: Project) -> ModuleType:
    """Import a module; a file is executed once, and again when it has changed."""
    path = find_code(place, project) if place.endswith(".py") else None
    if path is None:
        return import_code(place, project)
    key = (path, path.stat().st_mtime_ns)
    if key not in _modules:
        _modules[key] = import_code(place, project)
    return _modules[key]
