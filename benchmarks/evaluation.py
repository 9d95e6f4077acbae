"""What an evaluation costs: three agents, bare LangGraph and linenotes in turns.

Run `python benchmarks/evaluation.py [--json] [--rounds N]`. Each side of a round is a process that
runs the same cases through the same graph, with 50 samples in flight, against a model server on the
loopback interface. The bare side keeps nothing; linenotes records, journals, scores and publishes
everything to a local MLflow store; with two workers it does so from two processes, whose start
counts. Other setting up (imports, the store, one sample to warm up) is not counted. Ratios are to
bare, of one round each; the table shows the medians and the extremes. `--peer FILE` puts another
tool beside them; `peers/README.md` says how.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

IN_FLIGHT = 50
ROLES = ("planner", "worker", "reviewer")


@dataclass(frozen=True)
class Work:
    """How much is evaluated."""

    cases: int
    samples: int
    latency: float
    """Seconds that the model takes."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"{self.cases} x {self.samples}, {1000 * self.latency:.0f} ms"


WORKS = (Work(200, 5, 0.2), Work(200, 5, 0.0), Work(1000, 5, 0.0))


class State(TypedDict, total=False):
    """What the agents share."""

    question: str
    planner: str
    worker: str
    reviewer: str


def build() -> Any:  # noqa: ANN401  a graph of LangGraph's
    """Return the graph: three agents, one call each."""
    from langchain_openai import ChatOpenAI
    from langgraph.graph import StateGraph

    model = ChatOpenAI(model="parrot", max_retries=0)
    graph = StateGraph(State)

    def agent(role: str, before: str) -> Any:  # noqa: ANN401  a node
        async def node(state: dict[str, str]) -> dict[str, object]:
            asked = f"Task: {state['question']}\nSo far: {state.get(before, '')}"
            reply = await model.ainvoke([("system", f"You are the {role}."), ("user", asked)])
            return {role: reply.content}

        return node

    for before, role in zip(("", *ROLES), ROLES, strict=False):
        graph.add_node(role, agent(role, before))
        graph.add_edge(before or "__start__", role)
    return graph.compile(name="three")


def question(number: int) -> str:
    """Return the question of a case; the server finds the number in it."""
    return f"What is the value of item #{number}# in the ledger?"


def is_right(output: object, number: int) -> bool:
    """Score an output."""
    return isinstance(output, dict) and output.get("reviewer") == f"The answer is {number}."


def run_bare(work: Work) -> dict[str, object]:
    """Run the graph itself, and return how many outputs were right."""
    graph = build()
    limit = asyncio.Semaphore(IN_FLIGHT)

    async def one(number: int) -> bool:
        async with limit:
            return is_right(await graph.ainvoke({"question": question(number)}), number)

    async def all_of_them() -> dict[str, object]:
        await one(0)
        with measured() as figures:
            right = await asyncio.gather(
                *(one(n) for n in range(work.cases) for _ in range(work.samples))
            )
        return {**figures, "right": sum(right), "stored": 0}

    return asyncio.run(all_of_them())


def run_linenotes(work: Work, *, workers: int = 1) -> dict[str, object]:
    """Evaluate the graph, and return how many outputs were right and traces are stored."""
    from linenotes.datasets import Case, Dataset
    from linenotes.evals import Sample, evaluate

    def right(sample: Sample) -> bool:
        return is_right(sample.output, int(sample.case.id))

    def dataset(cases: int) -> Dataset:
        asked = (Case(id=str(n), inputs={"question": question(n)}) for n in range(cases))
        return Dataset("items", tuple(asked))

    agent = f"{__file__}:build"
    evaluate(agent, dataset(1), [right], samples=1)
    with measured() as figures:
        result = evaluate(
            agent,
            dataset(work.cases),
            [right],
            samples=work.samples,
            concurrency=IN_FLIGHT,
            workers=workers,
        )
    mean = result.estimates["right"].mean or 0.0
    return {
        **figures,
        "right": round(mean * work.cases * work.samples),
        "stored": result.traces.stored,
    }


SIDES: dict[str, Callable[[Work], dict[str, object]]] = {
    "bare": run_bare,
    "linenotes": run_linenotes,
    "2 workers": partial(run_linenotes, workers=2),
}


@dataclass(frozen=True)
class Side:
    """One of those that are compared."""

    name: str
    runner: str
    """A key of SIDES, or a file of `peers/`, whose `run` takes the work."""
    python: str = sys.executable

    @classmethod
    def of_peer(cls, given: str) -> Side:
        """Return the side that `FILE` or `FILE@PYTHON` means."""
        file, _, python = given.partition("@")
        return cls(Path(file).stem, str(Path(file).resolve()), python or sys.executable)


