"""Case ids that mean something to pytest, to a shell or to a terminal."""

from __future__ import annotations

import json
import re
import shlex
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest
from tests.evals.suite.conftest import TEST, Run

Write = Callable[..., None]

HOSTILE = (
    "br[ack]et",
    "a]",
    "[verdict",
    "Verdict",
    "0-c1",
    "-dash",
    "a::b",
    "a/../b",
    "with space",
    "tab\tid",
    "quote\"'",
    "$HOME;ls",
    "back\\slash",
    "\x1b[31mred",
    "ünï 日本 🙂",
    "x" * 300,
)
PARAMETERS = """
import pytest
from linenotes.evals import golden

@pytest.mark.parametrize("other", ["[0]", "c1-verdict"])
@golden("cases.jsonl", agent="desk.py:build", samples=1)
def test_answers(sample, other):
    assert sample.output["answer"] != sample.expectations["answer"]
"""


@pytest.fixture
def hostile(run: Run, pytester: pytest.Pytester) -> None:
    """Cases of these names, of which every second is answered wrong."""
    lines = [
        json.dumps(
            {
                "id": name,
                "inputs": {"question": 10 + i},
                "expectations": {"answer": 10 + i if i % 2 else "other"},
            }
        )
        for i, name in enumerate(HOSTILE)
    ]
    (pytester.path / "cases.jsonl").write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.usefixtures("hostile")
def test_each_is_an_item_that_is_told_and_selected_as_any_other(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write()
    result = run("--linenotes-json", "out.json", "--junit-xml", "out.xml")
    half = len(HOSTILE) // 2
    result.assert_outcomes(passed=half, failed=half + 1)
    assert "\x1b" not in result.stdout.str()
    told = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    assert {case["case"] for case in told["cases"]} == {*HOSTILE}
    assert told["tests"][0]["failing"] == dict.fromkeys(HOSTILE[::2], "0/4")
    tree = ET.parse(pytester.path / "out.xml")  # noqa: S314  our own file
    assert len([*tree.iter("testcase")]) == len(HOSTILE) + 1
    again = re.findall(r"^again  pytest (.+?)   \(", result.stdout.str(), re.MULTILINE)
    chosen = [argument for command in again for argument in shlex.split(command)]
    run(*chosen).assert_outcomes(failed=half)
    run("--lf", "-q").assert_outcomes(failed=half + 1)
    run("--ff", "-x").assert_outcomes(failed=1)


@pytest.mark.usefixtures("hostile")
def test_other_parameters_are_told_from_them(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write(text=PARAMETERS)
    run("--linenotes-json", "out.json")
    told = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    assert [test["test"] for test in told["tests"]] == [
        "test_desk.py::test_answers[[0]]",
        "test_desk.py::test_answers[c1-verdict]",
    ]
    assert {test["measured"] for test in told["tests"]} == {len(HOSTILE)}


def test_ids_that_no_line_holds_are_refused_with_their_lines(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write()
    ids = ("two\nlines", " begins with a space")
    lines = [json.dumps({"id": one, "inputs": {"question": 1}}) for one in ids]
    (pytester.path / "cases.jsonl").write_text("\n".join(lines), encoding="utf-8")
    run().stdout.fnmatch_lines(
        ["*Mend the lines that are listed.", "cases.jsonl:1: *", "cases.jsonl:2: *"]
    )


def test_a_file_with_a_bracket_in_its_name_is_one_test(run: Run, pytester: pytest.Pytester) -> None:
    text = TEST.replace("{more}", "")
    (pytester.path / "test_[desk].py").write_text(text, encoding="utf-8")
    result = run("-k", "c0 or c1")
    result.stdout.fnmatch_lines(
        ["test_[[]desk[]].py::test_answers: no verdict. 8 of 8 samples of 2 cases passed."]
    )
