from __future__ import annotations

import pytest

from linenotes.evals.documents._run_documents import IntervalDocument
from linenotes.evals.documents._suite_documents import GoldenTestDocument, SuiteDocument
from linenotes.evals.suite._suite_report import terminal_lines

LONG = "TestTheDesk.routes_every_question_to_the_right_team_without_asking_back"


def told(*names: str, why: str = "It is worse.") -> SuiteDocument:
    tests = [
        GoldenTestDocument(
            test=f"test_desk.py::{name}",
            metric=name,
            verdict="cannot measure",
            fails=True,
            reasons=[why],
            run_id="0" * 32,
            agent="desk",
            version="v2",
            dataset="cases",
            n=40,
            samples=3,
            passed=80,
            measured=120,
            rate=IntervalDocument(mean=0.62, low=0.41, high=0.8, target="dataset"),
            unstable={},
            failing={},
            lost=[],
            calls=12_465,
            replayed_calls=0,
            cost=0.0,
            spent=0.0,
            comparisons=[],
            gates=None,
            level=None,
            flipped=[],
        )
        for name in names
    ]
    return SuiteDocument(tests=tests, cases=[], notes=[])


@pytest.mark.parametrize("width", [80, 100, None])
def test_short_names_stand_beside_their_figures(width: int | None) -> None:
    header, row, *_ = terminal_lines(told("short"), width)
    assert header == ("test   pass rate (95%)   n  K  unstable  failing   calls  cost  verdict")
    assert row == ("short   62% (41 to 80)  40  3         0        0  12,465    $0  CANNOT MEASURE")


@pytest.mark.parametrize("width", [80, 100])
def test_a_name_that_leaves_no_room_stands_over_its_figures_and_is_whole(width: int) -> None:
    lines = [*terminal_lines(told(LONG, "short"), width)][:6]
    assert lines == [
        "test",
        "  pass rate (95%)   n  K  unstable  failing   calls  cost  verdict",
        LONG,
        "   62% (41 to 80)  40  3         0        0  12,465    $0  CANNOT MEASURE",
        "short",
        "   62% (41 to 80)  40  3         0        0  12,465    $0  CANNOT MEASURE",
    ]


def test_names_that_no_line_holds_keep_what_tells_them_apart() -> None:
    suite = told(f"{LONG} in english", f"{LONG} in french, at the weekend")
    lines = [*terminal_lines(suite, 80)][:6]
    assert all(len(line) <= 80 for line in lines)
    assert lines[2].startswith("TestTheDesk.routes_every_q…")
    assert (lines[2][-11:], lines[4][-11:]) == (" in english", "the weekend")


def test_a_wide_terminal_does_not_stretch_the_table() -> None:
    assert [*terminal_lines(told(LONG), 200)] == [*terminal_lines(told(LONG), 100)]


def test_what_a_terminal_would_carry_out_is_not_written_to_it() -> None:
    lines = [*terminal_lines(told("short", why="case \x1b[31mred\x1b[0m 0/4"))]
    assert "  case  [31mred [0m 0/4" in lines


def test_sentences_are_wrapped_in_a_terminal_and_whole_in_a_log() -> None:
    why = "There is no baseline 'champion' of desk on cases. Save it: pytest --update-baseline."
    suite = told("short", why=why)
    assert f"  {why}" in [*terminal_lines(suite)]
    wrapped = [*terminal_lines(suite, 80)]
    assert all(len(line) <= 80 for line in wrapped)
    place = wrapped.index(f"  {why.rpartition(' ')[0]}")
    assert wrapped[place + 1] == "  --update-baseline."
