from __future__ import annotations

from pathlib import Path

import pytest

from linenotes.agents._code import code_digest

_FILES = {
    "app.py": "import helper\nfrom parts import tone\n\n\ndef graph(): ...\n",
    "helper.py": "def late():\n    import deep\n",
    "deep.py": "WORD = 1\n",
    "parts/__init__.py": "",
    "parts/tone.py": "TONE = 'calm'\n",
    "scorers.py": "import app\n",
    "test_app.py": "import app\n",
}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    for name, text in _FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "app.py"


@pytest.mark.parametrize("name", ["app.py", "helper.py", "deep.py", "parts/tone.py"])
def test_a_script_is_made_of_all_that_it_imports_from_beside_it(script: Path, name: str) -> None:
    before = code_digest(script)
    file = script.parent / name
    file.write_text(file.read_text(encoding="utf-8") + "MORE = 2\n", encoding="utf-8")
    assert code_digest(script) != before


@pytest.mark.parametrize("name", ["scorers.py", "test_app.py", "new.py"])
def test_what_lies_beside_a_script_and_is_not_imported_is_no_part_of_it(
    script: Path, name: str
) -> None:
    before = code_digest(script)
    (script.parent / name).write_text("MORE = 2\n", encoding="utf-8")
    assert code_digest(script) == before


def test_a_file_that_does_not_parse_is_still_a_part(script: Path) -> None:
    (script.parent / "helper.py").write_text("def (", encoding="utf-8")
    before = code_digest(script)
    (script.parent / "helper.py").write_text("def ((", encoding="utf-8")
    assert code_digest(script) != before
