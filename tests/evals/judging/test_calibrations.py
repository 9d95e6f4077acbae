from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from linenotes.evals import (
    Calibration,
    JudgedMetric,
    RunPlan,
    RunRecord,
    calibrate,
    calibration_of,
    judged_metrics,
    save_calibration,
)
from linenotes.evals.judging._calibrations import uncalibrated
from linenotes.project import Project, RunError

JUDGED = {f"c{i}": [i % 4 > 0] for i in range(9)}


@pytest.fixture
def calibrated(
    make_project: Callable[..., Project], make_record: Callable[..., RunRecord]
) -> tuple[Project, RunPlan, Calibration, Path]:
    rows = "".join(f"c{i},0,{int(i % 3 > 0)}\n" for i in range(9))
    project = make_project({"labels.csv": "case,sample,label\n" + rows})
    record = make_record(JUDGED, judges={"correct": "gpt-x 123"})
    found = calibrate(project.root / "labels.csv", record)
    return project, record.plan, found, save_calibration(project, found)


def test_a_calibration_is_found_by_who_judges(
    calibrated: tuple[Project, RunPlan, Calibration, Path],
) -> None:
    project, plan, found, path = calibrated
    assert path.parent == project.root / "judges"
    assert orjson.loads(path.read_bytes())["judge"] == "gpt-x 123"
    assert calibration_of(project, plan, "correct") == found
    other = plan.model_copy(update={"judges": {"correct": "gpt-x 124"}})
    assert calibration_of(project, other, "correct") is None


def test_a_later_calibration_replaces_the_earlier_one(
    calibrated: tuple[Project, RunPlan, Calibration, Path],
) -> None:
    project, plan, found, path = calibrated
    changed = found.model_copy(update={"labels": 7})
    assert save_calibration(project, changed) == path
    assert calibration_of(project, plan, "correct") == changed


def test_only_what_a_model_judges_needs_a_calibration(
    calibrated: tuple[Project, RunPlan, Calibration, Path],
) -> None:
    project, plan, found, _ = calibrated
    (known,) = judged_metrics(project, [plan, plan])
    assert known == JudgedMetric("correct", "gpt-x 123", found)
    assert uncalibrated([known], ["correct"]) == ()
    assert judged_metrics(project, [plan.model_copy(update={"judges": {}})]) == ()


def test_a_metric_is_uncalibrated_by_any_of_its_judges(
    calibrated: tuple[Project, RunPlan, Calibration, Path],
) -> None:
    project, plan, _, _ = calibrated
    other = plan.model_copy(update={"judges": {"correct": "gpt-x 124", "polite": "gpt-x 9"}})
    judged = judged_metrics(project, [plan, other])
    assert [one.judge for one in judged] == ["gpt-x 123", "gpt-x 124", "gpt-x 9"]
    assert uncalibrated(judged, ["correct", "fast"]) == ("correct",)


def test_a_file_that_is_no_calibration_is_said(
    calibrated: tuple[Project, RunPlan, Calibration, Path],
) -> None:
    project, plan, _, path = calibrated
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(RunError, match=r"is no calibration .*linenotes judge calibrate"):
        calibration_of(project, plan, "correct")
