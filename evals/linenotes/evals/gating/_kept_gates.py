"""What a gate leaves beside the journal of its candidate: `gate.json`.

It is empty while the gate is carried out and holds the decision afterwards. So a gate that was
killed is known, and goes on with the samples that are there; one that has decided is never gone on
with, since more samples after a decision would be a second look that nobody paid for. A pass that
was to become a baseline and is none yet says so: what it lacks is taken without looking, and can be
gone on with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from linenotes.evals.documents._part import Document
from linenotes.evals.journal._journal import is_being_written
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import FILE_NAME, RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.project import RunError

GATE_FILE = "gate.json"
_BEGUN = b"{}\n"
_TO_BE_SAVED = "to_be_saved"


def gate_begins(runs: RunStore, run_id: str) -> None:
    """Note that a gate is carried out on a run."""
    _write(runs.path(run_id) / GATE_FILE, _BEGUN)


def gate_ends(
    runs: RunStore, run_id: str, decision: Document, *, to_be_saved: bool = False
) -> None:
    """Note what the gate has said, and whether it is still to become a baseline."""
    noted = {**decision, _TO_BE_SAVED: True} if to_be_saved else decision
    _write(runs.path(run_id) / GATE_FILE, orjson.dumps(noted, option=orjson.OPT_INDENT_2))


@dataclass(frozen=True)
class KeptGate:
    """A gate that was carried out before, or begun."""

    runs: RunStore
    plans: tuple[RunPlan, ...]
    """As its runs were started: the candidate's last, after a base that ran with it."""
    said: Document
    """Its decision; empty while there is none."""

    @property
    def plan(self) -> RunPlan:
        """The candidate's plan."""
        return self.plans[-1]

    @property
    def run_id(self) -> str:
        """The candidate's run, as a person reads it."""
        return self.plan.run_id[:12]

    def was_stopped(self, samples: int) -> bool:
        """Whether it can go on: it has some samples, no decision, and nobody carries it out.

        A gate that has more than `samples` of a case is another one.
        """
        if self.said or is_being_written(self.runs.path(self.plan.run_id) / FILE_NAME):
            return False
        record = self.runs.read(self.plan.run_id)
        return bool(record.outcomes) and record.plan.samples <= samples

    @property
    def is_to_be_saved(self) -> bool:
        """Whether it has passed to become a baseline, is none yet, and nobody carries it out."""
        if (self.said.get("verdict"), self.said.get(_TO_BE_SAVED)) != ("pass", True):
            return False
        return not is_being_written(self.runs.path(self.plan.run_id) / FILE_NAME)

    def as_decided(self) -> tuple[RunRecord, ...]:
        """Return the runs with the samples that there were when it was decided."""
        samples = int(str(self.said["samples"]))
        return tuple(_first(self.runs.read(plan.run_id), samples) for plan in self.plans)


def kept_gate(runs: RunStore, wanted: Sequence[RunPlan]) -> KeptGate | None:
    """Return the newest gate like `wanted`; None where there is none, or nobody can tell.

    Args:
        runs: where to look.
        wanted: what would be run: the candidate last, after a base that runs with it.
    """
    plans, own = runs.plans(), [_identity(one) for one in wanted]
    for plan in reversed(plans):
        path = runs.path(plan.run_id) / GATE_FILE
        if _identity(plan) != own[-1] or not path.exists():
            continue
        group = tuple(one for one in plans if one.group == plan.group)
        if [_identity(one) for one in group] == own:
            said = _read(path)
            return None if said is None else KeptGate(runs, group, said)
    return None


def stopped_by_a_gate(runs: RunStore, record: RunRecord) -> str | None:
    """Say that a gate has ended a run by what it saw; None where the run is not of that kind."""
    said = _read(runs.path(record.plan.run_id) / GATE_FILE) or {}
    if not said.get("stopped_early") or record.plan.samples >= int(str(said["planned"])):
        return None
    return (
        f"A gate has stopped this run at K={said['samples']} of {said['planned']}, by what it saw "
        f"({str(said['verdict']).upper()}): its scores are a little too good or too bad, and what "
        "that gate said is what holds."
    )


def _identity(plan: RunPlan) -> object:
    """Return what must be equal for samples to be of one gate."""
    return (
        *(plan.fingerprint, plan.baseline, plan.seed, plan.dataset.digest),
        *(plan.recordings, plan.scorers, plan.judges),
    )


def _first(record: RunRecord, samples: int) -> RunRecord:
    return replace(
        record,
        plan=record.plan.model_copy(update={"samples": samples}),
        outcomes={key: one for key, one in record.outcomes.items() if key[1] < samples},
        scores={key: one for key, one in record.scores.items() if key[1] < samples},
    )


def _read(path: Path) -> Document | None:
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_bytes(content)
        fresh.replace(path)
    except OSError as error:
        raise RunError(
            f"Cannot write {path}: {error.strerror or error}. Make room or rights there."
        ) from error
