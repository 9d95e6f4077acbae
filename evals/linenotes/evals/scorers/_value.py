"""What a case is worth in money: a formula or a function of what other scorers say of a sample.

It is worked out after the scorers that it reads, and has no value where one of them has none. A
failure of the agent has the worth that is declared for it. Calls cost what the sample's cost says;
one without a known price leaves the sample without a value, never with one that is too good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from linenotes.evals.journal._samples import Sample, Score
from linenotes.evals.scorers._budget_scorers import real_seconds, whole_cost
from linenotes.evals.scorers._code_identity import code_identity
from linenotes.evals.scorers._formulas import Formula, Operand
from linenotes.evals.scorers._scorer_specs import Parameters, call_text
from linenotes.evals.scorers._scorers import Scorer
from linenotes.project import ScorerError

_DOLLARS = "USD"


def value(
    worth: str | Callable[[Sample], float],
    *,
    failed: float | str,
    currency: str = _DOLLARS,
    dollar: float | None = None,
    reads: Sequence[str] = (),
) -> Scorer:
    """Tells what a case is worth in money, by a formula over metrics and cost.

    Args:
        worth: such as `"8*right_team - 12*(not right_team) - cost"`, where a pass counts 1; names
            are metrics, and `cost`, `seconds`, `calls`, `tokens` of the sample. Or a function of
            a sample, which finds the metrics of `reads` in `sample.scores`.
        failed: what a failure of the agent is worth, a number or a formula without metrics.
        currency: the unit of the result.
        dollar: what a US dollar, in which `cost` is known, is worth in that currency.
        reads: the metrics that a function reads; a formula names its own.

    Raises:
        ScorerError: a formula holds what it may not, or counts US dollars as something else.
    """
    at_failure = Formula.parse(str(failed))
    of_failure = _worked_out(at_failure, dollar)
    of_output: Callable[[Sample], Score | float]
    code = None
    _check_names(at_failure)
    if isinstance(worth, str):
        formula = Formula.parse(worth)
        _check_currency([formula, at_failure], currency, dollar)
        reads = [name for name in formula.names if name not in _FIGURES]
        of_output = _worked_out(formula, dollar)
    else:
        _check_currency([at_failure], currency, dollar)
        of_output = worth
        code = code_identity(worth)

    def score(sample: Sample) -> Score | float:
        return of_output(sample) if sample.error is None else of_failure(sample)

    given: dict[str, object] = {"failed": failed, "currency": currency}
    given |= {"dollar": dollar} if dollar is not None else {}
    return Scorer(
        name="value",
        spec=call_text("value", Parameters((worth,), given)),
        function=score,
        reads=tuple(reads),
        unit=currency,
        code=code,
        scores_failures=True,
    )


def _check_names(at_failure: Formula) -> None:
    unknown = next((name for name in at_failure.names if name not in _FIGURES), None)
    if unknown is not None:
        raise ScorerError(
            f"A failure of the agent has no {unknown!r}. "
            f"Let `failed` name nothing but {', '.join(_FIGURES)}."
        )


def _check_currency(formulas: Sequence[Formula], currency: str, dollar: float | None) -> None:
    counts_cost = any("cost" in formula.names for formula in formulas)
    if counts_cost and currency != _DOLLARS and dollar is None:
        raise ScorerError(
            f"`cost` is in US dollars and the value in {currency}. Say what a dollar is worth: "
            "dollar=0.92."
        )


def _worked_out(formula: Formula, dollar: float | None) -> Callable[[Sample], Score]:
    def score(sample: Sample) -> Score:
        known: dict[str, Operand] = dict(sample.scores)
        for name in formula.names:
            if name in _FIGURES:
                known[name] = _FIGURES[name](sample)
        if "cost" in known:
            known["cost"] = float(known["cost"]) * (1.0 if dollar is None else dollar)
        where = ", ".join(f"{name}={known[name]}" for name in formula.names)
        rationale = f"{formula.text}" + (f" with {where}" if where else "")
        return Score("", value=formula.value(known), rationale=rationale)

    return score


_FIGURES: dict[str, Callable[[Sample], float]] = {
    "cost": whole_cost,
    "seconds": real_seconds,
    "calls": lambda sample: sample.ledger.calls,
    "tokens": lambda sample: sample.ledger.tokens.total,
}
"""What a formula may name beside metrics."""
