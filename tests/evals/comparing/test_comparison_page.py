from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from linenotes.evals import ComparisonReport, RunRecord, comparison_document, comparison_page

MakeRun = Callable[..., RunRecord]
CASES = [f"c{i:02}" for i in range(40)]
LOW = {case: [False, i % 2 == 0] for i, case in enumerate(CASES)}
HIGH = {case: [True, i % 8 > 0] for i, case in enumerate(CASES)}
TAGS = {case: {"team": "ab"[i % 2]} for i, case in enumerate(CASES)}
OTHER = {"run_id": "b" * 32, "version": "v2", "fingerprint": "e" * 64}
VOID = {"meta", "line", "circle"}


class Outline(HTMLParser):
    """Reads a page: its tags, its attributes and its text; open tags must be closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def report(make_run: MakeRun) -> ComparisonReport:
    base = make_run({"correct": LOW, "tone": HIGH}, tags=TAGS, amounts={"cost": 0.001})
    other = make_run({"correct": HIGH, "tone": HIGH}, tags=TAGS, amounts={"cost": 0.002}, **OTHER)
    return ComparisonReport.of(base, [other])


def test_the_verdict_is_the_first_thing_that_is_said(report: ComparisonReport) -> None:
    page = comparison_page(report)
    assert re.search(r'<h1><span class="word">PASS</span>', page)
    assert "<title>PASS: v2 against v1</title>" in page
    text = Outline(page).text
    assert text.index("PASS v2 against v1") < text.index("+69 points") < text.index("What changed")


def test_the_page_needs_and_runs_nothing_else(report: ComparisonReport) -> None:
    outline = Outline(comparison_page(report))
    assert not {"script", "link", "img", "iframe", "a"} & set(outline.tags)
    assert not [name for name, _ in outline.attributes if name in ("src", "href", "style")]
    assert not [value for _, value in outline.attributes if value and "http" in value]
    policy = next(v for _, v in outline.attributes if v and v.startswith("default-src 'none'"))
    assert "script-src" not in policy


def test_the_figures_are_those_of_the_document(report: ComparisonReport) -> None:
    document = comparison_document(report)
    text = Outline(comparison_page(report)).text
    low, high, delta = (100 * float(str(document[key])) for key in ("low", "high", "delta"))
    assert f"{delta:+.0f} points correct 25% → 94% 95% {low:+.0f} to {high:+.0f}, n=40" in text
    assert f"{document['worsened']} got worse, {document['improved']} improved" in text


def test_every_plot_is_told_in_words(report: ComparisonReport) -> None:
    page = comparison_page(report)
    pictures = re.findall(r"<svg[^>]*>", page)
    assert pictures
    assert all('role="img"' in picture for picture in pictures)
    assert len(re.findall(r"<svg[^>]*><title>[^<]+</title>", page)) == len(pictures)
    assert "correct: change +69 points, 95% interval +" in page
    assert "v2: 94% for $0.002 a sample" in page


def test_the_same_report_is_the_same_page(report: ComparisonReport) -> None:
    assert comparison_page(report) == comparison_page(report)


def test_slices_and_cases_are_on_the_page(report: ComparisonReport) -> None:
    text = Outline(comparison_page(report)).text
    assert "team=a" in text
    assert "look here" in text
    assert "Improved: 35" in text
    assert "23 more" in text
    assert str(report.candidates[0].flips[0].low.trace_id)[:11] in text


def test_a_guardrail_that_decides_stands_at_the_top(make_run: MakeRun) -> None:
    base = make_run({"correct": LOW, "tone": HIGH})
    other = make_run({"correct": HIGH, "tone": LOW}, **OTHER)
    report = ComparisonReport.of(base, [other], guardrails={"tone": 0.02})
    text = Outline(comparison_page(report)).text
    assert "FAIL v2 against v1 -69 points guardrail tone 94% → 25%" in text
    assert "correct alone: pass." in text


def test_several_candidates_share_one_page(make_run: MakeRun) -> None:
    base = make_run({"correct": LOW})
    third = {**OTHER, "run_id": "c" * 32, "version": "v3"}
    others = [make_run({"correct": HIGH}, **OTHER), make_run({"correct": LOW}, **third)]
    text = Outline(comparison_page(ComparisonReport.of(base, others))).text
    assert "PASS v2 against v1" in text
    assert "INCONCLUSIVE v3 against v1" in text
    assert "v3: What changed" in text


def test_equal_runs_and_runs_without_scores_have_a_page(make_run: MakeRun) -> None:
    base = make_run({"correct": LOW})
    assert "both are one run" in Outline(comparison_page(ComparisonReport.of(base, [base]))).text
    nothing: dict[str, list[None]] = {case: [None, None] for case in CASES}
    unscored = make_run({"correct": nothing}, **OTHER)
    text = Outline(comparison_page(ComparisonReport.of(base, [unscored]))).text
    assert "CANNOT MEASURE v2 against v1 The runs have no scored case in common." in text


def test_what_others_wrote_stays_text(hostile: tuple[RunRecord, RunRecord]) -> None:
    page = comparison_page(ComparisonReport.of(hostile[0], [hostile[1]]))
    outline = Outline(page)
    assert not {"script", "i", "u", "s"} & set(outline.tags)
    assert outline.text.count("<script>alert(1)</script>") > 40
    assert not any(c in page for c in "\x1b\u202e")
    assert not [value for _, value in outline.attributes if value and value.startswith("http")]


def test_a_long_label_is_whole_at_the_top_and_cut_over_the_columns(make_run: MakeRun) -> None:
    label = "triage=v2 specialist=v2 m-large@http"
    base = make_run({"correct": LOW})
    other = make_run({"correct": HIGH}, **{**OTHER, "version": label})
    page = comparison_page(ComparisonReport.of(base, [other]))
    assert f"{label} <span" in page
    assert '<th scope="col" class="n">triage=v2 specialist=v2…</th>' in page


def test_numbers_have_a_scale_of_their_own(make_run: MakeRun) -> None:
    numbers = {case: [10.0 + i] for i, case in enumerate(CASES)}
    more = {case: [12.0 + 1.1 * i] for i, case in enumerate(CASES)}
    report = ComparisonReport.of(
        make_run({"length": numbers}), [make_run({"length": more}, **OTHER)], margin=1
    )
    text = Outline(comparison_page(report)).text
    assert "As a plot, from 10 to 54.9" in text
