"""What the driver and a worker say to each other: JSON lines.

First the driver gives an `Order`, from which the worker makes the versions and the cases again;
then it names samples, and the worker answers each with the sample as a journal has it, or with
what was raised. No objects travel, and of secrets none: a worker has them from its environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict

from linenotes import project as errors
from linenotes.evals.engine._conduct import Conduct
from linenotes.evals.engine._engine import Job
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._sample_file import read_sample, sample_line
from linenotes.evals.journal._samples import Sample
from linenotes.project import DatasetError, LinenotesError, RunError, Settings

READY = b'{"ready":true}'
_RAISED = b'{"raised":'


class Order(BaseModel):
    """What a worker is told first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    root: Path | None
    """The project's folder. None: the folder that the worker is started in."""
    settings: Settings
    conduct: Conduct
    plans: tuple[RunPlan, ...]
    durable: bool
    """Whether what is said also stands in the project's folder as it happens."""

    def line(self) -> bytes:
        """Return the order as one line."""
        return self.model_dump_json().encode()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Names a sample that a worker is to execute."""

    run_id: str
    case: str
    index: int


def job_line(job: Job) -> bytes:
    """Return the line that names the sample of `job`."""
    return orjson.dumps(Wanted(job.run_id, job.case.id, job.index))


def read_job_line(line: bytes) -> Wanted:
    """Return which sample a line names."""
    return Wanted(**orjson.loads(line))


def finished_line(sample: Sample) -> bytes:
    """Return the answer that a sample has finished."""
    return sample_line(sample)


def raised_line(error: LinenotesError) -> bytes:
    """Return the answer that a mistake of the user's was raised."""
    problems = error.problems if isinstance(error, DatasetError) else ()
    told = {"type": type(error).__name__, "message": str(error), "problems": problems}
    return orjson.dumps({"raised": told})


def defect_line(traceback: str) -> bytes:
    """Return the answer that a mistake of ours was raised."""
    return orjson.dumps({"raised": {"type": None, "message": traceback}})


def read_answer(answer: bytes, job: Job) -> Sample:
    """Return the sample that a worker answered with.

    Raises:
        LinenotesError: what the worker met, of the same class and with the same message.
        RuntimeError: a mistake of ours, with the worker's traceback.
    """
    refuse_raised(answer)
    return read_sample(answer, job.shown_case)


def refuse_raised(answer: bytes) -> None:
    """Raise what the worker met, if it met anything.

    Raises:
        LinenotesError: as in the worker.
        RuntimeError: a mistake of ours, with the worker's traceback.
    """
    if answer.startswith(_RAISED):
        raised = orjson.loads(answer)["raised"]
        if raised["type"] is None:
            raise RuntimeError(f"A worker failed.\n{raised['message']}")
        raise _error(raised["type"], raised["message"], tuple(raised["problems"]))


def _error(name: str, message: str, problems: tuple[str, ...]) -> LinenotesError:
    kind = getattr(errors, name, RunError)
    if kind is DatasetError:
        return DatasetError(message, problems=problems)
    return kind(message) if issubclass(kind, LinenotesError) else RunError(message)
