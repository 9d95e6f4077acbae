"""A gate's decision as text: the verdict is the first word, and each number has its n, K, interval.

The second line says what it took, and what would decide where nothing did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from linenotes.evals._wording import SPEAKS_OF, counted, named, signed
from linenotes.evals.comparing._comparison import GateVerdict, RunComparison
from linenotes.evals.comparing._comparison_report import bounds, meaning
from linenotes.evals.engine._budget import spelled
from linenotes.evals.gating._gate_result import GateResult
from linenotes.evals.gating._run_order import RunOrder

_INDENT = 14
"""Columns of the verdict."""
_WIDTH = 100


def lines(result: GateResult) -> list[str]:
    """Return what a gate has said, in lines that fit a terminal."""
    first, *rest = _told(result)
    indent = " " * _INDENT
    told = wrap(_word(result.decision.verdict) + first, _WIDTH, subsequent_indent=indent)
    for text in rest:
        told += wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)
    return told


def headline(result: GateResult) -> str:
    """Return the decision in one line, as a tag of a run keeps it."""
    return f"{result.decision.verdict.upper()} {next(iter(_told(result)))}"


def _told(result: GateResult) -> Iterator[str]:
    """Yield the sentence of the verdict, then what else there is to know."""
    decision = result.decision
    if decision.verdict == "unchanged":
        yield _unchanged(result)
        return
    if result.ended_by == "expired quarantine":
        yield from (*decision.notes, "No case was run, and nothing was compared.")
        return
    yield from _metrics(result)
    if result.failures_begin is not None:
        yield result.failures_begin
    effort = _effort(result)
    yield effort
    yield from _filled(result)
    yield from _small_suite(result)
    primary = decision.comparisons[0]
    yield f"Differs: {'; '.join(primary.differences) or 'nothing'}."
    yield from _left_out(primary)
    if result.order.quarantine is not None:
        yield from result.order.quarantine.told(result.order.gated.cases)
    if primary.result.verdict != "cannot measure":
        yield f"Tests: {primary.result.method}."
        yield from (note for note in primary.result.notes if note not in effort)
    yield from (*decision.notes, *result.notes)


def _unchanged(result: GateResult) -> str:
    order = result.order
    better = (
        f" What is identical is not better: exit code {result.decision.exit_code}."
        if order.gate.allowed == 0
        else ""
    )
    if isinstance(order, RunOrder):
        same = order.record.plan.run_id == order.stored_base.plan.run_id
        what = "the same run" if same else "an equal version with equal scores in every sample"
        return f"{what} as {order.base.name}: nothing to decide.{better}"
    return (
        f"same prompts, models, graph, data and scorers as {order.base.name}: nothing to decide."
        f"{better} --fresh runs anyway."
    )


def _word(verdict: GateVerdict) -> str:
    return verdict.upper().ljust(_INDENT) if len(verdict) < _INDENT else f"{verdict.upper()}  "


def _metrics(result: GateResult) -> Iterator[str]:
    """Yield a sentence for each metric, first one with the verdict of them all.

    A guardrail's begins with what it is and what it says, and so does the primary metric's when it
    comes after one.
    """
    decision = result.decision
    primary = decision.comparisons[0]
    # A stable sort: the primary metric goes before a guardrail that says the same.
    found = sorted(decision.comparisons, key=lambda one: one.result.verdict != decision.verdict)
    for one in found:
        role = "guardrail" if one is not primary else "primary"
        said = "" if one is primary is found[0] else f"{role} {one.result.verdict}: "
        judge = " Uncalibrated judge." if one.metric in result.uncalibrated else ""
        yield said + _metric(one, _depths(result, one.metric)) + judge


def _depths(result: GateResult, metric: str) -> str:
    """Say how many samples the cases have: `4`, or `4 against 3 to 10` where those are stored."""
    base = result.base_depth(metric)
    return f"{result.depth(metric)} against {base}" if base else f"{result.depth(metric)}"


def _metric(one: RunComparison, depths: str) -> str:
    found = one.result
    if found.delta is None or found.verdict == "cannot measure":
        return f"{one.metric} cannot be measured. {' '.join(found.notes)}".rstrip()
    unit = " points" if one.is_rate else ""
    clusters = f" in {found.n_clusters} clusters" if found.n_clusters else ""
    change = signed(found.delta, rate=one.is_rate)
    return (
        f"{one.metric} {_value(found.base_mean, one)} → {_value(found.candidate_mean, one)}: "
        f"{change}{unit} ({bounds(one)}; n={found.n_cases}{clusters}, "
        f"K={depths}, {SPEAKS_OF[found.target]}). {meaning(one)} {one.not_counted}"
    ).rstrip()


def _effort(result: GateResult) -> str:
    """Say how far it went, and what would decide where nothing did."""
    order, samples = result.order, result.samples
    if isinstance(order, RunOrder):
        needed = f" {_to_decide(result)}" if result.decision.verdict == "inconclusive" else ""
        return f"Decided once, by all samples that there are; nothing was executed.{needed}"
    taken = sum(len(record.outcomes) for record in result.records)
    most = len(result.records) * len(order.gated.cases) * order.samples
    of = f"{taken:,} of {most:,} samples, {counted(result.spent.calls, 'call')}"
    how = {
        "decision": f"Stopped early at K={samples} of {order.samples}: {of}.",
        "samples": f"All {order.samples} samples of each case: {of}.",
        "budget": f"The budget is used up at K={samples} of {order.samples}: {of}.",
    }
    whole = samples == order.samples and result.ended_by != "budget"
    told = how["samples" if whole else result.ended_by]
    if result.decision.verdict == "inconclusive":
        told += f" {_to_decide(result)}"
    return told + _budget_left(result)


def _filled(result: GateResult) -> Iterator[str]:
    if result.filled is None:
        return
    calls = counted(result.spent_in_all.calls - result.spent.calls, "call")
    taken = f"{counted(result.filled_samples, 'more sample')} ({calls})"
    if result.unfilled is not None:
        yield f"{taken} taken towards a baseline that its early stop does not flatter."
        return
    yield (
        f"{taken} taken after the decision, so that its early stop does not flatter the baseline: "
        f"K={result.filled.depth} there."
    )


def _to_decide(result: GateResult) -> str:
    """Say what it would take, by the metric that needs most of it."""
    open_ones = [
        one.result for one in result.decision.comparisons if one.result.verdict == "inconclusive"
    ]
    samples = [one.samples_to_decide for one in open_ones]
    cases = [one.cases_to_decide for one in open_ones]
    ways = []
    if enough := _most(samples):
        ways.append(_more_samples(result, enough))
    if known := _most(cases):
        ways.append(f"{known:,} cases")
    if not ways:
        return "More samples cannot help: add cases."
    return f"To decide: about {' or '.join(ways)}."


def _more_samples(result: GateResult, enough: int) -> str:
    if isinstance(result.order, RunOrder):
        return f"{enough} samples a case in both runs"
    more = max(1, enough - result.samples)
    option = f" (--samples {enough})" if enough > result.order.samples else ""
    return f"{more} more samples a case{option}"


def _most(needs: Sequence[int | None]) -> int | None:
    """Return what does for all of them; None where nothing does for one."""
    known = [need for need in needs if need is not None]
    return max(known, default=None) if len(known) == len(needs) else None


def _budget_left(result: GateResult) -> str:
    all_of_it = result.spent_in_all
    spent = {"usd": all_of_it.usd, "tokens": all_of_it.tokens, "calls": all_of_it.calls}
    left = [
        spelled(limit, max(0.0, most - spent[limit]))
        for limit, most in result.budget.limits.items()
        if limit in spent
    ]
    return f" Budget left: {', '.join(left)}." if left else ""


def _small_suite(result: GateResult) -> Iterator[str]:
    from linenotes.evals.statistics import FEW_TO_STOP_EARLY

    cases = len(result.order.gated.cases)
    undecided = not result.stopped_early and result.order.samples > 1
    if result.decision.looks and undecided and cases <= FEW_TO_STOP_EARLY:
        yield f"With {counted(cases, 'case')} stopping early saves next to nothing: add cases."


def _left_out(one: RunComparison) -> Iterator[str]:
    alone = sorted({*one.result.only_in_base, *one.result.only_in_candidate})
    if alone:
        yield f"{counted(len(alone), 'case')} only on one side, left out: {named(alone)}."


def _value(mean: float | None, one: RunComparison) -> str:
    assert mean is not None
    return f"{100 * mean:.0f}%" if one.is_rate else f"{mean:.3g}"
