"""The calibrations that a project keeps: one small file a judge and metric, made to be committed.

`judges/METRIC-DIGEST.json`; the digest is of who judges. Another model or prompt is another judge
without a calibration, until people have labelled what it says.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson
from pydantic import ValidationError

from linenotes.evals.documents._judge_documents import CalibrationDocument
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.judging._calibrating import Calibration
from linenotes.project import Project, RunError, digest

_FOLDER = "judges"
_DIGITS = 12


@dataclass(frozen=True)
class JudgedMetric:
    """A metric that a model judges, so that its mean may be biased."""

    metric: str
    judge: str
    calibration: Calibration | None
    """What people's labels have shown of the judge; None where nobody looked."""


def judged_metrics(project: Project, plans: Iterable[RunPlan]) -> tuple[JudgedMetric, ...]:
    """Return what models judge in any of the runs, with each judge that they have.

    Raises:
        RunError: the file that holds a calibration cannot be read.
    """
    found = {
        (metric, judge): JudgedMetric(metric, judge, _kept(project, judge, metric))
        for plan in plans
        for metric, judge in plan.judges.items()
    }
    return tuple(found.values())


def uncalibrated(judged: Iterable[JudgedMetric], metrics: Collection[str]) -> tuple[str, ...]:
    """Return those of the metrics of which nobody has held a judge against people's labels."""
    unknown = {one.metric for one in judged if one.calibration is None}
    return tuple(metric for metric in metrics if metric in unknown)


def calibration_of(project: Project, plan: RunPlan, metric: str) -> Calibration | None:
    """Return what people's labels have shown of who judges the metric; None where nobody looked.

    Raises:
        RunError: the file that holds it cannot be read.
    """
    return _kept(project, plan.judge_of(metric), metric)


def _kept(project: Project, judge: str, metric: str) -> Calibration | None:
    path = _path(project, judge, metric)
    try:
        return CalibrationDocument.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise RunError(
            f"{path} is no calibration that this version reads. Make it again: linenotes judge "
            "calibrate."
        ) from error


def save_calibration(project: Project, found: Calibration) -> Path:
    """Keep a calibration in the project and return its file; an earlier one is replaced.

    Raises:
        RunError: it cannot be written.
    """
    path = _path(project, found.judge, found.metric)
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(
            orjson.dumps(found.dump(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        )
    except OSError as error:
        raise RunError(
            f"Cannot write {path}: {error.strerror or error}. Make room or rights there."
        ) from error
    return path


def _path(project: Project, judge: str, metric: str) -> Path:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", metric)
    return project.root / _FOLDER / f"{name}-{digest([judge, metric])[:_DIGITS]}.json"
