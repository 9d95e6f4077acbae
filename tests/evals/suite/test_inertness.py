from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest
    from tests.evals.suite.conftest import Run

OWN = ("linenotes.pytest_plugin", "linenotes._pytest_options")


def test_the_plugin_imports_nothing_but_itself() -> None:
    program = "import sys, pytest; known = {*sys.modules}; import linenotes.pytest_plugin; "
    program += "print(*sorted({*sys.modules} - known))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(loaded) <= {"linenotes", *OWN}


def test_a_session_without_golden_tests_imports_nothing_of_linenotes(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        test_plain="""
        import sys

        def test_plain():
            loaded = {name for name in sys.modules if name.startswith("linenotes")}
            assert loaded <= {"linenotes", "linenotes.pytest_plugin", "linenotes._pytest_options"}
        """
    )
    result = run(subprocess=True)
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("linenotes:*")
    result.stdout.no_fnmatch_line("*= linenotes =*")
