"""How long finding traces takes in a store that holds thousands of them.

    python benchmarks/find_traces.py [TRACES] [FOLDER]

Fills a fresh sqlite store with TRACES traces (5,000) of a desk with four agents, asks for each
thing that a trace is found by, directly and through MLflow's server, and prints the median of
seven answers of up to 50 traces each. With FOLDER the store stays there and is used again.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from linenotes.tracing import (
    FiledTrace,
    Message,
    MlflowStore,
    Span,
    SpanEvent,
    Tokens,
    Trace,
    TraceHeader,
    start_ui,
    trace_id_for,
)

_REPEATS = 7
_BATCH = 500
_START = 1_790_000_000_000_000_000
_SECOND = 1_000_000_000
_TEAMS = ("banking", "cards", "loans", "fraud", "travel", "savings", "insurance", "pensions")


def main(traces: int, folder: Path) -> None:
    """Fill the store in `folder` and print how long each way of finding takes."""
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    with MlflowStore.open(uri, "benchmark", artifacts=folder) as store:
        missing = traces - len(store.find_traces(limit=traces))
        began = time.perf_counter()
        for start in range(traces - missing, traces, _BATCH):
            store.write_traces([_trace(n) for n in range(start, min(start + _BATCH, traces))])
        if missing:
            rate = missing / (time.perf_counter() - began)
            print(f"wrote {missing} traces, {rate:.0f} a second")
        print(f"\n{traces} traces in sqlite, ms for up to 50 of them\n")
        _report("directly", store)
        with (
            start_ui(uri, artifacts=folder, log=folder / "ui.log") as server,
            MlflowStore.open(server.url, "benchmark", artifacts=folder) as remote,
        ):
            _report("by MLflow's server", remote)


def _report(how: str, store: MlflowStore) -> None:
    print(how)
    for name, find in _questions(store):
        found = len(find())  # the first answer also warms what is cached
        seconds = [_timed(find) for _ in range(_REPEATS)]
        print(f"  {name:28} {1000 * statistics.median(seconds):7.1f} ms   {found:3} found")
    print()


def _timed(find: Callable[[], list[TraceHeader]]) -> float:
    began = time.perf_counter()
    find()
    return time.perf_counter() - began


def _questions(store: MlflowStore) -> Iterator[tuple[str, Callable[[], list[TraceHeader]]]]:
    find = store.find_traces
    yield "the newest", find
    yield "an agent in all", partial(find, agent="triage")
    yield "an agent in few", partial(find, agent="pensions")
    yield "an agent in none", partial(find, agent="nobody")
    yield "a tool", partial(find, tool="find_account")
    yield "a handoff", partial(find, handoff=("triage", "fraud"))
    yield "an error", partial(find, error="TimeoutError")
    yield "a case", partial(find, case="case-17")
    yield "a run", partial(find, run="00000003")
    yield "a state", partial(find, state="ERROR")
    yield "a version", partial(find, version="v2")
    yield (
        "agent, handoff and state",
        partial(find, agent="cards", handoff=("triage", "cards"), state="OK"),
    )


def _trace(number: int) -> FiledTrace:
    team = _TEAMS[number % len(_TEAMS)] if number % 20 else "pensions"
    failed = number % 25 == 0
    start = _START + number * _SECOND
    root = _span(number, 0, "desk", "WORKFLOW", start)
    spans = [root]
    for place, name in enumerate(("triage", team, "reviewer", "writer"), 1):
        agent = _span(number, place, name, "AGENT", start, parent=root)
        spans += [agent, _span(number, 10 + place, "chat m-1", "CHAT_MODEL", start, parent=agent)]
    spans.append(_span(number, 20, "find_account", "TOOL", start, parent=spans[3], failed=failed))
    trace = Trace(
        trace_id=trace_id_for("benchmark", number),
        name="desk",
        state="ERROR" if failed else "OK",
        start_ns=start,
        end_ns=start + _SECOND,
        request="Please block my card.",
        response="" if failed else "It is blocked.",
        spans=tuple(spans),
        messages=_messages(team),
        case=f"case-{number // 5}",
        sample=number % 5,
        error="TimeoutError: no answer" if failed else None,
    )
    run = f"{number // 500:08}".ljust(32, "0")
    return FiledTrace(trace, run_id=run, version=f"v{number % 3}")


def _span(
    number: int,
    place: int,
    name: str,
    type_: str,
    start: int,
    *,
    parent: Span | None = None,
    failed: bool = False,
) -> Span:
    event = SpanEvent("exception", start, {"exception.type": "TimeoutError"})
    return Span(
        span_id=f"{number * 100 + place + 1:016x}",
        parent_id=parent.span_id if parent else None,
        name=name,
        type=type_,  # type: ignore[arg-type]
        start_ns=start,
        end_ns=start + _SECOND,
        status="ERROR" if failed else "OK",
        inputs=[{"role": "user", "parts": [{"type": "text", "content": "My card is gone. " * 20}]}],
        events=(event,) if failed else (),
    )


def _messages(team: str) -> tuple[Message, ...]:
    said = ("user", "triage", "input"), ("triage", team, "handoff"), (team, "writer", "reply")
    return tuple(
        Message(
            id=f"m{n}",
            kind=kind,  # type: ignore[arg-type]
            sender=sender,
            recipients=(recipient,),
            text="My card is gone. " * 20,
            tokens=Tokens(input=40, output=9),
            start_ns=_START,
            end_ns=_START,
        )
        for n, (sender, recipient, kind) in enumerate(said)
    )


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    if len(sys.argv) > 2:
        Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
        main(wanted, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(wanted, Path(temporary))
