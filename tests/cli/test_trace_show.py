from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from linenotes.tracing import record, store_trace

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from tests.cli.conftest import Cli

NESTED = """
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph


def say(text):
    return lambda state: {"messages": [AIMessage(text)]}


def lawyer(state):
    if "fail" in state["messages"][0].content:
        raise TimeoutError("no answer in 60 s")
    return {"messages": [AIMessage("It is legal.")]}


def build():
    team = StateGraph(MessagesState)
    team.add_node("lead", say("Look it up:\\nsection 7, and all that follows from it."))
    team.add_node("lawyer", lawyer)
    team.add_edge(START, "lead")
    team.add_edge("lead", "lawyer")
    team.add_edge("lawyer", END)
    graph = StateGraph(MessagesState)
    graph.add_node("desk", say("Team, please check."))
    graph.add_node("team", team.compile())
    graph.add_node("writer", say("Dear customer, it is legal."))
    graph.add_edge(START, "desk")
    graph.add_edge("desk", "team")
    graph.add_edge("team", "writer")
    graph.add_edge("writer", END)
    return graph
"""


FAN_OUT = """
import operator
from typing import Annotated

from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Send


class State(MessagesState):
    notes: Annotated[list[str], operator.add]


def fan(state):
    return [Send("researcher", {"topic": topic}) for topic in ("cats", "dogs")]


def build():
    graph = StateGraph(State)
    graph.add_node("planner", lambda state: {"messages": [("ai", "Cats and dogs.")]})
    graph.add_node("researcher", lambda state: {"notes": [f"About {state['topic']}"]})
    graph.add_node("writer", lambda state: {"messages": [("ai", "; ".join(state["notes"]))]})
    graph.add_edge(START, "planner")
    graph.add_conditional_edges("planner", fan, ["researcher"])
    graph.add_edge("researcher", "writer")
    graph.add_edge("writer", END)
    return graph
"""


@pytest.fixture
def office(project: Path, cli: Cli) -> str:
    """The id of a trace of nested agents."""
    (project / "office.py").write_text(NESTED, encoding="utf-8")
    return str(cli("run", "office.py:build", "Is it legal?", "--json").json["trace_id"])


def lines(out: str) -> list[str]:
    """The lines after the title."""
    return [" ".join(line.split()) for line in out.splitlines()[3:]]


def test_a_conversation_is_read_like_a_screenplay(office: str, cli: Cli) -> None:
    shown = cli("trace", "show", office)
    assert shown.code == 0
    first, second, *_ = shown.out.splitlines()
    assert first == "office   OK   case ad-hoc, sample 0"
    assert second.startswith("5 messages")
    assert second.endswith(office)
    said = lines(shown.out)
    assert said[0] == "user → desk Is it legal?"
    assert any(line.startswith("team/lead → team/lawyer Look it up: section 7") for line in said)
    assert all(len(line) <= 100 for line in shown.out.splitlines())


def test_latest_is_the_trace_that_began_last(office: str, cli: Cli) -> None:
    assert office in cli("trace", "show", "latest").out
    assert office in cli("trace", "show").out


def test_full_shows_whole_texts(office: str, cli: Cli) -> None:
    shown = cli("trace", "show", office, "--full").out
    assert "      section 7, and all that follows from it.\n" in shown


def test_depth_takes_actors_together_and_actor_picks_some(office: str, cli: Cli) -> None:
    together = cli("trace", "show", office, "--depth", "1").out
    assert "team/" not in together
    assert "team → writer" in together
    picked = lines(cli("trace", "show", office, "--actor", "lead").out)
    assert len(picked) == 2
    both = lines(cli("trace", "show", office, "--depth", "1", "--actor", "team").out)
    assert [line.split(" It ")[0].split(" Team")[0] for line in both] == [
        "desk → team",
        "team → writer",
    ]


def test_the_tree_shows_spans_and_how_long_they_took(office: str, cli: Cli) -> None:
    shown = cli("trace", "show", office, "--tree").out
    assert "├─ desk" in shown
    assert "│  └─ lawyer" in shown
    assert "agent" in shown
    assert "lawyer" not in cli("trace", "show", office, "--tree", "--depth", "1").out


def test_mermaid_is_a_sequence_diagram(office: str, cli: Cli) -> None:
    shown = cli("trace", "show", office, "--mermaid", "--depth", "1").out
    assert shown.startswith("sequenceDiagram\n    participant a0 as user\n")
    assert "participant a2 as team\n" in shown


def test_the_page_goes_to_a_file_or_to_stdout(
    office: str, cli: Cli, project: Path, tmp_path: Path
) -> None:
    named = tmp_path / "page.html"
    ended = cli("trace", "show", office, "--html", str(named))
    assert ended.out == ""
    assert str(named) in ended.err
    assert named.read_text(encoding="utf-8").startswith("<!doctype html>")
    cli("trace", "show", office, "--html")
    assert "It is legal." in (project / f"{office[:11]}.html").read_text(encoding="utf-8")
    assert cli("trace", "show", office, "--html", "-").out.startswith("<!doctype html>")


def test_a_page_that_cannot_be_written_is_exit_2(office: str, cli: Cli) -> None:
    ended = cli("trace", "show", office, "--html", "no such folder/page.html")
    assert ended.code == 2
    assert "no such folder" in ended.err


