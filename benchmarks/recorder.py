"""What recording costs: a chain of three agents, bare and recorded in turns, in one process.

Run `python benchmarks/recorder.py [--json]`. Both chains run in alternating rounds on the CPU's
clock, so that whatever else the machine does falls on both alike; the figures are medians. The
cost of a message is that of its spans and of the finished trace too.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.graph import START, MessagesState, StateGraph

from linenotes.tracing import record

if TYPE_CHECKING:
    from langchain_core.callbacks import CallbackManagerForLLMRun
    from langgraph.graph.state import CompiledStateGraph

ROUNDS = 60
RUNS = 5
"""Runs of the graph a round: a single one is too short for the clock."""


class Parrot(BaseChatModel):
    """Says the same sentence at once."""

    @property
    def _llm_type(self) -> str:
        return "parrot"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: object,
    ) -> ChatResult:
        said = AIMessage("The card was frozen and a new one is on its way to you.")
        return ChatResult(generations=[ChatGeneration(message=said)])


def chain(agents: int) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Return a graph of agents that speak one after the other."""
    model = Parrot()

    def agent(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    for number in range(agents):
        graph.add_node(f"agent-{number}", agent)
        graph.add_edge(f"agent-{number - 1}" if number else START, f"agent-{number}")
    return graph.compile(name="chain")


def cost(graph: CompiledStateGraph[Any, Any, Any, Any], *, recorded: bool) -> tuple[float, int]:
    """Return the CPU microseconds of one run, and how many messages it had."""
    asked: Any = {"messages": [("user", "My card is gone, please help me.")]}
    options: Any = {"recursion_limit": 1_000}
    messages = 0
    begun = time.process_time_ns()
    for _ in range(RUNS):
        if recorded:
            with record() as ledger:
                graph.invoke(asked, options)
            messages = len(ledger.trace.messages)
        else:
            graph.invoke(asked, options)
    return (time.process_time_ns() - begun) / RUNS / 1_000, messages


def measure(agents: int, rounds: int) -> dict[str, float]:
    """Return the medians of `rounds` alternating rounds."""
    graph = chain(agents)
    bare, recorded, messages = [], [], 1
    gc.collect()
    for _ in range(rounds):
        bare.append(cost(graph, recorded=False)[0])
        spent, messages = cost(graph, recorded=True)
        recorded.append(spent)
    without, with_ = statistics.median(bare), statistics.median(recorded)
    return {
        "agents": agents,
        "messages": messages,
        "bare_us": round(without, 1),
        "recorded_us": round(with_, 1),
        "ratio": round(with_ / without, 3),
        "us_per_message": round((with_ - without) / messages, 1),
    }


def main() -> None:
    """Print the figures for a short chain, a longer one and a conversation."""
    results = [measure(3, ROUNDS), measure(10, ROUNDS // 2), measure(100, 6)]
    if "--json" in sys.argv:
        print(json.dumps(results))
        return
    print("  ".join(f"{name:>14}" for name in results[0]))
    for result in results:
        print("  ".join(f"{value:>14}" for value in result.values()))


if __name__ == "__main__":
    main()
