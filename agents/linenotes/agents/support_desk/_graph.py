"""The support desk: five agents who bring one customer's message to the right intent.

    user ─► triage ─┬─► specialist ──┬─► desk ─► user
              ▲     ├─► escalation ──┤
              │     └─► reviewer ────┘
              └───────────┘

Triage names the team by the letters of the message, the reviewer by its words. Where they differ,
the reviewer sends the case back: triage then decides between the two teams, and the reviewer is
not asked again, so a case goes back once at most. Decisions are the models' own words; what the
desk and the escalation say is written by code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send

from linenotes.agents.support_desk._decisions import Agent, Decision, Question
from linenotes.agents.support_desk._replies import reply
from linenotes.agents.support_desk._retrieval import shipped_examples
from linenotes.agents.support_desk._state import DeskInput, DeskOutput, DeskState, customers_words
from linenotes.agents.support_desk._teams import OUT_OF_SCOPE, intents, teams

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

_EXAMPLES = 2
"""How many similar messages an agent sees; of each team, where two are disputed."""


def build() -> CompiledStateGraph[DeskState, None, DeskInput, DeskOutput]:
    """Return the support desk, with the prompts and models in force."""
    graph = StateGraph(DeskState, input_schema=DeskInput, output_schema=DeskOutput)
    graph.add_node(
        "triage",
        Agent("triage", consider=_which_team, act=_hand_over),
        destinations=("specialist", "reviewer", "escalation", "desk"),
    )
    graph.add_node("specialist", Agent("specialist", consider=_which_intent, act=_conclude))
    graph.add_node(
        "reviewer",
        Agent("reviewer", consider=_which_team_by_words, act=_agree_or_send_back),
        destinations=("triage", "desk"),
    )
    graph.add_node("escalation", _escalate)
    graph.add_node("desk", answer_customer, defer=True)
    graph.add_edge(START, "triage")
    graph.add_edge("specialist", "desk")
    graph.add_edge("escalation", "desk")
    graph.add_edge("desk", END)
    return graph.compile(name="support_desk")


def _which_team(state: DeskState) -> Question:
    text, disputed = customers_words(state), state.get("disputed")
    if not disputed:
        near = shipped_examples().nearest(text, count=_EXAMPLES, views=["letters"])
        return Question(text, "team", teams(), near)
    near = [
        neighbour
        for team in disputed
        for neighbour in shipped_examples().nearest(text, count=_EXAMPLES, team=team)
    ]
    return Question(text, "team", disputed, near)


def _hand_over(state: DeskState, decision: Decision) -> Command[str]:
    update = {"messages": [decision.message], "team": decision.choice}
    if decision.choice == OUT_OF_SCOPE:
        return Command(update=update, goto="escalation")
    if state.get("disputed"):
        stands = decision.choice == state["team"]  # and so does what its specialist decided
        # No Send here: a deferred node, such as the desk, does not wait for those.
        return Command(update=update, goto="desk" if stands else "specialist")
    handed = {**state, **update, "messages": [*state["messages"], decision.message]}
    return Command(update=update, goto=[Send("specialist", handed), Send("reviewer", handed)])


def _which_intent(state: DeskState) -> Question:
    text, team = customers_words(state), state["team"]
    near = shipped_examples().nearest(text, count=_EXAMPLES, team=team)
    return Question(text, "intent", intents()[team], near)


def _conclude(_: DeskState, decision: Decision) -> Command[str]:
    return Command(update={"messages": [decision.message], "intent": decision.choice})


def _which_team_by_words(state: DeskState) -> Question:
    text = customers_words(state)
    near = shipped_examples().nearest(text, count=_EXAMPLES, views=["words"])
    return Question(text, "team", teams(), near)


def _agree_or_send_back(state: DeskState, decision: Decision) -> Command[str]:
    said = {"messages": [decision.message]}
    if decision.choice == state["team"]:
        return Command(update=said, goto="desk")
    disputed = (state["team"], decision.choice)
    return Command(update={**said, "disputed": disputed}, goto="triage")


def _escalate(state: DeskState) -> dict[str, object]:
    words = f"No team can help with {customers_words(state)!r}. Please tell the customer."
    return {
        "messages": [AIMessage(words, name="escalation")],
        "team": OUT_OF_SCOPE,
        "intent": OUT_OF_SCOPE,
    }


def answer_customer(state: DeskState) -> dict[str, object]:
    """Answer from the template of the case's intent, and close the case."""
    answer = AIMessage(reply(state["team"], state["intent"]), name="desk")
    return {"messages": [answer], "disputed": None}
