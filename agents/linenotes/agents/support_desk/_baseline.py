"""The desk without a model: what similar messages were about, decided by vote.

The nearest examples vote for their intents with the square of their resemblance, so a few that are
near outvote many that are far. A winner with too few votes means that no team can help. Whoever
reports how well a model decides should report this beside it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage
from langgraph.graph import END, START, StateGraph

from linenotes.agents.support_desk._graph import answer_customer
from linenotes.agents.support_desk._retrieval import shipped_examples
from linenotes.agents.support_desk._state import DeskInput, DeskOutput, DeskState, customers_words
from linenotes.agents.support_desk._teams import OUT_OF_SCOPE

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

_VOTERS = 500
_ENOUGH = 0.28
"""Both chosen on the val split of CLINC150; they find about half of what is out of scope."""


def nearest_neighbour() -> CompiledStateGraph[DeskState, None, DeskInput, DeskOutput]:
    """Return a desk that asks no model."""
    graph = StateGraph(DeskState, input_schema=DeskInput, output_schema=DeskOutput)
    graph.add_node("neighbours", _vote)
    graph.add_node("desk", answer_customer)
    graph.add_edge(START, "neighbours")
    graph.add_edge("neighbours", "desk")
    graph.add_edge("desk", END)
    return graph.compile(name="nearest_neighbour")


def _vote(state: DeskState) -> dict[str, object]:
    votes: defaultdict[tuple[str, str], float] = defaultdict(float)
    for near in shipped_examples().nearest(customers_words(state), count=_VOTERS):
        votes[near.example.team, near.example.intent] += near.similarity**2
    (team, intent), most = max(votes.items(), key=lambda item: item[1])
    if most < _ENOUGH:
        team, intent = OUT_OF_SCOPE, OUT_OF_SCOPE
    words = f"{team}/{intent}: {most:.2f} votes, {_ENOUGH} are enough."
    return {
        "messages": [AIMessage(words, name="neighbours")],
        "team": team,
        "intent": intent,
    }
