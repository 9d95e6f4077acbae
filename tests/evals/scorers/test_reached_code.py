from __future__ import annotations

import ast
from pathlib import Path

import pytest

from linenotes.evals.scorers._reached_code import reached_by_name


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"own.py": "A = 1\nB = A\nC = 2\ndef f(): return B\n"}, "A = 1|B = A|def f"),
        (
            {"own.py": "from rules import *\ndef f(): return A\n", "rules.py": "A = 1\n"},
            "A = 1|def f",
        ),
        (
            {
                "own.py": "try:\n    from fast import A\nexcept ImportError:\n    A = 2\n"
                "def f(): return A\n",
                "fast.py": "A = 1\nB = 2\n",
            },
            "A = 1|def f|try:",
        ),
        (
            {"own.py": "import rules\ndef f(): return rules\n", "rules.py": "A = 1\nB = 2\n"},
            "A = 1|B = 2|def f",
        ),
        (
            {"own.py": "import a.b\ndef f(): return a.b.c\n", "a/b.py": "c = 1\nd = 2\n"},
            "c = 1|def f",
        ),
        (
            {"own.py": "from a import b as x\ndef f(): return x.c\n", "a/b.py": "c = 1\nd = 2\n"},
            "c = 1|def f",
        ),
        (
            {"own.py": "from app import A\ndef f(): return A\n", "src/app.py": "A = 1\n"},
            "A = 1|def f",
        ),
        ({"own.py": "from broken import A\ndef f(): return A\n", "broken.py": "def\n"}, "def f"),
        ({"own.py": "from json import loads\ndef f(): return loads\n"}, "def f"),
        (
            {
                "own.py": "from linenotes.evals import A\ndef f(): return A\n",
                "linenotes/evals.py": "A = 1\n",
            },
            "def f",
        ),
        (
            {
                "own.py": "from one import A\ndef f(): return A\n",
                "one.py": "from two import A\n",
                "two.py": "from one import A\n",
            },
            "def f",
        ),
        (
            {"own.py": "A = {}\nA['x'] = 1\nA.update(y=2)\nprint('A')\ndef f(): return A\n"},
            "A = {}|A.update(y=2)|A['x'] = 1|def f",
        ),
    ],
    ids=[
        "chain",
        "star",
        "try",
        "module",
        "dotted",
        "alias",
        "src",
        "broken",
        "library",
        "ours",
        "circle",
        "changed",
    ],
)
def test_a_name_leads_to_all_that_binds_it_in_the_project(
    tmp_path: Path, files: dict[str, str], found: str
) -> None:
    for name, text in {"pyproject.toml": "", **files}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    nodes = reached_by_name(tmp_path / "own.py", "f")
    lines = sorted(ast.unparse(node).splitlines()[0].partition("(): ")[0] for node in nodes)
    assert "|".join(line.removesuffix("():") for line in lines) == found


def test_what_is_no_file_leads_nowhere(tmp_path: Path) -> None:
    assert reached_by_name(tmp_path / "gone.py", "f") == []
