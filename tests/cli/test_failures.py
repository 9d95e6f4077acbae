from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

FORGETFUL = """

def editor(state):
    sample, number = current_sample(), int(current_sample().case[1:])
    right = number < 4 or (number == 4 and sample.sample != 1)
    if prompt("tone").version == "v1":
        right = sample.sample % 2
    return {"answer": state["question"].upper() if right else "NOTHING"}
"""
GOLDEN = ("app.py:build", "--dataset", "cases.jsonl")


@pytest.fixture
def forgetful(project: Path) -> Path:
    """A project of no other test: its editor fails c4 once and c5 always, and v1 half of all."""
    code = (project / "app.py").read_text(encoding="utf-8")
    start, rest = code.split("def editor(state):")
    after = rest[rest.index("\n\n\ndef build") :]
    start = start.replace("import prompt", "import current_sample, prompt")
    (project / "app.py").write_text(f"# {project}\n{start}{FORGETFUL}{after}", encoding="utf-8")
    return project


@pytest.fixture
def ran(forgetful: Path, cli: Cli) -> str:
    """Evaluate v2; return the run's id."""
    ended = cli("eval", *GOLDEN, "--json")
    assert ended.code == 0, ended.err
    return str(ended.json["run_id"])


def test_each_failing_case_has_its_strip_its_reason_and_where_it_begins(ran: str, cli: Cli) -> None:
    ended = cli("failures", ran)
    assert ended.code == 0, ended.err
    assert "matches_expectations: 6 cases, 4 of 18 samples failed" in ended.out
    rows = [line.split() for line in ended.out.splitlines() if line.startswith("c")]
    assert rows == [
        ["case", "samples", "passed", "reason", "begins", "at"],
        ["c5", "✗✗✗", "0/3", "expected", "WORD", "5,", "got", "NOTHING", "–"],
        ["c4", "✓✗✓", "2/3", "expected", "WORD", "4,", "got", "NOTHING", "editor"],
    ]
    assert "1 of 4 failures begins at editor (a suspect: the first message that" in ended.out
    assert "1 failing, 1 unstable, 4 passing." in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100


def test_one_case_is_shown_beside_what_passed_with_the_commands_to_go_on(
    ran: str, cli: Cli
) -> None:
    ended = cli("failures", ran, "--case", "c4")
    assert "begins at editor" in ended.out
    (marked,) = [line for line in ended.out.splitlines() if line.startswith("≠")]
    assert " ".join(marked.split()) == "≠ editor → user: NOTHING | editor → user: WORD 4"
    shown = [line.split()[-1] for line in ended.out.splitlines() if "linenotes trace show" in line]
    assert len(shown) == 2
    assert cli("trace", "show", shown[0]).code == 0
    again = "again    linenotes run app.py:build --case c4 --dataset cases.jsonl --prompt tone=v2"
    assert again in ended.out.splitlines()
    assert cli(*again.split()[2:]).code == 0


def test_the_document_holds_the_same(ran: str, cli: Cli) -> None:
    document = cli("failures", ran, "--json").json
    assert (document["n"], document["failures"], document["looked_into"]) == (6, 4, 4)
    assert document["statuses"] == {"passing": 4, "unstable": 1, "failing": 1, "lost": 0}
    assert document["suspects"] == {"editor": 1}
    cases = document["cases"]
    assert isinstance(cases, list)
    assert [case["samples"] for case in cases] == [[False] * 3, [True, False, True]]
    (failure,) = cases[1]["failures"]
    assert (failure["expected"], failure["got"]) == ("WORD 4", "NOTHING")
    assert (failure["suspect"]["actor"], failure["suspect"]["why"]) == ("editor", "departs")
    assert failure["beside"] != failure["trace_id"]


def test_an_evaluation_shows_its_unstable_cases_and_the_way_on(ran: str, cli: Cli) -> None:
    ended = cli("eval", "--resume", ran)
    assert "Unstable: c4 ✓✗✓" in ended.out
    assert (
        ended.out.splitlines()[-1] == f"run {ran[:12]}   linenotes failures latest   linenotes ui"
    )
    again = cli("eval", "--resume", ran, "--json").json
    assert again["unstable"] == [{"case": "c4", "samples": [True, False, True]}]


def test_a_run_that_is_not_the_latest_is_named_by_its_id(ran: str, cli: Cli) -> None:
    newer = cli("eval", *GOLDEN, "--limit", "2")
    assert "failures" not in newer.out
    older = cli("eval", "--resume", ran)
    assert f"linenotes failures {ran[:12]}" in older.out
    assert cli("failures", "latest").out.splitlines()[-1] == "No failures."


def test_a_gate_that_fails_says_where_most_failures_begin(forgetful: Path, cli: Cli) -> None:
    gate = ("gate", *GOLDEN, "--limit", "4", "--prompt", "1", "--baseline", "@v2")
    ended = cli(*gate)
    assert ended.code == 1, ended.out + ended.err
    told = [line.strip() for line in ended.out.splitlines()]
    begins = next(line for line in told if "failures begin at" in line)
    failures = int(begins.split()[0])
    assert begins == f"{failures} of {failures} failures begin at editor."
    assert told.index(begins) < next(n for n, line in enumerate(told) if "samples" in line)
    assert cli(*gate, "--fresh", "--json").json["failures_begin"] == begins


def test_several_versions_have_a_line_each(forgetful: Path, cli: Cli) -> None:
    ended = cli("eval", *GOLDEN, "--prompt", "1,2", "--samples", "2")
    assert "v1 unstable: c0 ✗✓  c1 ✗✓" in ended.out
    assert "v2 unstable: c4 ✓✗" in ended.out
    assert "linenotes failures latest   linenotes ui" in ended.out.splitlines()[-1]


def test_what_is_not_there_is_exit_2(ran: str, cli: Cli) -> None:
    assert "no case 'z'" in cli("failures", ran, "--case", "z").err
    ended = cli("failures", ran, "--metric", "other")
    assert (ended.code, "no metric 'other'" in ended.err) == (2, True)
    assert cli("failures", "zzz").code == 2
