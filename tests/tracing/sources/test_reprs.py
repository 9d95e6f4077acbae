"""Sends and Commands, read from their text and never run."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Command, Interrupt, Send

from linenotes.tracing.sources._reprs import read_command, read_interrupts, read_send
from linenotes.tracing.sources._stored_values import revived


def test_a_send_with_messages_comes_back() -> None:
    send = Send("worker", {"messages": [HumanMessage("Do it.", id="m1")], "count": 2})
    assert revived(read_send(repr(send))) == send


def test_a_command_comes_back() -> None:
    command: Command[str] = Command(
        graph=Command.PARENT, update={"messages": [AIMessage("Over.", id="m1")]}, goto=["bob"]
    )
    assert revived(read_command(repr(command))) == command


def test_interrupts_come_back() -> None:
    asked = (Interrupt("Really?", id="i1"), Interrupt({"what": [1]}, id="i2"))
    assert read_interrupts(repr(asked)) == [("i1", "Really?"), ("i2", {"what": [1]})]


def test_negative_numbers_come_back() -> None:
    send = Send("worker", {"least": -1, "weights": [-0.5, 0.5]})
    assert revived(read_send(repr(send))) == send


def test_a_payload_that_is_no_literal_stays_text() -> None:
    assert revived(read_send("Send(node='w', arg={'x': Thing(1)})")) == Send("w", {"x": "Thing(1)"})


@pytest.mark.parametrize("text", ["Send(node='w', arg=<object at 0x1>)", "Send(node='w', arg="])
def test_a_send_that_cannot_be_parsed_keeps_its_node(text: str) -> None:
    assert revived(read_send(text)) == Send("w", None)


@pytest.mark.parametrize("text", ["", "worker", "Send", "__import__('os').abort()"])
def test_other_text_is_no_send(text: str) -> None:
    assert read_send(text) is None
    assert read_command(text) is None
