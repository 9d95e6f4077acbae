"""Logs that were cut anywhere, or that another version wrote."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph

from linenotes.project import Project
from linenotes.tracing import record
from linenotes.tracing.live._live_reading import read_live


@pytest.fixture
def log(project: Project) -> bytes:
    graph = StateGraph(MessagesState)
    graph.add_node("one", lambda _: {"messages": [AIMessage("ünd 🙏")]})
    graph.add_node("two", lambda _: {"messages": [AIMessage("ok")]})
    graph.add_edge(START, "one")
    graph.add_edge("one", "two")
    with record(project=project, durable=True):
        graph.compile().invoke({"messages": [HumanMessage("hi")]})
    [file] = project.live.iterdir()
    return file.read_bytes()


def test_a_log_can_be_cut_at_any_byte(log: bytes) -> None:
    header = log.index(b"\n") + 1
    whole = read_live(log, alive=False)
    assert whole is not None
    texts = [message.text for message in whole.trace.messages]
    known = 0
    for end in range(header, len(log) + 1):
        live = read_live(log[:end], alive=False)
        assert live is not None
        assert [message.text for message in live.trace.messages] == texts[
            : len(live.trace.messages)
        ]
        assert len(live.trace.messages) >= known
        known = len(live.trace.messages)
    assert (known, texts) == (3, ["hi", "ünd 🙏", "ok"])


def test_without_a_whole_header_it_is_no_log(log: bytes) -> None:
    assert read_live(b"", alive=False) is None
    assert read_live(log[:20], alive=False) is None
    assert read_live(b'{"another": "file"}\n', alive=False) is None


@pytest.mark.parametrize(
    "line", [b"\x00\x00\x00", b"[1]", b'{"span": "x"}', b'{"end": "nobody"}', b'{"row": 7}']
)
def test_nothing_after_a_senseless_line_is_believed(log: bytes, line: bytes) -> None:
    lines = log.split(b"\n")
    live = read_live(b"\n".join([*lines[:4], line, *lines[4:]]), alive=False)
    assert live is not None
    assert live == read_live(b"\n".join([*lines[:4], b""]), alive=False)


def test_lines_of_a_kind_that_is_not_known_are_passed_over(log: bytes) -> None:
    lines = log.split(b"\n")
    added = b"\n".join([*lines[:4], b'{"a later version": 1}', *lines[4:]])
    assert read_live(added, alive=True) == read_live(log, alive=True)
