"""The tags by which a trace is found: written and asked for in this one place.

MLflow indexes the tags of a trace and not what stands in its spans. So every agent, tool, handoff
and error of a trace is a tag of its own, `agent.NAME`, `tool.NAME`, `handoff.FROM.TO` and
`error.TYPE`, whose value is `1`. The graph itself is found like an agent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypedDict

from linenotes.tracing._conventions import CASE, EXCEPTION, THREAD, VERSION
from linenotes.tracing._ledger import Message
from linenotes.tracing._trace import Trace, TraceState, trace_id_for

_AGENT = "agent."
_TOOL = "tool."
_ERROR = "error."
_HANDOFF = "handoff."
_PRESENT = "1"
_WHOLE = "whole"
"""The value for the name of what was executed, where that is no agent of its own."""
_PASSED_ON = frozenset({"handoff", "delegate", "send"})
_LONGEST_KEY = 250
_ERROR_TYPE = re.compile(r"\w+(?=:|$)")


class TraceQuery(TypedDict, total=False):
    """What traces are asked for: each of them fits all that is given and not None."""

    agent: str | None
    """An agent spoke in it, or it is the whole that was executed."""
    tool: str | None
    """A tool was called in it."""
    handoff: tuple[str, str] | None
    """The first agent passed on to the second, by handoff, delegation or `Send`."""
    error: str | None
    """An exception of this type was raised in it, such as `TimeoutError`."""
    case: str | None
    """It is a sample of this case."""
    run: str | None
    """It belongs to the MLflow run whose id starts with this."""
    state: TraceState | None
    """How it ended."""
    version: str | None
    """The label of the agent's version, such as `triage@2`."""
    thread: str | None
    """It is a part of this LangGraph thread."""


def search_tags(trace: Trace) -> dict[str, str]:
    """Return the tags that say which agents, tools, handoffs and errors a trace holds."""
    whole = {tag_key(_AGENT + trace.name): _WHOLE}
    return whole | dict.fromkeys(map(tag_key, _search_keys(trace)), _PRESENT)


def agents_in(tags: Mapping[str, str]) -> Iterator[str]:
    """Yield the agents that the tags of a trace name."""
    return (k.removeprefix(_AGENT) for k, v in tags.items() if k.startswith(_AGENT) and v != _WHOLE)


def tag_key(name: str) -> str:
    """Return `name` as MLflow takes it for the key of a tag: it refuses other characters."""
    return re.sub(r"[^\w. -]", "_", name)[:_LONGEST_KEY]


def holds(trace: Trace, query: TraceQuery) -> bool:
    """Return whether a store would find `trace` by `query`, were it there.

    Its version is not known. Its run is, by its id, if `run` is the whole id of the run.
    """
    tags = search_tags(trace)
    agent, run = query.get("agent"), query.get("run")
    own = {"case": trace.case, "state": trace.state, "thread": trace.thread, "version": None}
    return (
        (agent is None or tag_key(_AGENT + agent) in tags)
        and (run is None or _is_of(trace, run))
        and all(tags.get(key) == _PRESENT for key in _present(query))
        and all(query.get(name) in (None, value) for name, value in own.items())
    )


def filter_string(query: TraceQuery) -> str:
    """Return MLflow's filter for the traces of which all that `query` gives holds."""
    wanted: dict[str, str | None] = {
        **{f"tags.`{key}`": _PRESENT for key in _present(query)},
        f"tags.`{CASE}`": query.get("case"),
        f"tags.`{VERSION}`": query.get("version"),
        f"metadata.`{THREAD}`": query.get("thread"),
        "trace.status": query.get("state"),
    }
    clauses = [_equals(name, value) for name, value in wanted.items() if value is not None]
    if (agent := query.get("agent")) is not None:
        clauses.insert(0, f"tags.`{tag_key(_AGENT + agent)}` LIKE '%'")
    if (run := query.get("run")) is not None:
        # Commands show the start of a run's id.
        clauses.append(f"metadata.`mlflow.sourceRun` LIKE '{re.sub(r'[^0-9a-zA-Z-]', '_', run)}%'")
    return " AND ".join(clauses)


def _present(query: TraceQuery) -> Iterator[str]:
    """Yield the keys of the tags that a trace with all of these has."""
    handoff = query.get("handoff")
    for prefix, name in (
        (_TOOL, query.get("tool")),
        (_ERROR, query.get("error")),
        (_HANDOFF, _handoff(*handoff) if handoff else None),
    ):
        if name is not None:
            yield tag_key(prefix + name)


def _is_of(trace: Trace, run_id: str) -> bool:
    identity = (run_id, trace.case, trace.sample)
    return trace.trace_id == trace_id_for(*(part for part in identity if part is not None))


def _search_keys(trace: Trace) -> Iterator[str]:
    for span in trace.spans:
        if span.type == "AGENT":
            yield _AGENT + span.name
        if span.type == "TOOL":
            yield _TOOL + span.name
        for event in span.events:
            if event.name == EXCEPTION:
                yield f"{_ERROR}{event.error_type}"
    if trace.error and (error_type := _ERROR_TYPE.match(trace.error)):
        yield _ERROR + error_type[0]
    for message in trace.messages:
        yield from _handoffs(message)


def _handoffs(message: Message) -> Iterator[str]:
    if message.kind in _PASSED_ON:
        for recipient in message.recipients:
            yield _HANDOFF + _handoff(message.sender, recipient)


def _handoff(sender: str, recipient: str) -> str:
    """Return the names of both without the graphs that they stand in, as spans are titled."""
    return f"{sender.rpartition('/')[2]}.{recipient.rpartition('/')[2]}"


def _equals(name: str, value: str) -> str:
    # MLflow knows no escape for a quote inside quotes; `_` stands for any character in LIKE.
    if "'" not in value:
        return f"{name} = '{value}'"
    if '"' not in value:
        return f'{name} = "{value}"'
    return f"{name} LIKE '{value.replace(chr(39), '_')}'"
