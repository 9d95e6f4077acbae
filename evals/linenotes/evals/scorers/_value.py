"""What a case is worth in money: a formula or a function of what other scorers say of a sample.

It is worked out after the scorers that it reads, and has no value where one of them has none. A
failure of the agent has the worth that is declared for it. Calls cost what the sample's cost says;
one without a known price leaves the sample without a value, never with one that is too good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from linenotes.evals.journal._samples import Sample, Score
from linenotes.evals.scorers._budget_scorers import whole_cost
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
    formulas = [Formula.parse(str(failed))]
    if isinstance(worth, str):
        formulas.append(Formula.parse(worth))
        reads = [name for name in formulas[1].names if name not in _FIGURES]
    if unknown := [name for name in formulas[0].names if name not in _FIGURES]:
        raise ScorerError(
            f"A failure of the agent has no {unknown[0]!r}. "
            f"Let `failed` name nothing but {', '.join(_FIGURES)}."
        )
    needs_rate = any("cost" in formula.names for formula in formulas) and currency != _DOLLARS
    if needs_rate and dollar is None:
        raise ScorerError(
            f"`cost` is in US dollars and the value in {currency}. Say what a dollar is worth: "
            "dollar=0.92."
        )
    function = _worked_out(formulas[1], dollar) if isinstance(worth, str) else worth

    def score(sample: Sample) -> Score | float:
        if sample.error is not None:
            return _worked_out(formulas[0], dollar)(sample)
        return function(sample)

    given: dict[str, object] = {"failed": failed, "currency": currency}
    given |= {"dollar": dollar} if dollar is not None else {}
    return Scorer(
        name="value",
        spec=call_text("value", Parameters((worth,), given)),
        function=score,
        reads=tuple(reads),
        unit=currency,
        scores_failures=True,
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
    "seconds": lambda sample: sample.seconds,
    "calls": lambda sample: sample.ledger.calls,
    "tokens": lambda sample: sample.ledger.tokens.total,
}
"""What a formula may name beside metrics."""
