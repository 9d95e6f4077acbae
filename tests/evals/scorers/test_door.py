from __future__ import annotations

import subprocess
import sys

from linenotes.evals import scorers


def test_the_door_lists_what_it_exports_in_order() -> None:
    assert scorers.__all__ == sorted(scorers.__all__, key=str.casefold)
    public = {name for name in vars(scorers) if not name.startswith("_")}
    assert public - {"annotations"} == set(scorers.__all__)


def test_the_door_opens_without_anything_that_takes_long() -> None:
    code = (
        "import sys, linenotes.evals.scorers\n"
        "heavy = {'deepeval', 'langchain_core', 'langgraph', 'mlflow', 'pandas', 'scipy'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
