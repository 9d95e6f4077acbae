"""Several gated golden tests in one session share the level at which a drop fails."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from tests.evals.suite.conftest import Run, words

Write = Callable[..., None]

GATED = """
from linenotes.evals import Gate, golden

desk = golden(
    "cases.jsonl", agent="desk.py:build", samples=2, gate=Gate(target="population", inconclusive=0)
)
"""
ANSWERS = """
@desk
def test_answers(sample):
    assert sample.output["answer"] == sample.expectations["answer"]
"""
OTHERS = """
@desk
def test_plans(sample):
    assert sample.output["plan"]

@desk
def test_asks(sample):
    assert sample.output["question"]
"""
UNGATED = """
@golden("cases.jsonl", agent="desk.py:build", samples=2)
def test_has_no_gate(sample):
    assert sample.output
"""


@pytest.fixture
def worse(run: Run, write: Write, pytester: pytest.Pytester) -> None:
    """A version that is wrong in 5 cases more of 30 than its baseline: p = 1/32 by McNemar."""
    lines = [
        f'{{"id": "c{i:02}", "inputs": {{"question": {i}}}, "expectations": {{"answer": {i}}}}}'
        for i in range(10, 40)
    ]
    (pytester.path / "cases.jsonl").write_text("\n".join(lines), encoding="utf-8")
    write(text=GATED + ANSWERS + OTHERS + UNGATED)
    assert run("--update-baseline").ret == pytest.ExitCode.OK
    desk = pytester.path / "desk.py"
    broken = desk.read_text(encoding="utf-8").replace("question == 3", "question in range(20, 25)")
    desk.write_text(broken, encoding="utf-8")


@pytest.mark.usefixtures("worse")
def test_a_drop_that_fails_one_gate_is_not_shown_where_three_share_the_level(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    shared = run("-v", "--linenotes-json", "out.json", "--junit-xml", "out.xml")
    assert words(shared)["test_answers[verdict]"] == "INCONCLUSIVE"
    shared.stdout.fnmatch_lines(["*No drop is shown at 1.3%: 4% shared by 3 gates. To decide: *"])
    told = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    assert {test["metric"]: (test["gates"], test["level"]) for test in told["tests"]} == {
        "answers": (3, pytest.approx(0.04 / 3)),
        "plans": (3, pytest.approx(0.04 / 3)),
        "asks": (3, pytest.approx(0.04 / 3)),
        "has_no_gate": (None, None),
    }
    junit = (pytester.path / "out.xml").read_text(encoding="utf-8")
    assert '<property name="linenotes.gates" value="3"' in junit
    assert '<property name="linenotes.level" value="0.013333"' in junit
    write(text=GATED + ANSWERS + UNGATED)
    alone = run("-v")
    assert words(alone)["test_answers[verdict]"] == "FAILED"
    alone.stdout.fnmatch_lines(["FAIL. *It is worse (one-sided test at 4%)."])


@pytest.mark.usefixtures("worse")
def test_only_gates_that_can_fail_the_session_share_its_level(run: Run) -> None:
    only = run("-v", "-k", "answers")
    assert words(only)["test_answers[verdict]"] == "FAILED"
    partly = run("-v", "-k", "answers or (plans and not c12)")
    assert words(partly)["test_answers[verdict]"] == "FAILED"
    assert words(partly)["test_plans[verdict]"].startswith("SKIPPED")


@pytest.mark.usefixtures("worse")
def test_a_family_that_is_spread_over_sessions_is_declared(run: Run, write: Write) -> None:
    spread = GATED.replace("inconclusive=0", "inconclusive=0, family=6")
    write(text=spread + ANSWERS)
    run().stdout.fnmatch_lines(["*No drop is shown at 0.67%: 4% shared by 6 gates.*"])


@pytest.mark.usefixtures("worse")
def test_the_page_decides_as_the_session_does(run: Run, pytester: pytest.Pytester) -> None:
    run("--linenotes-html", "pages")
    page = (pytester.path / "pages" / "answers.html").read_text(encoding="utf-8")
    assert "shared by 3 gates" in page


@pytest.mark.slow
@pytest.mark.usefixtures("worse")
def test_every_worker_counts_the_gates_of_the_whole_session(
    run: Run, pytester: pytest.Pytester
) -> None:
    run("-n", "2", "--linenotes-json", "out.json", subprocess=True)
    told = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    assert sorted(test["gates"] or 0 for test in told["tests"]) == [0, 3, 3, 3]
    assert {test["verdict"] for test in told["tests"]} == {"pass", "inconclusive"}
