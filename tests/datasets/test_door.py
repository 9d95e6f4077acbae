from __future__ import annotations

import subprocess
import sys

from linenotes import datasets


def test_the_door_lists_what_it_exports_in_order() -> None:
    assert datasets.__all__ == sorted(datasets.__all__, key=str.casefold)
    public = {name for name in vars(datasets) if not name.startswith("_")}
    assert public == set(datasets.__all__)


def test_the_door_opens_without_mlflow_and_pandas() -> None:
    script = "import sys, linenotes.datasets; print({'mlflow', 'pandas'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert done.stdout == "set()\n"
