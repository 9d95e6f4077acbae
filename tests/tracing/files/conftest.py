"""Small chats, and small exports of spans."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from linenotes.tracing import ImportedConversation, read_conversations

Json = Any
WriteFile = Callable[..., Path]
ReadFile = Callable[..., list[ImportedConversation]]
_START = 1_790_000_000_000_000_000


@pytest.fixture(scope="session")
def tau_bench_excerpt() -> Path:
    """Three tasks of tau-bench with four trials each; see ATTRIBUTION.md beside it."""
    return Path(__file__).parent / "data" / "tau_bench_airline_excerpt.json"


@pytest.fixture
def write_file(tmp_path: Path) -> WriteFile:
    """Write JSON, or several JSON values a line each, and return the path."""

    def write(*values: Json, name: str = "chats.json") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(json.dumps(value) for value in values), encoding="utf-8")
        return path

    return write


@pytest.fixture
def read_file(write_file: WriteFile) -> ReadFile:
    """Write JSON and return the conversations that are read from it."""

    def read(*values: Json, **options: Json) -> list[ImportedConversation]:
        path = write_file(*values)
        return list(read_conversations(path, **{"identity": "test", "start_ns": _START, **options}))

    return read


@pytest.fixture(scope="session")
def lookup() -> list[Json]:
    """A user asks, the agent looks something up and answers."""
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"x": "a"}'}}
    return [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Where is a?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "name": "find", "content": "in Köln"},
        {"role": "assistant", "content": "It is in Köln."},
    ]


@pytest.fixture(scope="session")
def otlp() -> Callable[..., Json]:
    """Return an export of spans, each given as keywords of `otlp_span`."""

    def make(*spans: Mapping[str, Json], service: str = "shop", trace: str = "a" * 32) -> Json:
        made = [_otlp_span(number, trace=trace, **span) for number, span in enumerate(spans, 1)]
        resource = {"attributes": _attributes({"service.name": service})}
        return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": made}]}]}

    return make


def _otlp_span(
    number: int,
    *,
    trace: str,
    name: str = "chat gpt-5",
    parent: int | None = 1,
    attributes: Mapping[str, Json] | None = None,
    events: Sequence[tuple[str, Mapping[str, Json]]] = (),
    **more: Json,
) -> Json:
    start = _START + number * 1_000_000
    above = {} if parent is None or number == 1 else {"parentSpanId": f"{parent:016x}"}
    return {
        "traceId": trace,
        "spanId": f"{number:016x}",
        **above,
        "name": name,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + (50_000_000 if number == 1 else 500_000)),
        "attributes": _attributes(attributes or {}),
        "events": [
            {"name": event, "timeUnixNano": str(start), "attributes": _attributes(held)}
            for event, held in events
        ],
        **more,
    }


def _attributes(attributes: Mapping[str, Json]) -> list[Json]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Json) -> Json:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    return {"stringValue": json.dumps(value)}
