"""Which tools were called with which arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import JsonValue

from linenotes.evals.journal._samples import Sample, Score
from linenotes.evals.scorers._built_in import built_in
from linenotes.evals.scorers._rationales import listed, ordinal, said
from linenotes.evals.scorers._scorers import ScoreFunction
from linenotes.evals.scorers._tool_calls import ToolUse, tool_uses
from linenotes.evals.scorers._turns import is_called

Wanted = JsonValue | Callable[[JsonValue], bool]
"""What an argument must be equal to, or a function that says whether it will do."""


@built_in
def called_tool(tool: str, /, **arguments: Wanted) -> ScoreFunction:
    """Passes where the tool was called with these arguments, and perhaps others."""

    def judge(sample: Sample) -> Score:
        uses = [use for use in tool_uses(sample.ledger) if is_called(use.tool, tool)]
        fitting = {use.number for use in uses if _fits(use.arguments, arguments)}
        if fitting:
            return said(True, f"{tool} was called so in {listed(sample.ledger, fitting)}.")
        return said(False, f"{tool} was not called so: {_instead(sample, uses)}.")

    return judge


def _fits(given: Mapping[str, JsonValue], wanted: Mapping[str, Wanted]) -> bool:
    return all(
        name in given and (bool(test(given[name])) if callable(test) else test == given[name])
        for name, test in wanted.items()
    )


def _instead(sample: Sample, uses: list[ToolUse]) -> str:
    if uses:
        calls = ((ordinal(sample.ledger, use.number), use) for use in uses)
        given = (f"#{number} {use.caller} {dict(use.arguments)}" for number, use in calls)
        return f"its arguments were {'; '.join(given)}"
    others = {use.number for use in tool_uses(sample.ledger)}
    return f"calls stand in {listed(sample.ledger, others)}" if others else "no tool was called"
