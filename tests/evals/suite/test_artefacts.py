"""--linenotes-json, --linenotes-summary, --linenotes-html and --junit-xml."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest
from tests.evals.suite.conftest import ASKING_TEST, Run

from linenotes.evals.documents._printed import _PRINTED
from linenotes.evals.testing import ScriptedServer

Write = Callable[..., None]


def test_json_holds_each_test_and_each_case(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write()
    run("--linenotes-json", "out.json")
    found = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    _PRINTED["pytest"].validate_python(found)
    (test,) = found["tests"]
    assert (test["verdict"], test["fails"]) == ("fail", True)
    assert (test["n"], test["samples"], test["passed"], test["measured"]) == (4, 4, 10, 16)
    assert test["rate"]["mean"] == 0.625
    assert (test["unstable"], test["failing"]) == ({"c2": "2/4"}, {"c3": "0/4"})
    assert [(case["case"], case["status"]) for case in found["cases"]] == [
        ("c0", "passing"),
        ("c1", "passing"),
        ("c2", "unstable"),
        ("c3", "failing"),
    ]
    assert found["cases"][3]["why"] == "assert 'nothing' == 3"


def test_a_summary_and_a_page_hold_what_changed(
    run: Run, write: Write, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("gate=Gate()")
    run("--update-baseline")
    desk = pytester.path / "desk.py"
    worse = desk.read_text(encoding="utf-8").replace("question == 2 and", "question and")
    desk.write_text(worse, encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path / "step.md"))
    run("--linenotes-summary", "summary.md", "--linenotes-html", "pages")
    page = (pytester.path / "pages" / "answers.html").read_text(encoding="utf-8")
    assert "INCONCLUSIVE" in page.upper()
    assert "c1" in page
    told = (pytester.path / "summary.md").read_text(encoding="utf-8")
    assert "| answers | 50% (" in told
    assert "| INCONCLUSIVE |" in told
    assert "- against the baseline: c1 4/4 → 2/4" in told
    assert (pytester.path / "step.md").read_text(encoding="utf-8") == told


def test_junit_has_figures_beside_each_item(
    run: Run, write: Write, server: ScriptedServer, pytester: pytest.Pytester
) -> None:
    write(text=ASKING_TEST)
    run("--junit-xml", "out.xml", "--linenotes-model", "m")
    tree = ET.parse(pytester.path / "out.xml")  # noqa: S314  our own file
    found = {
        case.attrib["name"]: {p.attrib["name"]: p.attrib["value"] for p in case.iter("property")}
        for case in tree.iter("testcase")
    }
    trace = found["test_says_ok[c0]"].pop("linenotes.trace")
    assert trace.startswith("linenotes trace show tr-")
    assert found["test_says_ok[c0]"] == {
        "linenotes.K": "2",
        "linenotes.passes": "2/2",
        "linenotes.cost": "0.02",
        "linenotes.verdict": "passing",
    }
    verdict = found["test_says_ok[verdict]"]
    assert verdict.pop("linenotes.run")
    assert verdict.pop("linenotes.target") == "population"
    assert verdict.pop("linenotes.interval").startswith("100% (")
    assert verdict == {
        "linenotes.n": "3",
        "linenotes.K": "2",
        "linenotes.passes": "6/6",
        "linenotes.cost": "0.06",
        "linenotes.verdict": "pass",
    }


def test_a_file_that_cannot_be_written_is_told_and_fails_the_session(
    run: Run, write: Write, server: ScriptedServer
) -> None:
    write(text=ASKING_TEST)
    result = run("--linenotes-model", "m", "--linenotes-json", "nowhere/out.json")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["'nowhere/out.json' cannot be written: No such file*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