OURS = tuple(Side(name, name) for name in SIDES)


def run_side(runner: str, work: Work) -> dict[str, object]:
    """Run one side in this process."""
    run = SIDES[runner] if runner in SIDES else runpy.run_path(runner)["run"]
    figures: dict[str, object] = run(work)
    return figures


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Yield the figures of the block: wall and CPU seconds, and the process's peak memory."""
    figures: dict[str, float] = {}
    wall, cpu = time.perf_counter(), _cpu()
    yield figures
    figures["wall_s"] = time.perf_counter() - wall
    figures["cpu_s"] = _cpu() - cpu
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


@contextmanager
def model_server(latency: float) -> Iterator[str]:
    """Serve while the block runs, and yield the address."""
    script = str(Path(__file__).with_name("model_server.py"))
    command = [sys.executable, script, "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def play(side: Side, work: Work, address: str) -> dict[str, float]:
    """Run one side in a process of its own, in an empty project."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").touch()
        environment = {"OPENAI_BASE_URL": address, "OPENAI_API_KEY": "none"}
        command = [side.python, str(Path(__file__).resolve()), "--side", side.runner]
        done = subprocess.run(
            [*command, *map(str, (work.cases, work.samples, work.latency))],
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(done.stderr)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def compare(work: Work, rounds: int, sides: Sequence[Side]) -> dict[str, dict[str, list[float]]]:
    """Return the figures of some rounds, all sides in turn: medians and extremes."""
    found: dict[str, list[dict[str, float]]] = {side.name: [] for side in sides}
    with model_server(work.latency) as address:
        for number in range(rounds):
            for side in sides[:: -1 if number % 2 else 1]:
                found[side.name].append(play(side, work, address))
    return {name: _figures(work, played, found["bare"]) for name, played in found.items()}


def _figures(
    work: Work, rounds: list[dict[str, float]], bare: list[dict[str, float]]
) -> dict[str, list[float]]:
    count = work.cases * work.samples
    pairs = list(zip(rounds, bare, strict=True))
    return {
        "wall / bare": _spread([one["wall_s"] / base["wall_s"] for one, base in pairs]),
        "CPU / bare": _spread([one["cpu_s"] / base["cpu_s"] for one, base in pairs]),
        "CPU ms a sample": _spread([1000 * one["cpu_s"] / count for one in rounds]),
        "wall s": _spread([one["wall_s"] for one in rounds]),
        "peak MB": _spread([one["peak_mb"] for one in rounds]),
        "right": _spread([one["right"] / count for one in rounds]),
        "stored": _spread([one["stored"] / count for one in rounds]),
    }


def _spread(values: list[float]) -> list[float]:
    """Return the median, the least and the greatest."""
    return [round(v, 3) for v in (statistics.median(values), min(values), max(values))]


def main() -> None:
    """Print the ratios of all works."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--works", type=int, nargs="*", help="0, 1, 2; default: all")
    parser.add_argument("--small", action="store_true", help="a tenth of the work, to try a peer")
    parser.add_argument("--side", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument(
        "--peer", action="append", default=[], metavar="FILE[@PYTHON]", help="of benchmarks/peers"
    )
    given = parser.parse_args()
    if given.side:
        runner, cases, samples, latency = given.side
        print(json.dumps(run_side(runner, Work(int(cases), int(samples), float(latency)))))
        return
    chosen = [WORKS[index] for index in given.works] if given.works else WORKS
    if given.small:
        chosen = [Work(work.cases // 10, work.samples, work.latency) for work in chosen]
    sides = [*OURS, *map(Side.of_peer, given.peer)]
    results = {work.name: compare(work, given.rounds, sides) for work in chosen}
    if given.json:
        print(json.dumps(results))
        return
    for work_name, figures in results.items():
        print_table(work_name, figures)


def print_table(title: str, sides: dict[str, dict[str, list[float]]]) -> None:
    """Print one work: a line a figure, a column a side."""
    print(f"\n{title}\n{'':<16}" + "".join(f"{name:>28}" for name in sides))
    for figure in next(iter(sides.values())):
        cells = (f"{m:g}  ({least:g} to {most:g})" for m, least, most in _row(sides, figure))
        print(f"{figure:<16}" + "".join(f"{cell:>28}" for cell in cells))


def _row(sides: dict[str, dict[str, list[float]]], figure: str) -> Iterator[list[float]]:
    return (figures[figure] for figures in sides.values())


if __name__ == "__main__":
    main()
