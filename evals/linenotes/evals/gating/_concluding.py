"""What follows from a gate that has decided: a baseline, an alias, and a record in the store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from linenotes.evals.documents._gate_document import gate_document
from linenotes.evals.documents._part import Document
from linenotes.evals.gating._baselines import save_baseline
from linenotes.evals.gating._decisions_in_store import log_decision, promote
from linenotes.evals.gating._gate_order import GateResult
from linenotes.evals.gating._gate_report import headline, lines
from linenotes.project import Project, RunError, StoreError


@dataclass(frozen=True)
class Conclusion:
    """A gate's result with what followed from it."""

    result: GateResult
    saved: Path | None = None
    promoted: tuple[str, ...] = ()
    alias: str | None = None
    problem: RunError | StoreError | None = None
    """Why the baseline was not saved or the alias not moved, although the gate passed."""

    def document(self) -> Document:
        """Return it as the JSON contract has it."""
        return gate_document(
            self.result,
            reason=headline(self.result),
            saved=str(self.saved) if self.saved else None,
            promoted=self.promoted,
        )

    def lines(self) -> list[str]:
        """Return it as text."""
        told = lines(self.result)
        if self.saved is not None:
            told.append(f"Saved as a baseline, to be committed: {self.saved}")
        if self.promoted:
            told.append(f"{self.alias} now means {', '.join(self.promoted)}.")
        return told


def conclude(
    project: Project,
    result: GateResult,
    *,
    save_as: str | None = None,
    promote_to: str | None = None,
) -> Conclusion:
    """Do what is to follow from a gate; where it did not pass, nothing is saved or moved.

    The decision is written to the store if that takes it; the journal's folder has it anyway.
    """
    found = Conclusion(result, alias=promote_to)
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
    assert found.result.candidate is not None
    try:
        if save_as is not None:
            saved = save_baseline(project, found.result.candidate, save_as)
            found = replace(found, saved=saved)
        if promote_to is not None:
            found = replace(found, promoted=tuple(promote(project, found.result, promote_to)))
    except (RunError, StoreError) as error:
        return replace(found, problem=error)
    return found
