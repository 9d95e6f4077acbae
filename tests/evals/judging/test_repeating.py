from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from linenotes.evals import Repeated, RunRecord, repeat_judging, repeat_report
from linenotes.evals.documents._judge_documents import RepeatDocument
from linenotes.evals.journal._plans import ImportInPlan
from linenotes.evals.journal._samples import Failure
from linenotes.project import Project, RunError

SCORERS = """
import hashlib
from collections import Counter

from linenotes.evals.scorers import scorer

TURNS = Counter()


def chance(*of):
    return int(hashlib.sha256(repr(of).encode()).hexdigest()[:8], 16) / 16**8


@scorer(judge="gpt-x", prompt="How polite?")
def polite(sample):
    key = (sample.case.id, sample.index)
    TURNS[key] += 1
    return 4 * chance(key[0]) + 2 * chance(*key) + chance(*key, TURNS[key])


@scorer(judge="gpt-x", prompt="Which topic?")
def topic(sample):
    TURNS[sample.index, "topic"] += 1
    return "billing" if TURNS[sample.index, "topic"] % 2 else "returns"


def length(sample):
    return 3.0


@scorer(judge="gpt-x", prompt="How brief?")
def brief(sample):
    return chance(sample.case.id) > 0.5


@scorer(judge="gpt-x", reads=["length"])
def relative(sample):
    if sample.index == 0:
        raise ValueError("no answer")
    return sample.scores["length"] / 6
"""
NAMES = ("polite", "topic", "length", "relative")
Judged = Callable[..., RunRecord]


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    return make_project({"scorers.py": SCORERS})


@pytest.fixture
def judged(make_record: Callable[..., RunRecord]) -> Judged:
    def make(metric: str, *, cases: int = 40, samples: int = 4, **more: object) -> RunRecord:
        values = {f"c{i}": [1.0] * samples for i in range(cases)}
        given = {"metrics": (metric,), "scorers": (f"scorers.py:{metric}",)}
        return make_record(values, **{**given, "judges": {metric: "gpt-x 1"}, **more})

    return make


def only(found: Repeated) -> RepeatDocument:
    (metric,) = found.metrics
    return metric


def test_the_variance_is_split_between_cases_agent_and_judge(
    project: Project, judged: Judged
) -> None:
    found = only(repeat_judging(judged("polite", cases=120), project, times=4))
    assert (found.samples, found.times, found.failures, found.changed) == (480, 4, 0, 480)
    assert found.judge.startswith("gpt-x ")
    assert found.case is not None
    assert found.agent is not None
    assert found.judge_noise is not None
    # Of uniform values of width 4, 2 and 1: 16/12, 4/12 and 1/12.
    assert found.case.variance == pytest.approx(16 / 12, rel=0.25)
    assert found.agent.variance == pytest.approx(4 / 12, rel=0.15)
    assert found.judge_noise.variance == pytest.approx(1 / 12, rel=0.1)
    assert found.agent.share == pytest.approx(4 / 21, abs=0.05)


def test_names_have_no_shares_but_are_seen_to_change(project: Project, judged: Judged) -> None:
    found = only(repeat_judging(judged("topic", cases=1, samples=2), project))
    assert found.changed == 2
    assert (found.case, found.agent, found.judge_noise) == (None, None, None)


def test_a_judge_may_read_what_stands_and_its_failures_are_counted(
    project: Project, judged: Judged
) -> None:
    record = judged(
        "relative",
        cases=2,
        samples=2,
        metrics=("relative", "length"),
        scorers=("scorers.py:relative", "scorers.py:length"),
    )
    stand = {key: tuple(replace(s, name="length") for s in v) for key, v in record.scores.items()}
    found = only(repeat_judging(replace(record, scores=stand), project))
    assert found.failures == 6
    assert found.changed == 0


def test_a_judge_that_never_changed_its_word_may_yet_do_so(
    project: Project, judged: Judged
) -> None:
    found = repeat_judging(judged("brief", cases=30, samples=2), project)
    metric = only(found)
    assert (metric.changed, metric.cases) == (0, 30)
    assert metric.most_changed == pytest.approx(1 - 0.05 ** (1 / 30))
    assert metric.judge_noise is not None
    assert metric.judge_noise.share == 0
    assert (
        "brief: the judge never changed its word in 180 judgements of 30 cases, so it does on at "
        "most 10% of such cases (95%)."
    ) in repeat_report.closing_lines(found)
    assert only(repeat_judging(judged("polite"), project)).most_changed is None


def test_related_cases_are_one_piece_of_evidence_of_a_steady_judge(
    project: Project, judged: Judged
) -> None:
    record = judged("brief", cases=30, samples=2)
    cases = tuple(
        case.model_copy(update={"cluster": f"k{number % 6}" if number else None})
        for number, case in enumerate(record.plan.cases)
    )
    plan = record.plan.model_copy(update={"cases": cases})
    found = repeat_judging(replace(record, plan=plan), project)
    metric = only(found)
    assert (metric.cases, metric.clusters) == (30, 7)
    assert metric.most_changed == pytest.approx(1 - 0.05 ** (1 / 7))
    assert any(
        "of 30 cases in 7 clusters, so it does on at most 35% of such clusters" in line
        for line in repeat_report.closing_lines(found)
    )


def test_where_nothing_varied_there_are_no_shares(project: Project, judged: Judged) -> None:
    found = repeat_judging(judged("length", cases=4, samples=2), project, metrics=["length"])
    metric = only(found)
    assert (metric.case, metric.agent, metric.judge_noise) == (None, None, None)
    assert repeat_report.rows(found)[1][-3:] == ("–", "–", "–")
    assert any("at most 53% of such cases" in line for line in repeat_report.closing_lines(found))


def test_samples_that_failed_are_not_judged(project: Project, judged: Judged) -> None:
    lost = {("c0", 0): Failure("infrastructure", "ReadTimeout", "slow")}
    found = repeat_judging(judged("polite", cases=2, failed=lost), project)
    assert found.lost == 1
    assert only(found).samples == 7
    assert "The infrastructure lost 1 sample" in repeat_report.closing_lines(found)[-1]


def test_code_is_judged_again_only_when_it_is_named(project: Project, judged: Judged) -> None:
    record = judged("length", cases=3, judges={})
    with pytest.raises(RunError, match=r"No metric .* --metric NAME, or declare its judge"):
        repeat_judging(record, project)
    found = only(repeat_judging(record, project, metrics=["length"]))
    assert (found.changed, found.judge) == (0, "scorers.py:length")


def test_what_cannot_be_judged_again_is_said(project: Project, judged: Judged) -> None:
    with pytest.raises(RunError, match="has no metric 'tone'"):
        repeat_judging(judged("polite"), project, metrics=["tone"])
    results = ImportInPlan(file="r.csv", identity="i", samples=1, timed=False, results_only=True)
    with pytest.raises(RunError, match="holds the results of a file"):
        repeat_judging(judged("polite", imported=results), project)


def test_the_report_has_a_row_a_metric_and_names_the_noisier(
    project: Project, judged: Judged
) -> None:
    found = repeat_judging(judged("polite"), project)
    rows = repeat_report.rows(found)
    assert rows[0] == ("metric", "samples", "judged", "changed", "cases", "agent", "judge")
    assert rows[1][:4] == ("polite", "160", "3 times", "160")
    single = repeat_report.closing_lines(repeat_judging(judged("polite", samples=1), project))
    assert "polite: with one sample a case, the agent's noise is among the cases'." in single
