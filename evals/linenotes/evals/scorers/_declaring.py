"""What a scorer declares of itself before it has judged anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from linenotes.evals.scorers._judge_identities import pinned
from linenotes.evals.scorers._scorer_adapters import adapted
from linenotes.evals.scorers._scorers import Scorer
from linenotes.project import ScorerError


def scorer(
    *,
    values: Sequence[str] = (),
    reads: Sequence[str] = (),
    unit: str | None = None,
    judge: str | None = None,
    prompt: str = "",
) -> Callable[[object], Scorer]:
    """Declare what a scorer gives and reads; a decorator of functions, and of any other scorer.

    A metric has to be known before anything is run, so several values are declared by name:

        @scorer(values=["precision", "recall"])
        def overlap(sample):
            return {"precision": 0.5, "recall": 1.0}

    gives the metrics `overlap.precision` and `overlap.recall`. An MLflow scorer that returns a
    list of Feedback is declared by its names: `overlap = scorer(values=["a", "b"])(theirs)`.

    Args:
        values: the names of the values, where it gives several.
        reads: metrics of other scorers; `sample.scores` holds them, and the scorer runs after.
        unit: what its numbers are counted in.
        judge: the model that judges, by a name that pins its version, where one does.
        prompt: what that model is asked; another text is another judge.

    Raises:
        ScorerError: what is declared is no scorer.
    """
    for given in (values, reads):
        if isinstance(given, str):
            raise ScorerError(f"@scorer takes names, not {given!r}. Write [{given!r}].")

    def declare(found: object) -> Scorer:
        known = adapted(found)
        if known is None:
            raise ScorerError(
                f"@scorer was given {found!r}, which is no scorer. "
                "Give it a function of one sample, an MLflow scorer or a DeepEval metric."
            )
        who = known.judge if judge is None else pinned(judge, prompt)
        return replace(known, values=tuple(values), reads=tuple(reads), unit=unit, judge=who)

    return declare
