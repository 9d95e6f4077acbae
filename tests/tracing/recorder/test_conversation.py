"""The screenplay of whole graphs: who said what to whom, and why."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, InjectedToolCallId, tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import InjectedState, ToolNode, tools_condition
from langgraph.types import Command, Send
from pydantic import BaseModel

from linenotes.tracing import Ledger, Message, record

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable

Screenplay = Callable[[Ledger], list[tuple[str, str, str, str]]]
Build = Callable[..., Any]
Node = Callable[..., Any]
Graph = CompiledStateGraph[Any, Any, Any, Any]
Anything = dict[str, Any]
ASK: Any = {"messages": [("user", "My card is gone.")]}


def causes(ledger: Ledger) -> dict[str, set[str]]:
    """By text, the texts of the messages that each message answers."""
    texts = {message.id: message.text for message in ledger}
    return {message.text: {texts[cause] for cause in message.cause} for message in ledger}


def test_support_desk_reads_as_a_conversation(
    support_desk: Build, screenplay: Screenplay, play: Build
) -> None:
    with record() as ledger:
        play(support_desk(), ASK)

    lines = screenplay(ledger)
    assert lines[:2] == [
        ("user", "triage", "input", "My card is gone."),
        ("triage", "reviewer, specialist", "handoff", "banking"),
    ]
    assert sorted(lines[2:4]) == [
        ("reviewer", "desk", "reply", "agreed"),
        ("specialist", "desk", "reply", "freeze_account"),
    ]
    assert lines[4:] == [
        ("desk", "user", "reply", "Dear customer: Answer for freeze_account."),
    ]
    assert causes(ledger) == {
        "My card is gone.": set(),
        "banking": {"My card is gone."},
        "agreed": {"banking"},
        "freeze_account": {"banking"},
        "Dear customer: Answer for freeze_account.": {"agreed", "freeze_account"},
    }


def test_support_desk_tells_sampled_messages_from_written_ones(support_desk: Build) -> None:
    with record() as ledger:
        support_desk().invoke(ASK)

    by_sender = {message.sender: message for message in ledger}
    assert {sender: message.sampled for sender, message in by_sender.items()} == {
        "user": False,
        "triage": True,
        "specialist": True,
        "reviewer": True,
        "desk": False,
    }
    assert by_sender["triage"].model == "scripted-1"
    assert by_sender["triage"].tokens.total == 12
    assert ledger.calls == 3
    assert ledger.tokens.total == 36


def test_reviewer_sends_the_case_back_once(support_desk: Build, screenplay: Screenplay) -> None:
    with record() as ledger:
        support_desk(opinions=("wrong team", "agreed")).invoke(ASK)

    lines = screenplay(ledger)
    assert lines[0] == ("user", "triage", "input", "My card is gone.")
    assert ("reviewer", "triage", "handoff", "wrong team") in lines
    assert lines.count(("triage", "reviewer, specialist", "handoff", "banking")) == 2
    assert ("reviewer", "desk", "reply", "agreed") in lines
    assert lines[-1][:3] == ("desk", "user", "reply")
    second = [m for m in ledger if m.sender == "triage"][1]
    assert {m.sender for m in ledger if m.id in second.cause} == {"specialist", "reviewer"}
    assert len({m.activation for m in ledger if m.sender == "triage"}) == 2


def test_out_of_scope_goes_to_escalation(support_desk: Build, screenplay: Screenplay) -> None:
    with record() as ledger:
        support_desk(team="out_of_scope").invoke(ASK)

    assert screenplay(ledger) == [
        ("user", "triage", "input", "My card is gone."),
        ("triage", "escalation", "handoff", "out_of_scope"),
        ("escalation", "desk", "reply", "Nobody here can help."),
        ("desk", "user", "reply", "Dear customer: Nobody here can help."),
    ]


def test_tool_call_and_result_are_messages(
    researcher_and_writer: Build, screenplay: Screenplay, play: Build
) -> None:
    with record() as ledger:
        play(researcher_and_writer(), {"messages": [("user", "Item 3?")]})

    assert screenplay(ledger) == [
        ("user", "researcher", "input", "Item 3?"),
        ("researcher", "lookup", "call", "Let me look.\nlookup(item=3)"),
        ("lookup", "researcher", "result", "value 3"),
        ("researcher", "writer", "reply", "It is found."),
        ("writer", "user", "reply", "The answer."),
    ]
    assert causes(ledger)["It is found."] == {"value 3"}
    assert causes(ledger)["The answer."] == {"It is found."}
    assert {m.tool_call_id for m in ledger if m.kind in {"call", "result"}} == {"c3"}


def test_parallel_tool_results_both_cause_the_next_reply(researcher_and_writer: Build) -> None:
    with record() as ledger:
        researcher_and_writer(3, 4).invoke({"messages": [("user", "Items?")]})

    assert causes(ledger)["It is found."] == {"value 3", "value 4"}


def test_failed_tool_answers_with_its_error(
    researcher_and_writer: Build, screenplay: Screenplay
) -> None:
    with record() as ledger:
        researcher_and_writer(-1).invoke({"messages": [("user", "Item -1?")]})

    sender, recipient, kind, text = screenplay(ledger)[2]
    assert (sender, recipient, kind) == ("lookup", "researcher", "result")
    assert "No such item." in text


def test_plain_text_state_carries_the_replies(
    chain: Build, screenplay: Screenplay, play: Build
) -> None:
    with record() as ledger:
        play(chain(), {"question": "What now?"})

    assert screenplay(ledger) == [
        ("user", "planner", "input", "What now?"),
        ("planner", "worker", "reply", "the plan"),
        ("worker", "reviewer", "reply", "the work"),
        ("reviewer", "user", "reply", "the answer"),
    ]
    assert causes(ledger) == {
        "What now?": set(),
        "the plan": {"What now?"},
        "the work": {"the plan"},
        "the answer": {"the work"},
    }
    assert ledger.messages[1].seen_by == ("reviewer",)


class MapState(TypedDict, total=False):
    topics: list[str]
    found: Annotated[list[str], operator.add]
    report: str


def map_graph(scripted: Build) -> Graph:
    models = {topic: scripted(f"about {topic}") for topic in ("otters", "seals")}

    def plan(state: MapState) -> dict[str, Any]:
        return {"topics": ["otters", "seals"]}

    def share_out(state: MapState) -> list[Send]:
        return [Send("worker", {"topic": topic}) for topic in state["topics"]]

    def worker(state: Anything) -> dict[str, Any]:
        return {"found": [models[state["topic"]].invoke(state["topic"]).content]}

    def join(state: MapState) -> dict[str, Any]:
        return {"report": " and ".join(sorted(state["found"]))}

    graph = StateGraph(MapState)
    for node in (plan, worker, join):
        graph.add_node(node)
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", share_out, ["worker"])
    graph.add_edge("worker", "join")
    return graph.compile()


def test_send_map_and_join(scripted: Build, screenplay: Screenplay, play: Build) -> None:
    with record() as ledger:
        play(map_graph(scripted), {"topics": []})

    assert sorted(screenplay(ledger)) == [
        ("join", "user", "state", "about otters and about seals"),
        ("plan", "join", "state", "otters, seals"),
        ("plan", "worker", "send", "otters"),
        ("plan", "worker", "send", "seals"),
        ("worker", "join", "reply", "about otters"),
        ("worker", "join", "reply", "about seals"),
    ]
    why = causes(ledger)
    assert why["about otters"] == {"otters"}
    assert why["about seals"] == {"seals"}
    assert why["about otters and about seals"] >= {"about otters", "about seals"}


def test_send_from_the_start_of_a_graph_is_the_users(
    scripted: Build, screenplay: Screenplay
) -> None:
    def share_out(state: MapState) -> list[Send]:
        return [Send("worker", {"topic": topic}) for topic in state["topics"]]

    def worker(state: Anything) -> dict[str, Any]:
        return {"found": [f"about {state['topic']}"]}

    graph = StateGraph(MapState)
    graph.add_node(worker)  # type: ignore[type-var, unused-ignore]  # LangGraph's types know no plain dict
    graph.add_conditional_edges(START, share_out, ["worker"])
    with record() as ledger:
        graph.compile().invoke({"topics": ["otters", "seals"]})

    lines = screenplay(ledger)
    assert lines[:3] == [
        ("user", "", "input", "otters, seals"),
        ("user", "worker", "send", "otters"),
        ("user", "worker", "send", "seals"),
    ]
    assert sorted(lines[3:]) == [
        ("worker", "user", "state", "about otters"),
        ("worker", "user", "state", "about seals"),
    ]


def test_messages_sent_to_a_node_are_delivered_without_a_row_of_their_own(
    screenplay: Screenplay,
) -> None:
    def share_out(state: MessagesState) -> list[Send]:
        return [Send("worker", {"messages": state["messages"]})]

    def worker(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage("done")]}

    graph = StateGraph(MessagesState)
    graph.add_node(worker)
    graph.add_conditional_edges(START, share_out, ["worker"])
    with record() as ledger:
        graph.compile().invoke(ASK)

    assert screenplay(ledger) == [
        ("user", "worker", "input", "My card is gone."),
        ("worker", "user", "reply", "done"),
    ]


def supervisor_graph(scripted: Build) -> Graph:
    decider = scripted("researcher", "coder", "FINISH")

    def supervisor(state: MessagesState) -> Command[Any]:
        choice = decider.invoke([("system", "Choose."), *state["messages"]]).content
        return Command(goto=END if choice == "FINISH" else choice)

    def researcher(state: MessagesState) -> Command[Any]:
        said = HumanMessage("Facts.", name="researcher")
        return Command(update={"messages": [said]}, goto="supervisor")

    def coder(state: MessagesState) -> Command[Any]:
        said = HumanMessage("Code.", name="coder")
        return Command(update={"messages": [said]}, goto="supervisor")

    graph = StateGraph(MessagesState)
    for node in (supervisor, researcher, coder):
        graph.add_node(node)
    graph.add_edge(START, "supervisor")
    return graph.compile()


def test_supervisor_loop(scripted: Build, screenplay: Screenplay, play: Build) -> None:
    with record() as ledger:
        play(supervisor_graph(scripted), {"messages": [("user", "Do it.")]})

    assert screenplay(ledger) == [
        ("user", "supervisor", "input", "Do it."),
        ("supervisor", "researcher", "handoff", "researcher"),
        ("researcher", "supervisor", "handoff", "Facts."),
        ("supervisor", "coder", "handoff", "coder"),
        ("coder", "supervisor", "handoff", "Code."),
        ("supervisor", "", "reply", "FINISH"),
    ]
    assert causes(ledger)["FINISH"] == {"Code."}


def test_handoff_without_a_message_has_a_row_of_its_own(screenplay: Screenplay) -> None:
    def first(state: MessagesState) -> Command[Any]:
        return Command(goto="second")

    def second(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage("done")]}

    graph = StateGraph(MessagesState)
    graph.add_node(first)
    graph.add_node(second)
    graph.add_edge(START, "first")
    with record() as ledger:
        graph.compile().invoke(ASK)

    assert screenplay(ledger) == [
        ("user", "first", "input", "My card is gone."),
        ("first", "second", "handoff", ""),
        ("second", "user", "reply", "done"),
    ]


def test_structured_reply_travels_as_the_value_that_its_node_took_from_it(
    scripted: Build, screenplay: Screenplay
) -> None:
    model = scripted('{"team": "banking"}')

    def decide(state: Anything) -> dict[str, Any]:
        model.invoke(state["question"])
        return {"plan": "banking"}

    def act(state: Anything) -> dict[str, Any]:
        return {"answer": f"to {state['plan']}"}

    class State(TypedDict, total=False):
        question: str
        plan: str
        answer: str

    graph = StateGraph(State)
    graph.add_node(decide)  # type: ignore[type-var, unused-ignore]  # LangGraph's types know no plain dict
    graph.add_node(act)  # type: ignore[type-var, unused-ignore]  # LangGraph's types know no plain dict
    graph.add_edge(START, "decide")
    graph.add_edge("decide", "act")
    with record() as ledger:
        graph.compile().invoke({"question": "Where to?"})

    assert screenplay(ledger) == [
        ("user", "decide", "input", "Where to?"),
        ("decide", "act", "reply", '{"team": "banking"}'),
        ("act", "user", "state", "to banking"),
    ]
    assert causes(ledger)["to banking"] == {'{"team": "banking"}'}
    assert ledger.calls == 1


def test_new_message_with_the_words_of_the_reply_is_that_reply(
    scripted: Build, screenplay: Screenplay
) -> None:
    model = scripted("Hello.")

    def greeter(state: MessagesState) -> dict[str, Any]:
        said = model.invoke(state["messages"])
        return {"messages": [AIMessage(content=said.content, name="greeter")]}

    graph = StateGraph(MessagesState)
    graph.add_node(greeter)
    graph.add_edge(START, "greeter")
    with record() as ledger:
        graph.compile().invoke(ASK)

    assert screenplay(ledger)[1:] == [("greeter", "user", "reply", "Hello.")]
    assert ledger.messages[1].sampled


def test_parallel_branches_and_late_readers(screenplay: Screenplay) -> None:
    def speaker(name: str) -> Node:
        def speak(state: MessagesState) -> dict[str, Any]:
            return {"messages": [AIMessage(f"{name} speaks")]}

        return speak

    graph = StateGraph(MessagesState)
    for name in ("a", "b", "c", "d"):
        graph.add_node(name, speaker(name))
    graph.add_edge(START, "a")
    graph.add_edge("a", "b")
    graph.add_edge("a", "c")
    graph.add_edge(["b", "c"], "d")
    with record() as ledger:
        graph.compile().invoke(ASK)

    assert sorted(screenplay(ledger)) == [
        ("a", "b, c", "reply", "a speaks"),
        ("b", "d", "reply", "b speaks"),
        ("c", "d", "reply", "c speaks"),
        ("d", "user", "reply", "d speaks"),
        ("user", "a", "input", "My card is gone."),
    ]
    assert causes(ledger)["d speaks"] == {"b speaks", "c speaks"}
    assert ledger.messages[1].seen_by == ("d",)


def test_loop_delivers_to_the_next_activation_of_the_same_actor(screenplay: Screenplay) -> None:
    class Counting(MessagesState):
        rounds: int

    def worker(state: Counting) -> dict[str, Any]:
        rounds = state.get("rounds", 0) + 1
        return {"messages": [AIMessage(f"round {rounds}")], "rounds": rounds}

    graph = StateGraph(Counting)
    graph.add_node(worker)
    graph.add_edge(START, "worker")
    graph.add_conditional_edges("worker", lambda s: END if s["rounds"] == 3 else "worker")
    with record() as ledger:
        graph.compile().invoke(ASK)

    assert screenplay(ledger) == [
        ("user", "worker", "input", "My card is gone."),
        ("worker", "worker", "reply", "round 1"),
        ("worker", "worker", "reply", "round 2"),
        ("worker", "user", "reply", "round 3"),
    ]


def test_subgraph_messages_reach_the_actors_inside(screenplay: Screenplay) -> None:
    def speaker(name: str) -> Node:
        def speak(state: MessagesState) -> dict[str, Any]:
            return {"messages": [AIMessage(f"{name} speaks")]}

        return speak

    team = StateGraph(MessagesState)
    team.add_node("searcher", speaker("searcher"))
    team.add_node("writer", speaker("writer"))
    team.add_edge(START, "searcher")
    team.add_edge("searcher", "writer")
    graph = StateGraph(MessagesState)
    graph.add_node("team", team.compile())
    graph.add_node("critic", speaker("critic"))
    graph.add_edge(START, "team")
    graph.add_edge("team", "critic")
    with record() as ledger:
        graph.compile().invoke(ASK)

    assert screenplay(ledger) == [
        ("user", "team/searcher", "input", "My card is gone."),
        ("team/searcher", "team/writer", "reply", "searcher speaks"),
        ("team/writer", "critic", "reply", "writer speaks"),
        ("critic", "user", "reply", "critic speaks"),
    ]


def test_graph_called_inside_a_node_is_given_an_errand(screenplay: Screenplay) -> None:
    def helper(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage("helped")]}

    inner = StateGraph(MessagesState)
    inner.add_node(helper)
    inner.add_edge(START, "helper")
    compiled = inner.compile()

    def boss(state: MessagesState) -> dict[str, Any]:
        got = compiled.invoke({"messages": [HumanMessage("Help me.")]})
        return {"messages": [AIMessage(f"I was {got['messages'][-1].content}.")]}

    graph = StateGraph(MessagesState)
    graph.add_node(boss)
    graph.add_edge(START, "boss")
    with record() as ledger:
        graph.compile().invoke(ASK)

    assert screenplay(ledger)[0] == ("user", "boss", "input", "My card is gone.")
    assert screenplay(ledger)[1] == ("boss", "boss/helper", "delegate", "Help me.")
    assert screenplay(ledger)[2][::2] == ("boss/helper", "reply")
    assert screenplay(ledger)[3] == ("boss", "user", "reply", "I was helped.")


@pytest.mark.parametrize(
    "given",
    [
        "My card is gone.",
        [("user", "My card is gone.")],
        [{"role": "user", "content": "My card is gone."}],
        [HumanMessage("My card is gone.")],
        [HumanMessage("My card is gone.", id="mine")],
    ],
)
def test_the_users_message_is_recognised_however_it_is_written(
    support_desk: Build, screenplay: Screenplay, given: object
) -> None:
    with record() as ledger:
        support_desk().invoke({"messages": given})

    assert [line for line in screenplay(ledger) if line[0] == "user"] == [
        ("user", "triage", "input", "My card is gone.")
    ]
    assert ledger.trace.request == "My card is gone."


def test_chat_over_two_turns_keeps_the_messages_of_the_first(support_desk: Build) -> None:
    graph = support_desk()
    with record() as ledger:
        first = graph.invoke(ASK)
        graph.invoke({"messages": [*first["messages"], HumanMessage("And now?")]})

    assert [m.text for m in ledger if m.kind == "input"] == ["My card is gone.", "And now?"]
    assert len({m.id for m in ledger}) == len(ledger) == 10


def agent(model: BaseChatModel, tools: list[BaseTool], name: str) -> Runnable[Any, Any]:
    """An agent as `create_agent` makes it: a graph of its own with its name in the metadata."""

    def call_model(state: MessagesState) -> dict[str, Any]:
        said = model.bind_tools(tools).invoke(state["messages"])
        return {"messages": [said.model_copy(update={"name": name})]}

    graph = StateGraph(MessagesState)
    graph.add_node("model", call_model)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile(name=name).with_config({"metadata": {"lc_agent_name": name}})


def calling(name: str, **args: object) -> AIMessage:
    return AIMessage(
        "", tool_calls=[{"name": name, "args": args, "id": f"c-{name}", "type": "tool_call"}]
    )


@tool
def lookup(item: int) -> str:
    """Find an item."""
    return f"value {item}"


@tool
def transfer_to_bob(
    state: Annotated[dict[str, Any], InjectedState],
    tool_call_id: Annotated[str, InjectedToolCallId],
) -> Command[Any]:
    """Hand over to Bob."""
    done = ToolMessage("Transferred.", tool_call_id=tool_call_id, name="transfer_to_bob")
    return Command(
        goto="bob", graph=Command.PARENT, update={"messages": [*state["messages"], done]}
    )


def test_named_agent_is_one_actor(scripted: Build, screenplay: Screenplay, play: Build) -> None:
    graph = StateGraph(MessagesState)
    model = scripted(calling("lookup", item=3), "It is 3.")
    graph.add_node("first", agent(model, [lookup], "alice"))
    graph.add_node("second", agent(scripted("Thanks."), [lookup], "bob"))
    graph.add_edge(START, "first")
    graph.add_edge("first", "second")
    with record() as ledger:
        play(graph.compile(), ASK)

    assert screenplay(ledger) == [
        ("user", "alice", "input", "My card is gone."),
        ("alice", "lookup", "call", "lookup(item=3)"),
        ("lookup", "alice", "result", "value 3"),
        ("alice", "bob", "reply", "It is 3."),
        ("bob", "user", "reply", "Thanks."),
    ]
    spans = [(span.type, span.name) for span in ledger.trace.spans if span.type != "CHAT_MODEL"]
    assert spans == [
        ("WORKFLOW", "LangGraph"),
        ("AGENT", "alice"),
        ("TOOL", "lookup"),
        ("AGENT", "bob"),
    ]


def test_call_result_and_goto_of_a_handoff_tool_are_one_row(
    scripted: Build, screenplay: Screenplay, play: Build
) -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("alice", agent(scripted(calling("transfer_to_bob")), [transfer_to_bob], "alice"))
    graph.add_node("bob", agent(scripted("Bob here."), [lookup], "bob"))
    graph.add_edge(START, "alice")
    with record() as ledger:
        play(graph.compile(), ASK)

    assert screenplay(ledger) == [
        ("user", "alice", "input", "My card is gone."),
        ("alice", "bob", "handoff", "transfer_to_bob()"),
        ("transfer_to_bob", "bob", "ack", "Transferred."),
        ("bob", "user", "reply", "Bob here."),
    ]
    assert causes(ledger)["Bob here."] == {"transfer_to_bob()"}
    (tool,) = (span for span in ledger.trace.spans if span.type == "TOOL")
    assert tool.attributes["gen_ai.transfer.mode"] == "pass_control"
    assert tool.attributes["gen_ai.transfer.target.name"] == "bob"


def test_agent_used_as_a_tool_gets_an_errand_and_answers(
    scripted: Build, screenplay: Screenplay
) -> None:
    helper = agent(scripted("It is 4."), [lookup], "helper")

    @tool
    def research(question: str) -> str:
        """Ask the helper."""
        return str(helper.invoke({"messages": [("user", question)]})["messages"][-1].content)

    with record() as ledger:
        boss = agent(scripted(calling("research", question="What?"), "Four."), [research], "boss")
        boss.invoke(ASK)

    assert screenplay(ledger) == [
        ("user", "boss", "input", "My card is gone."),
        ("boss", "research", "call", 'research(question="What?")'),
        ("boss", "boss/helper", "delegate", "What?"),
        ("boss/helper", "boss", "reply", "It is 4."),
        ("research", "boss", "result", "It is 4."),
        ("boss", "user", "reply", "Four."),
    ]
    parents = {span.span_id: span.name for span in ledger.trace.spans}
    (helper_span,) = (span for span in ledger.trace.spans if span.name == "helper")
    assert parents[str(helper_span.parent_id)] == "research"
    (research_span,) = (span for span in ledger.trace.spans if span.type == "TOOL")
    assert research_span.attributes["gen_ai.transfer.mode"] == "return_to_caller"
    assert research_span.attributes["gen_ai.transfer.target.name"] == "boss/helper"


class Form(BaseModel):
    question: str
    plan: str = ""
    answer: str = ""


def test_pydantic_state_is_read_like_a_dict(scripted: Build, screenplay: Screenplay) -> None:
    planner = scripted("the plan")

    def plan(state: Form) -> dict[str, Any]:
        return {"plan": planner.invoke(state.question).content}

    def act(state: Form) -> dict[str, Any]:
        return {"answer": f"did {state.plan}"}

    graph = StateGraph(Form)
    graph.add_node("planner", plan)
    graph.add_node("actor", act)
    graph.add_edge(START, "planner")
    graph.add_edge("planner", "actor")
    with record() as ledger:
        graph.compile().invoke(Form(question="What now?"))

    assert screenplay(ledger) == [
        ("user", "planner", "input", "What now?"),
        ("planner", "actor", "reply", "the plan"),
        ("actor", "user", "state", "did the plan"),
    ]


@pytest.mark.parametrize(
    "written",
    [
        [{"role": "assistant", "content": "It is Paris.", "name": "atlas"}],
        {"role": "ai", "content": "It is Paris.", "name": "atlas"},
        [("ai", "It is Paris.")],
        [AIMessage("It is Paris.")],
    ],
    ids=["dicts", "dict", "pair", "message"],
)
def test_what_a_node_says_is_its_own_however_it_is_written(
    written: object, screenplay: Screenplay
) -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("atlas", lambda _: {"messages": written})
    graph.add_node("editor", lambda _: {"messages": [AIMessage("Paris!")]})
    graph.add_edge(START, "atlas")
    graph.add_edge("atlas", "editor")
    with record() as ledger:
        graph.compile().invoke({"messages": [HumanMessage("Capital?")]})
    assert screenplay(ledger) == [
        ("user", "atlas", "input", "Capital?"),
        ("atlas", "editor", "reply", "It is Paris."),
        ("editor", "user", "reply", "Paris!"),
    ]


class Notes(TypedDict, total=False):
    notes: str
    task: str


def test_value_that_quotes_the_nodes_reply_is_that_reply(
    scripted: Build, screenplay: Screenplay
) -> None:
    model = scripted("Dumplings and hand-pulled noodles.")
    told: list[Message] = []
    graph = StateGraph(Notes)
    graph.add_node("finder", lambda s: {"notes": f"food: {model.invoke(s['task']).content}"})
    graph.add_node("writer", lambda s: {"task": s["notes"].upper()})
    graph.add_edge(START, "finder")
    graph.add_edge("finder", "writer")
    with record(on_message=told.append) as ledger:
        graph.compile().invoke({"task": "What to eat?"})

    assert screenplay(ledger) == [
        ("user", "finder", "input", "What to eat?"),
        ("finder", "writer", "reply", "Dumplings and hand-pulled noodles."),
        ("writer", "user", "state", "FOOD: DUMPLINGS AND HAND-PULLED NOODLES."),
    ]
    assert [message.recipients for message in told] == [m.recipients for m in ledger]


def test_reply_that_another_prompt_quotes_is_announced_with_its_reader(scripted: Build) -> None:
    kept, model = scripted("A thought that is long enough."), scripted("The answer.")
    thoughts: list[str] = []
    told: list[Message] = []

    def think(state: MessagesState) -> None:
        thoughts.append(str(kept.invoke(state["messages"]).content))

    graph = StateGraph(MessagesState)
    graph.add_node("thinker", think)
    graph.add_node("writer", lambda _: {"messages": [model.invoke(f"Consider: {thoughts[0]}")]})
    graph.add_edge(START, "thinker")
    graph.add_edge("thinker", "writer")
    with record(on_message=told.append) as ledger:
        graph.compile().invoke(ASK)

    assert {m.text: m.recipients for m in told} == {m.text: m.recipients for m in ledger}
    assert {m.text: m.recipients for m in told}["A thought that is long enough."] == ("writer",)


def test_payload_that_code_made_took_no_time(scripted: Build) -> None:
    graph = map_graph(scripted)
    with record() as ledger:
        graph.invoke({"topic": "tea"})

    assert {m.start_ns == m.end_ns for m in ledger if m.kind == "send"} == {True}


def test_replies_retold_as_results_reach_whoever_reads_the_results(scripted: Build) -> None:
    says = {"a": "The first finding, at length.", "b": "The second finding, at length."}
    ask = [{"name": "ask", "args": {"who": one}, "id": one, "type": "tool_call"} for one in says]
    boss = scripted(AIMessage("", tool_calls=ask), "All is known.")
    models = {one: scripted(text) for one, text in says.items()}

    def helpers(state: MessagesState) -> dict[str, Any]:
        told = {}
        for one, model in models.items():
            inner = StateGraph(MessagesState)
            inner.add_node(one, lambda s, m=model: {"messages": [m.invoke(s["messages"])]})
            inner.add_edge(START, one)
            said = inner.compile().invoke({"messages": [HumanMessage(f"Errand of {one}.")]})
            told[one] = said["messages"][-1].content
        return {"messages": [ToolMessage(text, tool_call_id=one) for one, text in told.items()]}

    graph = StateGraph(MessagesState)
    graph.add_node("boss", lambda s: {"messages": [boss.invoke(s["messages"])]})
    graph.add_node("helpers", helpers)
    graph.add_edge(START, "boss")
    graph.add_conditional_edges("boss", lambda s: "helpers" if len(s["messages"]) == 2 else END)
    graph.add_edge("helpers", "boss")
    with record() as ledger:
        graph.compile().invoke(ASK)

    findings = [m for m in ledger if m.sampled and m.text in says.values()]
    assert [(*m.recipients, *m.seen_by) for m in findings] == [("helpers", "boss")] * 2


@pytest.mark.parametrize("odd", [{"role": "tool", "content": "x"}, {"type": "ai", "content": 5}])
def test_a_dict_that_only_looks_like_a_message_is_a_value(odd: Anything) -> None:
    graph = StateGraph(MapState)
    graph.add_node("maker", lambda _: {"topics": odd})
    graph.add_node("reader", lambda state: {"report": str(state["topics"])})
    graph.add_edge(START, "maker")
    graph.add_edge("maker", "reader")
    with record() as ledger:
        graph.compile().invoke({"report": "?"})

    assert [(m.sender, *m.recipients) for m in ledger] == [
        ("user", "maker"), ("maker", "reader"), ("reader", "user")
    ]  # fmt: skip
