from __future__ import annotations

import re
from collections.abc import Callable

from linenotes.evals import ComparisonReport, RunRecord, comparison_markdown

MakeRun = Callable[..., RunRecord]
CASES = [f"c{i:02}" for i in range(40)]
LOW = {case: [False, i % 2 == 0] for i, case in enumerate(CASES)}
HIGH = {case: [True, True] for case in CASES}


def test_the_verdict_is_the_heading_and_the_metrics_are_a_table(make_run: MakeRun) -> None:
    base = make_run({"correct": LOW, "tone": HIGH})
    other = make_run({"correct": HIGH, "tone": HIGH}, run_id="b" * 32, version="v2")
    text = comparison_markdown(ComparisonReport.of(base, [other]))
    lines = text.splitlines()
    assert lines[0] == "### PASS: app v2"
    assert lines[4] == "| | v1 | v2 | change | 95% interval | |"
    assert lines[6].startswith(r"| correct | 25% | 100% | \+75 points | \+6")
    assert "40 cases improved, 0 got worse, 0 stayed as they were." in lines
    assert "This suite could detect a change of" in lines[-1]


def test_a_case_has_its_fractions_and_its_traces(make_run: MakeRun) -> None:
    report = ComparisonReport.of(
        make_run({"correct": LOW}), [make_run({"correct": HIGH}, run_id="b" * 32)]
    )
    flip = report.candidates[0].flips[0]
    row = f"| {flip.case} | improved | 0/2 | 2/2 | `{flip.low.trace_id}` | `{flip.high.trace_id}` |"
    text = comparison_markdown(report)
    assert row in text
    assert "| … 30 more | | | | | |" in text


def test_prompts_are_a_folded_diff(make_run: MakeRun) -> None:
    prompts = [
        {"triage": {"version": v, "text": text, "registry_version": 1}}
        for v, text in (("v1", "a\nb"), ("v2", "a\nc"))
    ]
    base = make_run({"correct": LOW}, prompts=prompts[0])
    other = make_run({"correct": LOW}, prompts=prompts[1], run_id="b" * 32)
    text = comparison_markdown(ComparisonReport.of(base, [other]))
    assert "<summary>prompt triage: v1 → v2</summary>\n\n```diff\n  a\n- b\n+ c\n```" in text


def test_what_others_wrote_stays_text(hostile: tuple[RunRecord, RunRecord]) -> None:
    text = comparison_markdown(ComparisonReport.of(hostile[0], [hostile[1]]))
    outside = re.sub(r"^(`{3,})diff$.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "`````diff" in text
    assert not re.search(r"(?<!\\)<(?!/?(details|summary)>)", outside)
    assert not re.search(r"(?<!\\)\]\(", outside)
    assert not any(c in text for c in "\x1b\u202e")
    tables = [line for line in outside.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in tables} == {7}
