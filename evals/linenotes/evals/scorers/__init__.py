"""What judges a sample: built-in scorers, what declares one of your own, and business value."""

from linenotes.evals.scorers._agent_scorers import of_agent
from linenotes.evals.scorers._budget_scorers import cost_below, faster_than
from linenotes.evals.scorers._declaring import scorer
from linenotes.evals.scorers._deepeval_scorer import deepeval, deepeval_judge
from linenotes.evals.scorers._ledger_scorers import (
    at_most_handoffs,
    handoffs,
    no_loop,
    no_unread,
    talked_to,
)
from linenotes.evals.scorers._matching import matches_expectations
from linenotes.evals.scorers._tool_scorers import called_tool
from linenotes.evals.scorers._value import value

__all__ = [
    "at_most_handoffs",
    "called_tool",
    "cost_below",
    "deepeval",
    "deepeval_judge",
    "faster_than",
    "handoffs",
    "matches_expectations",
    "no_loop",
    "no_unread",
    "of_agent",
    "scorer",
    "talked_to",
    "value",
]
