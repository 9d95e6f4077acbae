"""The end of a run whose budget is used up: what was spent, what there is, how to go on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from linenotes.evals._ongoing import OngoingRun
from linenotes.evals.engine._budget import Budget, Limit, spelled
from linenotes.evals.engine._purse import Purse
from linenotes.evals.journal._spending import Spending
from linenotes.project import RunError

_SPARE = 1.1
"""How much more than expected is proposed, for the samples that cost more than the others."""


class BudgetUsedUp(RunError):  # noqa: N818  it is no error of anybody's
    """The evaluation has spent its budget. What had finished is kept and can be continued."""

    def __init__(self, message: str, enough: Budget) -> None:
        super().__init__(message)
        self.enough = enough
        """What is likely to do for all of it; it counts what is spent already."""


def spent_by(runs: Sequence[OngoingRun]) -> Spending:
    """Return what runs that belong together have spent, in all their sessions."""
    return Spending.total(run.journal.spent for run in runs)


def used_up(runs: Sequence[OngoingRun], purse: Purse, limit: Limit) -> BudgetUsedUp:
    """Return what to tell when `limit` has stopped the runs."""
    kept = sum(len(run.journal.record.outcomes) for run in runs)
    wanted = sum(len(run.plan.cases) * run.plan.samples for run in runs)
    of, used = purse.budget.limits[limit], _amount(purse, limit)
    enough = _enough(purse.budget, limit, used * wanted / kept if kept else 2 * of)
    run_id = runs[0].plan.run_id[:12]
    return BudgetUsedUp(
        f"The budget of {spelled(limit, of)} is used up: {_spent(purse)}; {kept} of {wanted} "
        f"samples are kept. Continue with `linenotes eval --resume {run_id}{enough.options}`, "
        "a budget that counts what is spent already.",
        enough,
    )


def _amount(purse: Purse, limit: Limit) -> float:
    spent = purse.spent
    amounts: dict[Limit, float] = {
        "usd": spent.usd,
        "tokens": spent.tokens,
        "calls": spent.calls,
        "seconds": purse.seconds,
    }
    return amounts[limit]


def _spent(purse: Purse) -> str:
    spent = purse.spent
    cost = f"{spent.cost_text}, " if spent.cost_text else ""
    calls, tokens = spelled("calls", spent.calls), spelled("tokens", spent.tokens)
    return f"{cost}{calls} and {tokens} in {spelled('seconds', purse.seconds) or 'no time'}"


def _enough(budget: Budget, limit: Limit, expected: float) -> Budget:
    """Return the budget with a limit that is likely to do for the whole run, in two digits."""
    wanted = max(expected, budget.limits[limit]) * _SPARE
    step = 10.0 ** (math.floor(math.log10(wanted)) - 1) if wanted else 0.01
    rounded = math.ceil(wanted / step) * step or step
    match limit:
        case "usd":
            return replace(budget, usd=round(rounded, 8))
        case "seconds":
            return replace(budget, seconds=math.ceil(rounded))
        case "tokens":
            return replace(budget, tokens=math.ceil(rounded))
        case "calls":
            return replace(budget, calls=math.ceil(rounded))
