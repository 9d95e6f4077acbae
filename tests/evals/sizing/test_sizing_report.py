from __future__ import annotations

from collections.abc import Callable

from tests.evals.sizing.test_sizing import PILOT, priced

from linenotes.evals import RunRecord, Wish, size_suite, sizing_report

MakeRecord = Callable[..., RunRecord]


def test_the_head_says_what_the_plan_rests_on_and_what_was_assumed(
    make_record: MakeRecord,
) -> None:
    text = "\n".join(sizing_report.head(size_suite(make_record(PILOT))))
    assert "pilot      aaaaaaaaaaaa  app v1  on numbers" in text
    assert "size       n=40 cases, K=4" in text
    assert "assumed    two versions vary alike over cases and correlate 0.5" in text
    assert "speaks of  cases like these; two-sided tests at 5%, 80% power" in text
    assert max(map(len, text.splitlines())) <= 100


def test_each_wanted_change_has_a_table(make_record: MakeRecord) -> None:
    found = size_suite(priced(make_record(PILOT), 0.01), wish=Wish((0.05, 0.025)))
    first, second = sizing_report.tables(found)
    assert first[0] == (
        "K",
        "detects with n=40",
        "cases for 5 points",
        "samples",
        "cost",
        "agents work",
    )
    assert second[0][2] == "cases for 2.5 points"
    assert [row[0] for row in first[1:]] == ["1", "2", "3", "5", "10"]
    assert first[1][4].startswith("$")


def test_what_follows_is_said_in_sentences(make_record: MakeRecord) -> None:
    lines = sizing_report.closing_lines(size_suite(make_record(PILOT)))
    text = "\n".join(lines)
    assert "no number of samples detects less than" in text
    assert "say what a case costs (--case-cost)" in text
    assert "linenotes plan A B" in text
    assert " by another correlation: " in text


def test_the_best_number_of_samples_for_the_money_is_a_whole_one(make_record: MakeRecord) -> None:
    wish = Wish((0.05,), case_cost=4, sample_cost=0.01)
    lines = sizing_report.closing_lines(size_suite(make_record(PILOT), wish=wish))
    (best,) = (line for line in lines if line.startswith("The best K for the money is "))
    assert best.removeprefix("The best K for the money is ").split()[0].isdigit()


def test_exactly_these_cases_have_power_in_place_of_cases(make_record: MakeRecord) -> None:
    found = size_suite(make_record(PILOT), wish=Wish((0.15, 0.02), target="dataset"))
    head = "\n".join(sizing_report.head(found))
    assert "assumed" not in head
    assert "what lies between cases does not count" in head
    assert "speaks of  exactly these cases; two-sided tests at 5%, 80% power" in head
    assert max(map(len, head.splitlines())) <= 100
    (header, *rows), _ = sizing_report.tables(found)
    assert header[:4] == ("K", "detects with n=40", "power for 15 points", "samples")
    assert all(row[2].endswith("%") for row in rows)
    large, small = sizing_report.closing_lines(found)
    assert large.startswith("Exactly these 40 cases show 15 points with ")
    assert small.startswith("Add cases: 2 points takes 197 cases like these 40, with 20 samples")


def test_more_samples_that_cannot_help_are_said(make_record: MakeRecord) -> None:
    steady = {f"c{i}": [i % 2 == 0] * 3 for i in range(30)}
    lines = sizing_report.closing_lines(size_suite(make_record(steady)))
    assert "More samples cannot help: add cases." in lines


def test_a_pilot_that_hides_what_lies_between_cases_is_called_optimistic(
    make_record: MakeRecord,
) -> None:
    noisy = {f"c{i}": [True, False] for i in range(30)}
    lines = sizing_report.closing_lines(size_suite(make_record(noisy)))
    assert any(line.endswith("the plan is optimistic.") for line in lines)


def test_numbers_are_in_their_own_unit_and_times_are_readable(make_record: MakeRecord) -> None:
    found = size_suite(make_record({f"c{i}": [float(i), i + 2.0] for i in range(9)}))
    assert sizing_report.tables(found)[0][0][2] == "cases for 0.05"
    assert [sizing_report.duration(s) for s in (42.4, 600, 9000)] == ["42 s", "10 min", "2.5 h"]
