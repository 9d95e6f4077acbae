"""Saved baselines: what a run measured, in a small file that is made to be committed.

`baselines/DATASET/AGENT/NAME.jsonl.gz` holds the plan of one run and one line a sample: its outcome
and its scores, and nothing that agents or judges said. Equal runs give equal bytes. Reading it
gives the record of a run, with which any other run is compared. Golden tests judge by metrics of
their own, so they keep theirs beside it, in `NAME.pytest.jsonl.gz`.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._samples import Outcome, SampleKey, Score
from linenotes.project import Project, Redactor, RunError, canonical_json

OF_TESTS = ".pytest"
"""How the names end under which golden tests keep their baselines."""
_FOLDER = "baselines"
_SUFFIX = ".jsonl.gz"
_NAME = re.compile(r"\w[\w.+-]*")
_UNFIT = re.compile(r"[^\w.@+-]+")
_MOST_BYTES = 1 << 28
"""Far more than any run has, so that a small file which unpacks to gigabytes is refused."""


class _Head(BaseModel):
    """The first line of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    linenotes: Literal["baseline"] = "baseline"
    schema_version: Literal[1] = 1
    plan: RunPlan
    seconds: float


class _Line(BaseModel):
    """A finished sample."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    sample: int = Field(ge=0)
    outcome: Outcome
    scores: tuple[Score, ...]


_LINES = TypeAdapter(tuple[_Line, ...])


def save_baseline(project: Project, record: RunRecord, name: str) -> Path:
    """Save what a run measured under a name, in place of an earlier one; return the file.

    Raises:
        RunError: the name does not fit a file, the run has no scores, or it cannot be written.
    """
    _check_name(name)
    if not any(record.scores.values()):
        raise RunError(
            f"Run {record.plan.run_id[:12]} has no scores, so it is no baseline. "
            "Score it: `linenotes score`."
        )
    path = _folder(project, agent=record.plan.agent, dataset=record.plan.dataset.name)
    path = path / f"{name}{_SUFFIX}"
    with project.redactor.in_force():
        content = b"\n".join([*_content(record), b""])
    _write(path, gzip.compress(content, 9, mtime=0))
    return path


def check_baseline_place(project: Project, name: str, *, agent: str, dataset: str) -> None:
    """Refuse what can never be saved, before anything is paid for that is to be saved.

    Raises:
        RunError: the name does not fit a file or is for golden tests, or its folder does not let
            itself be written.
    """
    _check_name(name)
    if name.endswith(OF_TESTS):
        raise RunError(
            f"A baseline cannot be called {name!r} here: under such names golden tests keep theirs "
            f"(pytest --update-baseline). Call it {name.removesuffix(OF_TESTS)!r}."
        )
    path = _folder(project, agent=agent, dataset=dataset)
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise RunError(
            f"No baseline can be saved in {path}: {there} is no folder that can be written. "
            "Give rights there, or go without saving. Nothing was run."
        )


def find_baseline(project: Project, name: str, *, agent: str, dataset: str) -> RunRecord | None:
    """Return the saved baseline of an agent on a dataset; None where there is none of that name.

    Raises:
        RunError: its file cannot be read.
    """
    path = _folder(project, agent=agent, dataset=dataset) / f"{name}{_SUFFIX}"
    if not _NAME.fullmatch(name) or not path.exists():
        return None
    cure = f"Restore it, or save it anew: {saving(name, agent)}."
    try:
        head, *lines = _unpacked(path).splitlines()
        plan = _Head.model_validate_json(head)
        samples = _LINES.validate_json(b"[" + b",".join(lines) + b"]")
    except (EOFError, OSError, ValueError, ValidationError, zlib.error) as error:
        raise RunError(
            f"{path} is not a baseline that this version reads ({type(error).__name__}). {cure}"
        ) from error
    wrong = _wrong(plan.plan, samples, agent)
    if wrong is not None:
        raise RunError(f"{path} {wrong}. {cure}")
    return _record(plan, samples)


def saving(name: str, agent: str) -> str:
    """Return the command that saves a baseline of this name."""
    if name.endswith(OF_TESTS):
        return f"pytest --update-baseline --baseline {name.removesuffix(OF_TESTS)}"
    return f"linenotes gate {agent} --save-baseline {name}"


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise RunError(
            f"A baseline cannot be called {name!r}. Use letters, digits and . _ + - only."
        )


def _unpacked(path: Path) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(path.read_bytes())) as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(path)
    return content


def _wrong(plan: RunPlan, samples: Sequence[_Line], agent: str) -> str | None:
    """Return what no run can have measured: somebody has edited the file, or put it here."""
    if plan.agent != agent:
        return f"is a baseline of the agent {plan.agent!r}, not of {agent!r}"
    keys = {(line.case, line.sample) for line in samples}
    if len(keys) < len(samples):
        return "holds a sample twice"
    unknown = sorted({case for case, _ in keys} - {case.id for case in plan.cases})
    if unknown:
        return f"holds samples of {unknown[0]!r}, which is none of its cases"
    values = [score.value for line in samples for score in line.scores]
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        return "holds a score that is no finite number"
    return None if values else "holds no scores"


def saved_baselines(project: Project, *, agent: str, dataset: str) -> list[str]:
    """Return the names of the baselines of an agent on a dataset, sorted."""
    found = _folder(project, agent=agent, dataset=dataset).glob(f"*{_SUFFIX}")
    return sorted(path.name.removesuffix(_SUFFIX) for path in found if path.name[0] != ".")


def _record(head: _Head, samples: Sequence[_Line]) -> RunRecord:
    keys: list[SampleKey] = [(line.case, line.sample) for line in samples]
    return RunRecord(
        head.plan,
        outcomes={key: line.outcome for key, line in zip(keys, samples, strict=True)},
        scores={key: line.scores for key, line in zip(keys, samples, strict=True)},
        wall_seconds=head.seconds,
    )


def _folder(project: Project, *, agent: str, dataset: str) -> Path:
    return project.root / _FOLDER / _as_name(dataset) / _as_name(agent)


def _as_name(name: str) -> str:
    return _UNFIT.sub("_", name).lstrip(".") or "_"


def _content(record: RunRecord) -> Iterator[bytes]:
    """Yield the lines: the plan without what holds only on this machine and in its store."""
    redactor = Redactor.current()
    plan = record.plan.unnumbered().redacted(redactor)
    here = plan.dataset.model_copy(update={"source": None})
    plan = plan.model_copy(update={"dataset": here, "model_id": None})
    head = _Head(plan=plan, seconds=round(record.wall_seconds, 3))
    yield canonical_json(head.model_dump(mode="json"))
    for key, outcome in sorted(record.outcomes.items()):
        # What a judge gave as its reason may quote what agents said.
        scores = [replace(score, rationale=None) for score in record.scores.get(key, ())]
        case, sample = key
        line = {"case": case, "sample": sample, "outcome": outcome, "scores": scores}
        yield canonical_json(redactor.value(line))


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(content)
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise RunError(
            f"Cannot write {path}: {error.strerror or error}. Make room or rights there, and "
            "save the baseline again."
        ) from error
