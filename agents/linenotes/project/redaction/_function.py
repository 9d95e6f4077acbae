"""The user's own redaction: a function from text to text, named in the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from linenotes.project._errors import ProjectError
from linenotes.project._user_code import import_code

if TYPE_CHECKING:
    from linenotes.project._project import Project


def load_function(spec: str, project: Project) -> Callable[[str], str]:
    """Return the function `module:attr` or `path.py:attr` of `project`.

    Raises:
        ProjectError: there is no such function, or its module does not import.
    """
    place, _, attribute = spec.rpartition(":")
    try:
        found = getattr(import_code(place, project), attribute, None)
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
