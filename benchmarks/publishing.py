"""What it takes to write traces into an MLflow store.

Run `python benchmarks/publishing.py [--json] [--rounds N]` for a local database, by MLflow's calls
and in bulk; with `--to URI`, such as `http://127.0.0.1:5000` or `postgresql+psycopg2://HOST/NAME`,
for that store beside a local database in bulk. One recorded conversation of seven spans (a chain of
three agents, each with a model call) is written under new ids, in rounds of alternating ways, each
into a database of its own, so that whatever else the machine does falls on both alike. The traces
come from JSON, as a journal hands them over. Figures are medians of the rounds, with the lowest and
the highest; redaction and the first trace's preparations are included. The CPU is this process's.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import statistics
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from sqlite3 import connect

from recorder import chain

from linenotes.tracing import FiledTrace, MlflowStore, Trace, TraceScore, record, trace_id_for

TRACES = {"calls": 100, "bulk": 1_000, "remote": 200}
"""How many traces a round writes: about as long by either way."""
RUN = "a" * 32


def recorded() -> Trace:
    """Return a conversation of three agents: seven spans."""
    with record() as ledger:
        chain(3).invoke({"messages": [("user", "My card is gone, please help me.")]})
    return ledger.trace


def filed(document: bytes, prefix: str, count: int) -> list[FiledTrace]:
    """Return `count` samples as the journal of a run hands them over, one case to five of them."""
    return [
        FiledTrace(
            replace(
                Trace.from_json(document),
                trace_id=trace_id_for(prefix, number),
                case=f"case-{number // 5}",
                sample=number % 5,
            ),
            run_id=RUN,
            version="desk@1",
            scores=(TraceScore("exact", value=bool(number % 3)), TraceScore("tone", value=0.5)),
        )
        for number in range(count)
    ]


def write(store: MlflowStore, traces: list[FiledTrace]) -> tuple[float, float]:
    """Return how many traces a second were written, and the CPU milliseconds of each."""
    gc.collect()
    began, begun = time.perf_counter(), time.process_time()
    store.write_traces(traces)
    seconds, cpu = time.perf_counter() - began, time.process_time() - begun
    return len(traces) / seconds, 1_000 * cpu / len(traces)


def measure(folder: Path, rounds: int, remote: str | None) -> list[dict[str, float | str]]:
    """Return the figures of two ways."""
    first = folder / "first.db"
    MlflowStore.open(f"sqlite:///{first}", "benchmark", artifacts=folder).close()
    document = recorded().to_json()
    stores = {"bulk": _open(first, "bulk")}
    if remote is None:
        stores["calls"] = _open(first, "calls")
    else:
        name = f"benchmark {token_hex(4)}"
        stores["remote"] = MlflowStore.open(remote, name, artifacts=folder)
    figures: dict[str, list[tuple[float, float]]] = {way: [] for way in stores}
    for _ in range(rounds):
        for way, store in stores.items():
            figures[way].append(write(store, filed(document, f"{way} {token_hex(4)}", TRACES[way])))
    for way, store in stores.items():
        assert store.count_traces(RUN) == rounds * TRACES[way]
        store.close()
    return [_summary(way, figures[way]) for way in stores]


def _open(first: Path, way: str) -> MlflowStore:
    path = Path(shutil.copy(first, first.with_name(f"{way}.db")))
    store = MlflowStore.open(f"sqlite:///{path}", "benchmark", artifacts=path.parent)
    if way == "calls":
        # A database that is not quite as expected is written by MLflow's calls.
        with closing(connect(path)) as connection:
            connection.execute("ALTER TABLE span_metrics ADD COLUMN unexpected INTEGER")
    assert store.writes_in_bulk == (way == "bulk")
    return store


def _summary(way: str, rounds: list[tuple[float, float]]) -> dict[str, float | str]:
    rates, cpu = zip(*rounds, strict=True)
    return {
        "way": way,
        "traces_per_s": round(statistics.median(rates), 1),
        "lowest": round(min(rates), 1),
        "highest": round(max(rates), 1),
        "cpu_ms_per_trace": round(statistics.median(cpu), 3),
        "cpu_lowest": round(min(cpu), 3),
        "cpu_highest": round(max(cpu), 3),
        "rounds": len(rounds),
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """Print the figures of both ways."""
    parser = argparse.ArgumentParser(description="Time the writing of traces into a store.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each way")
    parser.add_argument("--to", metavar="URI", help="a server or database to write to")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), chosen.rounds, chosen.to)
    if chosen.json:
        print(json.dumps(results))
        return
    print("  ".join(f"{name:>16}" for name in results[0]))
    for result in results:
        print("  ".join(f"{value:>16}" for value in result.values()))


if __name__ == "__main__":
    main()
