from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from linenotes.project import Redactor
from linenotes.tracing import FiledTrace, Message, MlflowStore, Trace, record

KEY = "sk-proj-" + "a1B2" * 8


def test_nobody_hears_a_secret_and_the_graph_does(chain: Callable[..., Any]) -> None:
    heard: list[Message] = []
    with record(on_message=heard.append) as ledger:
        output = chain(f"the plan: {KEY}", "work", "answer").invoke({"question": f"What is {KEY}?"})
        assert KEY not in str(ledger.messages)
        assert KEY not in ledger.trace.to_json().decode()
    assert output["plan"] == f"the plan: {KEY}"
    assert KEY not in str(heard)
    assert KEY not in ledger.trace.to_json().decode()
    assert Redactor().text(KEY) in ledger.trace.request


def test_an_exception_loses_its_secrets_with_those_of_its_causes(
    chain: Callable[..., Any],
) -> None:
    with pytest.raises(ValueError, match=KEY), record() as ledger:
        chain("plan", ValueError(f"no route with {KEY}"), "answer").invoke({"question": "?"})
    assert ledger.trace.error == f"ValueError: no route with {Redactor().text(KEY)}"
    assert KEY not in ledger.trace.to_json().decode()


def test_the_redactor_in_force_when_a_block_begins_serves_it(chain: Callable[..., Any]) -> None:
    with Redactor(personal=True).in_force(), record() as ledger:
        chain("Write to ann@example.org.", "work", "answer").invoke({"question": "?"})
    assert "[personal:email:" in ledger.trace.to_json().decode()


def test_a_store_redacts_what_was_not_recorded_here(
    store: MlflowStore, desk_trace: Callable[..., Trace]
) -> None:
    trace = desk_trace("redacted")
    store.write_traces([FiledTrace(replace(trace, request=f"use {KEY}"), tags={"key": KEY})])
    assert store.read_trace(trace.trace_id).request == f"use {Redactor().text(KEY)}"
