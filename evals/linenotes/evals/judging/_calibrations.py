"""The calibrations that a project keeps: one small file a judge and metric, made to be committed.

`judges/METRIC-DIGEST.json`; the digest is of who judges. Another model or prompt is another judge
without a calibration, until people have labelled what it says.
"""

from __future__ import annotations

import re
from pathlib import Path

import orjson
from pydantic import ValidationError

from linenotes.evals.documents._judge_documents import CalibrationDocument
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.judging._calibrating import Calibration
from linenotes.project import Project, RunError, digest

_FOLDER = "judges"
_DIGITS = 12


def is_judged(plan: RunPlan, metric: str) -> bool:
    """Say whether a model judges the metric, so that its mean may be biased."""
    return metric in plan.judges


def calibration_of(project: Project, plan: RunPlan, metric: str) -> Calibration | None:
    """Return what people's labels have shown of who judges the metric; None where nobody looked.

    Raises:
        RunError: the file that holds it cannot be read.
    """
    path = _path(project, plan.judge_of(metric), metric)
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
