"""What a gate leaves beside the journal of its candidate: `gate.json`.

It is empty while the gate is carried out and holds the decision afterwards. So a gate that was
killed is known, and goes on with the samples that are there; one that has decided is never gone on
with, since more samples after a decision would be a second look that nobody paid for.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from linenotes.evals.documents._part import Document
from linenotes.evals.journal._journal import is_being_written
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import FILE_NAME
from linenotes.evals.journal._runs import RunStore
from linenotes.project import RunError

GATE_FILE = "gate.json"
_BEGUN = b"{}\n"


def gate_begins(runs: RunStore, run_id: str) -> None:
    """Note that a gate is carried out on a run."""
    _write(runs.path(run_id) / GATE_FILE, _BEGUN)


def gate_ends(runs: RunStore, run_id: str, decision: Document) -> None:
    """Note what the gate has said."""
    _write(runs.path(run_id) / GATE_FILE, orjson.dumps(decision, option=orjson.OPT_INDENT_2))


def stopped_gate(runs: RunStore, wanted: list[RunPlan], *, samples: int) -> RunPlan | None:
    """Return the candidate's plan of the newest gate like `wanted`, if it did not come to its end.

    Args:
        runs: where to look.
        wanted: what would be run: the candidate last, after a base that runs with it.
        samples: the most samples of a case; a gate that has more is another one.
    """
    plans, own = runs.plans(), _identity(wanted[-1])
    for plan in reversed(plans):
        path = runs.path(plan.run_id)
        if _identity(plan) != own or not (path / GATE_FILE).exists():
            continue
        group = [one for one in plans if one.group == plan.group]
        if [_identity(one) for one in group] == [_identity(one) for one in wanted]:
            return plan if _goes_on(runs, path, plan, samples) else None
    return None


def _identity(plan: RunPlan) -> object:
    """Return what must be equal for samples to be of one gate."""
    return (
        *(plan.fingerprint, plan.baseline, plan.seed, plan.dataset.digest),
        *(plan.recordings, plan.scorers, plan.judges),
    )


def _goes_on(runs: RunStore, path: Path, plan: RunPlan, samples: int) -> bool:
    # An ended gate is never gone on with, nor is one of which nobody can tell.
    if (path / GATE_FILE).read_bytes() != _BEGUN or is_being_written(path / FILE_NAME):
        return False
    record = runs.read(plan.run_id)
    return bool(record.outcomes) and record.plan.samples <= samples


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_bytes(content)
        fresh.replace(path)
    except OSError as error:
        raise RunError(
            f"Cannot write {path}: {error.strerror or error}. Make room or rights there."
        ) from error
