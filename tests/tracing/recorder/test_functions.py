"""The functional API: functions are actors, and values their messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task

from linenotes.tracing import Ledger, record

Build = Callable[..., Any]
Screenplay = Callable[[Ledger], list[tuple[str, str, str, str]]]


def test_functions_that_call_one_another_are_actors(
    scripted: Build, screenplay: Screenplay
) -> None:
    model = scripted("An essay on cats.")

    @task
    def write(topic: str) -> str:
        return str(model.invoke(topic).content)

    @task
    def grade(essay: str, scale: str) -> str:
        return f"{len(essay)} of {scale}"

    @entrypoint()
    def flow(topic: str) -> str:
        return grade(write(topic).result(), "100").result()

    with record() as ledger:
        flow.invoke("cats")

    assert screenplay(ledger) == [
        ("user", "flow/write", "input", "cats"),
        ("flow/write", "flow/grade", "reply", "An essay on cats."),
        ("flow", "flow/grade", "delegate", "100"),
        ("flow/grade", "user", "state", "17 of 100"),
    ]
    assert [(s.type, s.name) for s in ledger.trace.spans] == [
        ("WORKFLOW", "LangGraph"),
        ("AGENT", "flow"),
        ("AGENT", "write"),
        ("CHAT_MODEL", "chat scripted-1"),
        ("AGENT", "grade"),
    ]


def test_messages_pass_from_function_to_function(scripted: Build, screenplay: Screenplay) -> None:
    model = scripted("A plan.")

    @task
    async def plan(topic: str) -> AIMessage:
        return AIMessage(**(await model.ainvoke(topic)).model_dump())

    @task
    async def check(message: AIMessage) -> dict[str, str]:
        return {"verdict": f"{message.text} Fine."}

    @entrypoint(checkpointer=InMemorySaver())
    async def flow(given: dict[str, str]) -> entrypoint.final[dict[str, str], AIMessage]:
        planned = await plan(given["topic"])
        return entrypoint.final(value=await check(planned), save=planned)

    with record() as ledger:
        asyncio.run(flow.ainvoke({"topic": "cats"}, {"configurable": {"thread_id": "1"}}))

    assert screenplay(ledger) == [
        ("user", "flow/plan", "input", "cats"),
        ("flow/plan", "flow/check", "reply", "A plan."),
        ("flow/check", "user", "state", "A plan. Fine."),
    ]


def test_functions_called_at_once_keep_apart(screenplay: Screenplay) -> None:
    @task
    def shout(word: str) -> str:
        return word.upper()

    @entrypoint()
    def flow(words: list[str]) -> list[str]:
        return [future.result() for future in [shout(word) for word in words]]

    with record() as ledger:
        flow.invoke(["cat", "dog"])

    assert sorted(screenplay(ledger)) == [
        ("flow", "flow/shout", "delegate", "cat"),
        ("flow", "flow/shout", "delegate", "dog"),
        ("flow/shout", "user", "state", "CAT"),
        ("flow/shout", "user", "state", "DOG"),
        ("user", "flow", "input", "cat, dog"),
    ]
    assert len({m.activation for m in ledger if m.kind == "state"}) == 2


def test_value_that_its_caller_uses_up_has_reached_the_caller(
    scripted: Build, screenplay: Screenplay
) -> None:
    model = scripted("An essay on cats.", "A song on cats.")

    @task
    def write(topic: str) -> str:
        return str(model.invoke(topic).content)

    @entrypoint()
    def flow(topic: str) -> str:
        return f"{write(topic).result()} And: {write(topic).result()}"

    with record() as ledger:
        flow.invoke("cats")

    assert screenplay(ledger)[1:] == [
        ("flow/write", "flow", "reply", "An essay on cats."),
        ("flow/write", "flow", "reply", "A song on cats."),
        ("flow", "user", "state", "An essay on cats. And: A song on cats."),
    ]


def test_call_that_a_function_executes_is_no_errand(
    scripted: Build, screenplay: Screenplay
) -> None:
    @tool
    def look(up: str) -> str:
        """Look something up."""
        return f"Page of {up}."

    call = {"name": "look", "args": {"up": "cats"}, "id": "1", "type": "tool_call"}
    model = scripted(AIMessage("", tool_calls=[call]), "All about cats.")

    @task
    def ask(messages: list[Any]) -> AIMessage:
        said: AIMessage = model.invoke(messages)
        return said

    @task
    def execute(call: ToolCall) -> ToolMessage:
        result: ToolMessage = look.invoke(call)
        return result

    @entrypoint()
    def flow(messages: list[Any]) -> AIMessage:
        asked = ask(messages).result()
        result = execute(asked.tool_calls[0]).result()
        return ask([*messages, asked, result]).result()

    with record() as ledger:
        flow.invoke([HumanMessage("Cats?")])

    assert screenplay(ledger) == [
        ("user", "flow/ask", "input", "Cats?"),
        ("flow/ask", "look", "call", 'look(up="cats")'),
        ("look", "flow/ask", "result", "Page of cats."),
        ("flow/ask", "user", "reply", "All about cats."),
    ]


def test_messages_given_as_dicts_read_as_what_they_say(
    scripted: Build, screenplay: Screenplay
) -> None:
    model = scripted("All about cats.")

    @entrypoint()
    def flow(messages: list[Any]) -> AIMessage:
        said: AIMessage = model.invoke(messages)
        return said

    with record() as ledger:
        flow.invoke([{"role": "user", "content": "Cats?"}])

    assert screenplay(ledger)[0] == ("user", "flow", "input", "Cats?")
