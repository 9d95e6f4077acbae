"""The tags by which a trace is found: written and asked for in this one place.

MLflow indexes the tags of a trace and not what stands in its spans. So every agent, tool, handoff
and error of a trace is a tag of its own, `agent.NAME`, `tool.NAME`, `handoff.FROM.TO` and
`error.TYPE`, whose value is `1`. The graph itself is found like an agent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypedDict, Unpack

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


class Wanted(TypedDict, total=False):
    """What is asked of traces; see `MlflowStore.find_traces`. None asks for nothing."""

    agent: str | None
    tool: str | None
    handoff: tuple[str, str] | None
    error: str | None
    case: str | None
    run: str | None
    state: TraceState | None
    version: str | None
    thread: str | None


def tags_found_by(trace: Trace) -> dict[str, str]:
    """Return the tags that say which agents, tools, handoffs and errors a trace holds."""
    whole = {tag_key(_AGENT + trace.name): _WHOLE}
    return whole | dict.fromkeys(map(tag_key, _keys(trace)), _PRESENT)


def agents_in(tags: Mapping[str, str]) -> Iterator[str]:
    """Yield the agents that the tags of a trace name."""
    return (k.removeprefix(_AGENT) for k, v in tags.items() if k.startswith(_AGENT) and v != _WHOLE)


def tag_key(name: str) -> str:
    """Return `name` as MLflow takes it for the key of a tag: it refuses other characters."""
    return re.sub(r"[^\w. -]", "_", name)[:_LONGEST_KEY]


def holds(trace: Trace, **wanted: Unpack[Wanted]) -> bool:
    """Tell whether `filter_string` of the same would find `trace` in a store, were it there.

    Its version is not known. Its run is, by its id, if `run` is the whole id of the run.
    """
    tags = tags_found_by(trace)
    agent, run = wanted.get("agent"), wanted.get("run")
    present = _present(wanted.get("tool"), wanted.get("error"), wanted.get("handoff"))
    own = {"case": trace.case, "state": trace.state, "thread": trace.thread, "version": None}
    return (
        (agent is None or tag_key(_AGENT + agent) in tags)
        and (run is None or _is_of(trace, run))
        and all(tags.get(key) == _PRESENT for key in present)
        and all(wanted.get(name) in (None, value) for name, value in own.items())
    )


def filter_string(
    *,
    agent: str | None = None,
    tool: str | None = None,
    handoff: tuple[str, str] | None = None,
    error: str | None = None,
    case: str | None = None,
    run: str | None = None,
    state: TraceState | None = None,
    version: str | None = None,
    thread: str | None = None,
) -> str:
    """Return MLflow's filter for the traces of which all that is given holds."""
    wanted: dict[str, str | None] = {
        **{f"tags.`{key}`": _PRESENT for key in _present(tool, error, handoff)},
        f"tags.`{CASE}`": case,
        f"tags.`{VERSION}`": version,
        f"metadata.`{THREAD}`": thread,
        "trace.status": state,
    }
    clauses = [_equals(name, value) for name, value in wanted.items() if value is not None]
    if agent is not None:
        clauses.insert(0, f"tags.`{tag_key(_AGENT + agent)}` LIKE '%'")
    if run is not None:
        # Commands show the start of a run's id.
        clauses.append(f"metadata.`mlflow.sourceRun` LIKE '{re.sub(r'[^0-9a-zA-Z-]', '_', run)}%'")
    return " AND ".join(clauses)


def _present(tool: str | None, error: str | None, handoff: tuple[str, str] | None) -> Iterator[str]:
    """Yield the keys of the tags that a trace with all of these has."""
    whom = None if handoff is None else _handoff(*handoff)
    for prefix, name in ((_TOOL, tool), (_ERROR, error), (_HANDOFF, whom)):
        if name is not None:
            yield tag_key(prefix + name)


def _is_of(trace: Trace, run_id: str) -> bool:
    identity = (run_id, trace.case, trace.sample)
    return trace.trace_id == trace_id_for(*(part for part in identity if part is not None))


def _keys(trace: Trace) -> Iterator[str]:
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
