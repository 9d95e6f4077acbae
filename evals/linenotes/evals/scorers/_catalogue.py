"""The built-in scorers by name, each with an example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import getdoc

from linenotes.evals.scorers import _ledger_scorers as ledgers
from linenotes.evals.scorers._agent_scorers import of_agent
from linenotes.evals.scorers._budget_scorers import cost_below, faster_than
from linenotes.evals.scorers._deepeval_scorer import deepeval
from linenotes.evals.scorers._matching import matches_expectations
from linenotes.evals.scorers._scorers import Scorer
from linenotes.evals.scorers._tool_scorers import called_tool
from linenotes.evals.scorers._value import value


@dataclass(frozen=True)
class BuiltIn:
    """A built-in scorer: what makes it, and how it is named."""

    make: Callable[..., Scorer]
    example: str

    @property
    def line(self) -> str:
        """What it does, in a line."""
        return (getdoc(self.make) or "").partition("\n")[0]


def _matches() -> Scorer:
    name = matches_expectations.__name__
    return Scorer(name=name, spec=name, function=matches_expectations)


_matches.__doc__ = matches_expectations.__doc__
BUILT_IN: Mapping[str, BuiltIn] = {
    "matches_expectations": BuiltIn(_matches, "matches_expectations"),
    "talked_to": BuiltIn(ledgers.talked_to, 'talked_to("triage", "specialist")'),
    "handoffs": BuiltIn(
        ledgers.handoffs, 'handoffs("triage", "specialist", "reviewer", order="strict")'
    ),
    "at_most_handoffs": BuiltIn(ledgers.at_most_handoffs, "at_most_handoffs(3)"),
    "no_loop": BuiltIn(ledgers.no_loop, "no_loop(2)"),
    "no_unread": BuiltIn(ledgers.no_unread, "no_unread"),
    "called_tool": BuiltIn(called_tool, 'called_tool("search", query="refund")'),
    "cost_below": BuiltIn(cost_below, "cost_below(0.01)"),
    "faster_than": BuiltIn(faster_than, "faster_than(2.0)"),
    "of_agent": BuiltIn(of_agent, 'of_agent("reviewer", "scorers.py:polite")'),
    "deepeval": BuiltIn(deepeval, 'deepeval("TaskCompletionMetric", judge="judge")'),
    "value": BuiltIn(value, 'value("8*right_team - 12*(not right_team) - cost", failed=-12)'),
}
