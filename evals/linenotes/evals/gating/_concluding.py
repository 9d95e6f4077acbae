"""What follows from a gate that has decided: a baseline, an alias, and a record in the store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from linenotes.evals.documents._gate_document import gate_document
from linenotes.evals.documents._part import Document
from linenotes.evals.gating._baselines import find_baseline, save_baseline
from linenotes.evals.gating._decisions_in_store import log_decision, promote
from linenotes.evals.gating._gate_report import headline, lines
from linenotes.evals.gating._gate_result import GateResult
from linenotes.evals.gating._kept_gates import gate_ends, stopped_by_a_gate
from linenotes.evals.gating._run_order import RunOrder
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.project import LinenotesError, Project, RunError, StoreError


@dataclass(frozen=True)
class Conclusion:
    """A gate's result with what followed from it."""

    result: GateResult
    saved: Path | None = None
    promoted: tuple[str, ...] = ()
    alias: str | None = None
    notes: tuple[str, ...] = ()
    """What was asked for and did not have to follow."""
    problem: LinenotesError | None = None
    """Why the baseline was not saved or the alias not moved, although it should have been."""

    def document(self) -> Document:
        """Return it as the JSON contract has it."""
        return gate_document(
            self.result,
            reason=headline(self.result),
            saved=str(self.saved) if self.saved else None,
            promoted=self.promoted,
            notes=self.notes,
        )

    def lines(self) -> list[str]:
        """Return it as text."""
        told = lines(self.result)
        if self.saved is not None:
            told.append(f"Saved as a baseline, to be committed: {self.saved}")
        if self.promoted:
            told.append(f"{self.alias} now means {', '.join(self.promoted)}.")
        return [*told, *self.notes]


def conclude(
    project: Project,
    result: GateResult,
    *,
    save_as: str | None = None,
    promote_to: str | None = None,
) -> Conclusion:
    """Do what is to follow from a gate; where it did not pass, no alias is moved.

    What passes is saved, and so is the base where the candidate is what it is. The decision is
    written to the store if that takes it; the journal's folder has it anyway.
    """
    found = Conclusion(result, alias=promote_to)
    if result.decision.verdict == "unchanged":
        return _unchanged(project, found, save_as, promote_to)
    if result.candidate is None:
        return found
    if result.decision.verdict == "pass":
        found = _followed(project, found, save_as, promote_to)
    try:
        log_decision(project, result, found.document())
    except StoreError as error:
        noted = replace(result, notes=(*result.notes, f"The store lacks the decision: {error}"))
        return replace(found, result=noted)
    return found


def _followed(
    project: Project, found: Conclusion, save_as: str | None, promote_to: str | None
) -> Conclusion:
    try:
        if save_as is not None:
            found = _saved(project, found, save_as)
        if promote_to is not None:
            found = replace(found, promoted=tuple(promote(project, found.result, promote_to)))
    except LinenotesError as error:
        return replace(found, problem=error)
    return found


def _saved(project: Project, found: Conclusion, name: str) -> Conclusion:
    """Save the candidate with all of its samples.

    Raises:
        LinenotesError: it does not have them, or cannot be saved.
    """
    result = found.result
    record = result.filled or result.candidate
    assert record is not None
    if result.unfilled is not None:
        raise result.unfilled
    if result.stopped_early and result.filled is None:
        raise RunError(
            f"The gate stopped early, which flatters a baseline, so {name!r} is not saved. Carry "
            "it out with `GateOrder(..., saves=True)`: then the other samples are taken, too."
        )
    found = replace(found, saved=save_baseline(project, record, name))
    if not isinstance(result.order, RunOrder):
        gate_ends(RunStore.of(project), record.plan.run_id, found.document())
    return found


def _unchanged(
    project: Project, found: Conclusion, save_as: str | None, promote_to: str | None
) -> Conclusion:
    """Save the base, which is what the candidate is; nothing was decided that could promote it."""
    if promote_to is not None:
        stays = f"{promote_to} stays where it is: nothing was decided that could move it."
        found = replace(found, notes=(stays,))
    if save_as is None:
        return found
    base, name = found.result.order.stored_base, found.result.order.base.name
    if base is None:
        told = f"{name} was not measured, so there is nothing to save as {save_as}: --fresh runs."
        return replace(found, notes=(told, *found.notes))
    try:
        if _stands(project, base, save_as):
            told = f"{save_as} stands as it is."
            return replace(found, notes=(told, *found.notes))
        looked_at = stopped_by_a_gate(RunStore.of(project), base)
        noted = (*filter(None, [looked_at]), *found.notes)
        return replace(found, saved=save_baseline(project, base, save_as), notes=noted)
    except RunError as error:
        return replace(found, problem=error)


def _stands(project: Project, base: RunRecord, name: str) -> bool:
    """Tell whether a baseline of this name holds just what the base does."""
    plan = base.plan
    saved = find_baseline(project, name, agent=plan.agent, dataset=plan.dataset.name)
    return (
        saved is not None
        and saved.plan.run_id == plan.run_id
        and saved.scores.keys() == base.scores.keys()
    )