def test_the_document_tells_all(office: str, cli: Cli) -> None:
    document = cli("trace", "show", office, "--json", "--depth", "1").json
    text = orjson.dumps(document).decode()
    assert document["state"] == "OK"
    assert document["request"] == "Is it legal?"
    assert '"actor":"team"' in text
    assert '"team/lead"' not in text
    assert '"seen_by"' in text
    assert '"name":"desk"' in text


def test_an_error_stands_where_it_happened(office: str, cli: Cli) -> None:
    cli("run", "office.py:build", "Please fail.")
    shown = lines(cli("trace", "show").out)
    assert shown[-1] == "✗ team/lawyer failed: TimeoutError: no answer in 60 s"
    assert "✗ TimeoutError: no answer in 60 s" in cli("trace", "show", "--tree").out


def test_scores_stand_in_the_title_in_one_column(project: Path, cli: Cli) -> None:
    scorers = ("shouted", "length", "picky")
    chosen = [part for name in scorers for part in ("--scorer", f"scorers.py:{name}")]
    cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--samples", "1", *chosen)
    shown = cli("trace", "show", "latest").out.split("\n\n")[0].splitlines()
    assert shown[2] == "shouted   pass"
    assert shown[3] == "length    6"
    assert shown[4].startswith("picky     failed   KeyError:")
    document: Any = cli("trace", "show", "latest", "--json").json
    assert [(s["name"], s["value"]) for s in document["scores"]] == [
        ("shouted", True),
        ("length", 6),
        ("picky", None),
    ]
    assert '<dt>length</dt><dd class="">6</dd>' in cli("trace", "show", "latest", "--html", "-").out


def test_agents_at_work_at_once_are_told_apart(project: Path, cli: Cli) -> None:
    (project / "fan.py").write_text(FAN_OUT, encoding="utf-8")
    cli("run", "fan.py:build", "animals")
    told = cli("trace", "show").out
    assert re.search(r"planner → researcher#1 +send +(cats|dogs)\n", told)
    assert re.search(r"researcher#2 → writer +state +About (cats|dogs)", told)
    assert cli("trace", "show", "--actor", "researcher#2").out.count("researcher#1") == 0
    assert "researcher#2" in cli("trace", "show", "--tree").out
    document: Any = cli("trace", "show", "--json").json
    assert "researcher" in {message["sender"] for message in document["messages"]}


@pytest.mark.parametrize("name", ["tr-", "t", "abc"])
def test_too_short_an_id_is_exit_2(project: Path, cli: Cli, name: str) -> None:
    ended = cli("trace", "show", name)
    assert ended.code == 2
    assert repr(name) in ended.err


@pytest.mark.parametrize(
    "options",
    [
        ("--tree", "--full"),
        ("--json", "--html"),
        ("--depth", "0"),
        ("--actor", "nobody"),
        ("--actor", "nobody", "--json"),
    ],
)
def test_what_cannot_be_shown_is_exit_2(office: str, cli: Cli, options: tuple[str, ...]) -> None:
    ended = cli("trace", "show", office, *options)
    assert ended.code == 2
    assert ended.err


def test_a_run_can_write_the_page(project: Path, cli: Cli) -> None:
    ended = cli("run", "app.py:build", "hello there", "--html", "run.html")
    assert ended.code == 0
    assert "hello there" in (project / "run.html").read_text(encoding="utf-8")
    assert cli("run", "app.py:build", "hello there", "--html", "-").code == 2


def test_the_traces_of_a_thread_are_read_as_one_story(project: Path, state: Path, cli: Cli) -> None:
    def ask(state: MessagesState) -> dict[str, list[BaseMessage]]:
        answer = interrupt(f"Is {state['messages'][-1].content} right?")
        return {"messages": [AIMessage(f"you said {answer}")]}

    graph = StateGraph(MessagesState)
    graph.add_node("clerk", ask)
    graph.add_edge(START, "clerk")
    app = graph.compile(checkpointer=InMemorySaver())
    options: RunnableConfig = {"configurable": {"thread_id": "customer-7"}}
    said: list[Any] = [{"messages": [HumanMessage("seven")]}, Command(resume="yes")]
    for words in said:
        with record(agent="office") as ledger:
            app.invoke(words, options)
        store_trace(ledger.trace)

    told: Any = cli("trace", "show", "--thread", "customer-7", "--json").json
    assert [(m["sender"], m["text"]) for m in told["messages"]] == [
        ("user", "seven"),
        ("clerk", "Is seven right?"),
        ("user", "yes"),
        ("clerk", "you said yes"),
    ]
    assert told["state"] == "OK"
    assert "clerk → user" in cli("trace", "show", "--thread", "customer-7").out
    found: Any = cli("trace", "list", "--thread", "customer-7", "--json").json
    assert [trace["state"] for trace in found["traces"]] == ["OK", "IN_PROGRESS"]


def test_a_thread_that_nobody_recorded_is_named(project: Path, state: Path, cli: Cli) -> None:
    ended = cli("trace", "show", "--thread", "nobody")
    assert ended.code == 2
    assert "No trace of a thread 'nobody' is stored." in ended.err
