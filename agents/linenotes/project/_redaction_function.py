"""The user's own redaction: a function from text to text, named in the settings."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from linenotes.project._errors import ProjectError


def load_function(spec: str, root: Path) -> Callable[[str], str]:
    """Return the function `module:attr`; the module may lie in the folder `root`.

    Raises:
        ProjectError: there is no such function, or its module does not import.
    """
    module, _, attribute = spec.partition(":")
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    try:
        found = getattr(importlib.import_module(module), attribute, None)
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
