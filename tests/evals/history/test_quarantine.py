from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from linenotes.evals import (
    Quarantine,
    QuarantinedCase,
    RunRecord,
    compare_runs,
    quarantine,
    quarantined,
)
from linenotes.evals.journal._tables import score_table
from linenotes.project import Project, ProjectError

TODAY = date(2026, 11, 23)
WRITTEN = """\
# Ours.
- case: c1
  dataset: numbers
  owner: Åsa
  expires: 2026-12-01   # after the move
  reason: the tool answers late
- {case: 007, dataset: other, owner: ben, expires: 2026-11-22, reason: "no"}
"""

MakeProject = Callable[..., Project]


def _entry(case: str = "c2", expires: date = date(2026, 12, 24)) -> QuarantinedCase:
    return QuarantinedCase(
        case=case, dataset="numbers", owner="Åsa", expires=expires, reason="flips: 4 of 9"
    )


def test_a_project_without_the_file_has_nothing_in_quarantine(make_project: MakeProject) -> None:
    assert quarantined(make_project(), "numbers", TODAY).entries == ()


def test_only_cases_of_the_dataset_count(make_project: MakeProject) -> None:
    project = make_project({"quarantine.yaml": WRITTEN})
    assert quarantined(project, "numbers", TODAY).cases == {"c1"}
    assert [one.case for one in quarantined(project, None, TODAY).entries] == ["c1", "007"]


def test_an_entry_holds_on_its_last_day_and_then_no_more(make_project: MakeProject) -> None:
    project = make_project({"quarantine.yaml": WRITTEN})
    last = quarantined(project, "numbers", date(2026, 12, 1))
    after = quarantined(project, "numbers", date(2026, 12, 2))
    assert last.cases == {"c1"}
    assert not last.expired
    assert after.cases == frozenset()
    assert "case 'c1' (numbers) expired on 2026-12-01: Åsa has to mend it" in after.problems[0]


def test_adding_a_case_keeps_what_people_wrote(make_project: MakeProject) -> None:
    project = make_project({"quarantine.yaml": WRITTEN})
    found = quarantine(project, _entry(), TODAY)
    text = (project.root / "quarantine.yaml").read_text(encoding="utf-8")
    assert text.startswith(WRITTEN)
    assert found == quarantined(project, None, TODAY)
    assert found.cases == {"c1", "c2"}


def test_the_first_case_makes_a_file_that_explains_itself(make_project: MakeProject) -> None:
    project = make_project()
    quarantine(project, _entry("007"), TODAY)
    assert (project.root / "quarantine.yaml").read_text(encoding="utf-8").startswith("# Cases")
    assert quarantined(project, "numbers", TODAY).entries == (_entry("007"),)


def test_a_case_is_added_once_and_not_for_the_past(make_project: MakeProject) -> None:
    project = make_project({"quarantine.yaml": WRITTEN})
    with pytest.raises(ProjectError, match=r"case 'c1' of 'numbers' stands already in line 2\."):
        quarantine(project, _entry("c1"), TODAY)
    with pytest.raises(ProjectError, match="'2026-11-22' is past"):
        quarantine(project, _entry(expires=date(2026, 11, 22)), TODAY)
    assert (project.root / "quarantine.yaml").read_text(encoding="utf-8") == WRITTEN


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- case: a\n  dataset: d\n", r"quarantine\.yaml:1: owner: Field required"),
        (WRITTEN + "- case: x\n  due: 1\n", r"quarantine\.yaml:8: dataset: Field required"),
        (WRITTEN.replace("2026-12-01", "soon"), r"quarantine\.yaml:2: expires: "),
        (WRITTEN + WRITTEN, r":9: case 'c1' of 'numbers' stands already in line 2"),
        ("case: a\n", r"quarantine\.yaml:1: must be a list of cases"),
        ("- case: [a\n", r"quarantine\.yaml:2: not valid YAML"),
        ("- a\n", r"quarantine\.yaml:1: entry: "),
    ],
)
def test_what_is_wrong_with_the_file_is_told_with_its_line(
    make_project: MakeProject, text: str, message: str
) -> None:
    project = make_project({"quarantine.yaml": text})
    with pytest.raises(ProjectError, match=message):
        quarantined(project, "numbers", TODAY)


def test_a_quarantined_case_is_left_out_of_what_decides(
    make_project: MakeProject, make_record: Callable[..., RunRecord]
) -> None:
    base = make_record({f"c{i}": [True, True] for i in range(9)})
    worse = make_record(
        {f"c{i}": [i != 1, i != 1] for i in range(9)}, version="v2", run_id="b" * 32
    )
    found: Quarantine = quarantined(
        make_project({"quarantine.yaml": WRITTEN}), base.plan.dataset.name, TODAY
    )
    kept = found.without(worse)
    assert compare_runs(base, worse).result.delta == pytest.approx(-1 / 9)
    compared = compare_runs(found.without(base), kept)
    assert (compared.result.delta, compared.result.n_cases) == (0, 8)
    assert kept.is_whole
    assert kept.plan.fingerprint == worse.plan.fingerprint
    assert ("c1", 0) in kept.samples
    scores = found.scores_without(score_table(worse, "correct"))
    assert sorted(set(scores["case"])) == [f"c{i}" for i in range(9) if i != 1]


def test_a_run_without_quarantined_cases_stays_as_it_is(
    make_project: MakeProject, make_record: Callable[..., RunRecord]
) -> None:
    record = make_record({"c5": [True]})
    found = quarantined(make_project({"quarantine.yaml": WRITTEN}), "numbers", TODAY)
    assert found.without(record) is record


def test_a_file_that_is_nested_without_end_is_told(make_project: MakeProject) -> None:
    project = make_project({"quarantine.yaml": "[" * 5000})
    with pytest.raises(ProjectError, match=r"quarantine\.yaml: nested too deep"):
        quarantined(project, "numbers", TODAY)


def test_where_it_cannot_be_written_the_file_stays_as_it_was(make_project: MakeProject) -> None:
    project = make_project({"quarantine.yaml": WRITTEN})
    (project.root / ".quarantine.yaml.new").mkdir()
    with pytest.raises(ProjectError, match="Add the case by hand"):
        quarantine(project, _entry(), TODAY)
    assert (project.root / "quarantine.yaml").read_text(encoding="utf-8") == WRITTEN
