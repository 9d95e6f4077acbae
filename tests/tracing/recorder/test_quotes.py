"""Messages quoted as plain text in the prompts of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.messages import HumanMessage, SystemMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from linenotes.tracing import Ledger, record

Build = Callable[..., Any]
Graph = CompiledStateGraph[Any, Any, Any, Any]
Screenplay = Callable[[Ledger], list[tuple[str, str, str, str]]]
ASK: Any = {"messages": [("user", "What do otters eat, please?")]}


def quoting(scripted: Build, finding: str, prompt: str = "Check this: {}") -> Graph:
    """Return a graph whose second agent only sees the first one's words inside its own prompt."""
    finder, checker = scripted(finding), scripted("It is fine as it stands, thank you.")
    notes: list[str] = []

    def find(state: MessagesState) -> Command[Any]:
        notes.append(finder.invoke(state["messages"]).content)
        return Command(goto="check")

    def check(state: MessagesState) -> dict[str, Any]:
        said = checker.invoke([SystemMessage("You check."), HumanMessage(prompt.format(notes[-1]))])
        return {"messages": [said]}

    graph = StateGraph(MessagesState)
    graph.add_node(find)
    graph.add_node(check)
    graph.add_edge(START, "find")
    return graph.compile()


def test_quoted_reply_reaches_whoever_quotes_it(scripted: Build, screenplay: Screenplay) -> None:
    with record() as ledger:
        quoting(scripted, "Otters eat fish and sea urchins.").invoke(ASK)

    lines = screenplay(ledger)
    assert ("find", "check", "reply", "Otters eat fish and sea urchins.") in lines
    found, handoff, answer = ledger.messages[1:]
    assert handoff.cause == (found.id,)
    assert answer.cause == (handoff.id,)


def test_short_words_are_no_quote(scripted: Build, screenplay: Screenplay) -> None:
    with record() as ledger:
        quoting(scripted, "Fish.").invoke(ASK)

    assert ("find", "", "reply", "Fish.") in screenplay(ledger)


def test_reply_that_is_not_quoted_reaches_nobody(scripted: Build, screenplay: Screenplay) -> None:
    with record() as ledger:
        quoting(scripted, "Otters eat fish and sea urchins.", "Say that it is fine.").invoke(ASK)

    assert ("find", "", "reply", "Otters eat fish and sea urchins.") in screenplay(ledger)
