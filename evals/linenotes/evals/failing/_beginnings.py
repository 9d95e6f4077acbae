"""With whom most failures of a run begin, in a sentence, and what a suspect is suspected for."""

from __future__ import annotations

from linenotes.evals._wording import counted
from linenotes.evals.failing._run_failures import RunFailures, run_failures
from linenotes.evals.failing._suspects import Why
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._tables import is_rate

MEANING: dict[Why, str] = {
    "departs": "the first message that no passing sample has",
    "raised": "the one that raised the error",
    "is missing": "a message that passing samples have and this one lacks",
    "lacks the answer": "the first message without the expected answer",
}
"""Why somebody is a suspect, in words."""
_FEWEST, _CLEAR = 3, 0.6
"""Failures, and the share of them that begins with one agent, from which on it is clear."""
_CASES_OF_A_GATE = 100
"""How many cases are looked into for one sentence."""


def beginning(found: RunFailures, *, share: float) -> str | None:
    """Return `34 of 41 failures begin at worker`; None where fewer than this share do."""
    ((actor, count),) = found.suspects.most_common(1) or [("", 0)]
    if not count or count < share * found.told:
        return None
    looked = " looked into" if found.hidden else ""
    begin = "begins" if count == 1 else "begin"
    return f"{count} of {counted(found.told, 'failure')}{looked} {begin} at {actor}"


def clear_beginning(record: RunRecord, metric: str) -> str | None:
    """Return with whom most failures begin, as a sentence; None where that is not clear."""
    if not is_rate(record, metric):
        return None
    found = run_failures(record, metric, most=_CASES_OF_A_GATE)
    clear = beginning(found, share=_CLEAR) if found.told >= _FEWEST else None
    return f"{clear}." if clear else None


def suspicion(found: RunFailures) -> str:
    """Return with whom most failures begin, and what that rests on; or that it cannot be said."""
    usual = found.suspects.most_common(1)
    if not usual:
        return "Where they begin cannot be said: no passing sample to read beside, no plain answer."
    actor, _ = usual[0]
    whys = [
        failure.suspect.why
        for case in found.cases
        for failure in case.failures
        if failure.suspect and failure.suspect.actor == actor
    ]
    meaning = MEANING[max(sorted(set(whys)), key=whys.count)]
    return f"{beginning(found, share=0)} (a suspect: {meaning})."
