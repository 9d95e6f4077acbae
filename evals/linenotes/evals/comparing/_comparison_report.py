"""A comparison as text: what differs, the difference with its interval, and what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linenotes.evals._wording import signed, sized
from linenotes.evals.comparing._candidate_reports import CandidateReport
from linenotes.evals.comparing._comparison import RunComparison
from linenotes.evals.comparing._differences import behave_alike

if TYPE_CHECKING:
    from linenotes.evals.statistics import Comparison


def verdict(comparison: RunComparison) -> str:
    """Return a comparison as one sentence: difference, interval, and what follows from it."""
    word = comparison.result.verdict.upper()
    return f"{_head(comparison)}, {comparison.metric}: {word}. {finding(comparison)}"


def headline(candidate: CandidateReport) -> str:
    """Say in a sentence or two why the verdict on a candidate is what it is."""
    if candidate.verdict == "unchanged":
        return f"{_head(candidate.primary)}: {_why_unchanged(candidate)}"
    # The primary metric, unless a guardrail says something worse.
    told = (one for one in candidate.deciding if one.result.verdict == candidate.verdict)
    deciding = next(told, candidate.primary)
    guarding = "" if deciding is candidate.primary else "guardrail "
    said = f"{_head(deciding)}, {guarding}{deciding.metric}: {finding(deciding)}"
    if not behave_alike(deciding.base, deciding.candidate):
        return said
    return (
        f"{said} The versions are equal: this is chance, or a model that changed behind its name."
    )


def _head(comparison: RunComparison) -> str:
    return f"{comparison.candidate.version} against {comparison.base.version}"


def _why_unchanged(candidate: CandidateReport) -> str:
    base, plan = candidate.primary.base, candidate.record.plan
    if base.run_id == plan.run_id:
        return "both are one run, so there is nothing to compare."
    return "equal versions, with equal scores in every sample. There is nothing to decide."


def finding(comparison: RunComparison) -> str:
    """Say the difference with its interval, and what follows from it."""
    found = comparison.result
    if found.verdict == "cannot measure" or found.delta is None:
        return " ".join(found.notes)
    unit = " points" if comparison.is_rate else ""
    change = f"{signed(found.delta, rate=comparison.is_rate)}{unit}"
    return f"{change} ({bounds(comparison)}, n={found.n_cases}). {consequence(comparison)}"


def consequence(comparison: RunComparison) -> str:
    """Say what follows, what would decide, and what it does not speak of."""
    ways, judge = ways_to_decide(comparison), judge_note(comparison)
    return " ".join(filter(None, (meaning(comparison), ways, comparison.not_counted, judge)))


def judge_note(comparison: RunComparison) -> str:
    """Say that the judge may be biased, where nobody has held it against people's labels."""
    return "Uncalibrated judge." if comparison.uncalibrated else ""


def bounds(comparison: RunComparison) -> str:
    """Return the interval of a difference: `95% -2 to +8`."""
    found = comparison.result
    if found.low is None or found.high is None:
        return "no interval"
    low, high = (signed(value, rate=comparison.is_rate) for value in (found.low, found.high))
    return f"{100 * found.confidence:.0f}% {low} to {high}"


def meaning(comparison: RunComparison) -> str:
    """Say what follows from a comparison, be it of all samples at once or of several looks."""
    found = comparison.result
    margin = sized(found.margin, rate=comparison.is_rate)
    tested = f" (one-sided test at {100 * found.alpha:.2g}%)"
    if found.verdict == "fail":
        return f"It is worse (one-sided test at {_drop_level(found)})."
    if found.verdict == "inconclusive" and found.margin == 0:
        return "That it is better is not shown."
    if found.verdict == "inconclusive":
        seen = f"It seems {found.shown}" if found.shown else "Neither better nor worse is shown"
        shared = f" No drop is shown at {_drop_level(found)}." if found.family > 1 else ""
        return f"{seen}: a drop of {margin} is not ruled out.{shared}"
    if found.margin == 0 or _is_better(found):
        return "It is better."
    if found.is_worse:
        return f"It is worse, but by less than {margin}."
    # A two-sided interval may reach below the margin that a one-sided test rules out.
    if found.low is not None and found.low > -found.margin:
        tested = ""
    return f"A drop of {margin} is ruled out{tested}; that it is better is not shown."


def _drop_level(found: Comparison) -> str:
    """Return `4%`, or of what several gates share `0.8%: 4% shared by 5 gates`."""
    if found.family == 1:
        return f"{100 * found.alpha:.2g}%"
    share = f"{100 * found.drop_level:.2g}%"
    return f"{share}: {100 * found.alpha:.2g}% shared by {found.family} gates"


def _is_better(found: Comparison) -> bool:
    """Tell whether it is shown to be better: by the test, or by an interval of several looks."""
    if found.p_no_difference is None:
        return found.low is not None and found.low > 0
    return found.shown == "better"


def ways_to_decide(comparison: RunComparison) -> str:
    """Say what it would take to decide, if the difference stays what it is; empty if nothing."""
    found, ways = comparison.result, []
    if found.samples_to_decide is not None:
        ways.append(f"{found.samples_to_decide} samples a case")
    if found.cases_to_decide is not None:
        ways.append(f"{found.cases_to_decide:,} cases")
    return f"To decide: about {' or '.join(ways)}." if ways else ""


def power(comparison: RunComparison) -> str:
    """Say how small a change the suite could have seen."""
    change = comparison.result.detectable_change
    if change is None:
        return ""
    if comparison.is_rate and change >= 1:
        return "This suite is too small to detect any change with 80% power."
    return (
        f"This suite could detect a change of {sized(change, rate=comparison.is_rate)} "
        "with 80% power."
    )
