from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Case, Dataset
from linenotes.evals import Job, Sample, Stop
from linenotes.evals.engine._engine import execute, interleave
from linenotes.evals.engine._event_loop import complete
from linenotes.project import ModelError, PromptError

GATHER = """
import threading
everyone = threading.Barrier({n})

def answer(state):
    everyone.wait(timeout=30)
    return {{"answer": threading.active_count()}}
"""
GATHER_ASYNC = """
import asyncio
here = []

async def answer(state):
    here.append(1)
    while len(here) < {n}:
        await asyncio.sleep(0.001)
    return {{"answer": len(here)}}
"""
COUNT = """
import threading, time
lock = threading.Lock()
now = 0

def answer(state):
    global now
    with lock:
        now += 1
        seen = now
    time.sleep(0.005)
    with lock:
        now -= 1
    return {"answer": seen}
"""
ASK_A_MODEL = """
from langchain_openai import ChatOpenAI

async def answer(state):
    model = ChatOpenAI(base_url="{url}", api_key="none", model="m", max_retries=0, timeout=5)
    return {{"answer": (await model.ainvoke("hello")).content}}
"""


@dataclass
class Outcome:
    order: list[tuple[str, str, int]] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    @property
    def outputs(self) -> dict[tuple[str, int], Any]:
        return {(s.case.id, s.index): s.output for s in self.samples}


@pytest.fixture
def jobs(numbers: Callable[..., Dataset]) -> Callable[..., list[Job]]:
    def make(version: AgentVersion, cases: int, samples: int = 1, run_id: str = "r") -> list[Job]:
        return [
            Job(run_id, version, case, index, seed=0)
            for index in range(samples)
            for case in numbers(cases).cases
        ]

    return make


def kinds(outcome: Outcome) -> list[str | None]:
    return [sample.error.kind if sample.error else None for sample in outcome.samples]


def carry_out(
    jobs: Iterable[Job], outcome: Outcome | None = None, *, concurrency: int = 8, stop: Stop
) -> Outcome:
    outcome = outcome or Outcome()

    async def on_finish(_job: Job, sample: Sample) -> None:
        outcome.samples.append(sample)

    complete(
        execute(
            jobs,
            concurrency=concurrency,
            on_start=lambda job: outcome.order.append((job.run_id, job.case.id, job.index)),
            on_finish=on_finish,
            stop=stop,
        ),
        threads=max(32, 2 * concurrency),
    )
    return outcome


@pytest.fixture
def run(jobs: Callable[..., list[Job]]) -> Callable[..., Outcome]:
    def make(
        version: AgentVersion, cases: int = 1, samples: int = 1, concurrency: int = 8
    ) -> Outcome:
        return carry_out(jobs(version, cases, samples), concurrency=concurrency, stop=Stop())

    return make


def test_every_sample_of_every_case_is_executed_once(
    one_node: Callable[..., AgentVersion], run: Callable[..., Outcome]
) -> None:
    outcome = run(one_node(), cases=5, samples=3)
    assert sorted(outcome.outputs) == sorted((f"c{i}", k) for i in range(5) for k in range(3))
    assert all(output["answer"] == output["question"] for output in outcome.outputs.values())


@pytest.mark.parametrize("node", [GATHER, GATHER_ASYNC], ids=["sync", "async"])
def test_forty_in_flight_are_forty_at_the_same_time(
    one_node: Callable[..., AgentVersion], run: Callable[..., Outcome], node: str
) -> None:
    outcome = run(one_node(node.format(n=40)), cases=40, concurrency=40)
    assert [sample.error for sample in outcome.samples] == [None] * 40


def test_no_more_run_at_a_time_than_is_allowed(
    one_node: Callable[..., AgentVersion], run: Callable[..., Outcome]
) -> None:
    outcome = run(one_node(COUNT), cases=20, concurrency=3)
    at_once = {output["answer"] for output in outcome.outputs.values()}
    assert {1, 2} <= at_once <= {1, 2, 3}


def test_one_at_a_time_runs_in_the_order_of_the_jobs(
    one_node: Callable[..., AgentVersion], run: Callable[..., Outcome]
) -> None:
    outcome = run(one_node(), cases=3, samples=2, concurrency=1)
    assert [(s.case.id, s.index) for s in outcome.samples] == [
        (f"c{i}", k) for k in range(2) for i in range(3)
    ]


def test_versions_take_turns_case_by_case(
    one_node: Callable[..., AgentVersion], jobs: Callable[..., list[Job]]
) -> None:
    version = one_node()
    arms = [jobs(version, 2, 2, run_id="a"), jobs(version, 2, 1, run_id="b")]
    assert [(j.run_id, j.case.id, j.index) for j in interleave(arms)] == [
        ("a", "c0", 0),
        ("b", "c0", 0),
        ("a", "c1", 0),
        ("b", "c1", 0),
        ("a", "c0", 1),
        ("a", "c1", 1),
    ]


def test_samples_of_one_case_do_not_share_their_inputs(
    one_node: Callable[..., AgentVersion], run: Callable[..., Outcome]
) -> None:
    node = """
def answer(state):
    state["question"].append("seen")
    return {"answer": len(state["question"])}
"""
    version = one_node(node)
    one = Case(id="c", inputs={"question": ["hello"]})
    outcome = carry_out([Job("r", version, one, i, 0) for i in range(5)], stop=Stop())
    assert {output["answer"] for output in outcome.outputs.values()} == {2}
    assert one.inputs == {"question": ["hello"]}


def test_a_graph_with_a_checkpointer_gets_a_thread_for_each_sample(
    one_node: Callable[..., AgentVersion], run: Callable[..., Outcome]
) -> None:
    node = """
from langgraph.checkpoint.memory import InMemorySaver

def answer(state):
    return {"answer": state.get("answer", 0) + 1}
"""
    version = one_node(node)
    source = version.agent.source()
    source.write_text(
        source.read_text().replace("return graph", "return graph.compile(InMemorySaver())")
    )
    outcome = run(version, cases=2, samples=3)
    assert [output["answer"] for output in outcome.outputs.values()] == [1] * 6


def test_an_exception_of_the_agent_fails_its_sample_and_the_run_goes_on(
    one_node: Callable[..., AgentVersion], run: Callable[..., Outcome]
) -> None:
    node = """
def answer(state):
    if state["question"] == 1:
        raise ValueError("no such item")
    return {"answer": state["question"]}
"""
    outcome = run(one_node(node), cases=3)
    errors: dict[str, Any] = {s.case.id: s.error for s in outcome.samples}
    assert errors["c0"] is None
    assert errors["c2"] is None
    assert (errors["c1"].kind, errors["c1"].type) == ("agent", "ValueError")
    assert str(errors["c1"]) == "ValueError: no such item"
    failed = next(s for s in outcome.samples if s.case.id == "c1")
    assert failed.output is None
    assert failed.trace.state == "ERROR"


def test_a_graph_that_never_ends_is_an_error_of_the_agent(
    one_node: Callable[..., AgentVersion], run: Callable[..., Outcome]
) -> None:
    version = one_node()
    source = version.agent.source()
    source.write_text(
        source.read_text().replace('add_edge("answer", END)', 'add_edge("answer", "answer")')
    )
    (sample,) = run(version).samples
    assert sample.error is not None
    assert (sample.error.kind, sample.error.type) == ("agent", "GraphRecursionError")


@pytest.mark.parametrize("error", ["StopIteration", "asyncio.CancelledError", "KeyError(1)"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_an_odd_exception_of_the_agent_neither_hangs_nor_ends_the_run(
    one_node: Callable[..., AgentVersion], run: Callable[..., Outcome], kind: str, error: str
) -> None:
    node = f"import asyncio\n{kind} answer(state):\n    raise {error}\n"
    outcome = run(one_node(node), cases=12, concurrency=2)
    assert kinds(outcome) == ["agent"] * 12


@pytest.mark.parametrize(
    "value",
    [
        "float('nan')",
        "10**30",
        "__import__('numpy').float64(0.5)",
        "{1: {2}}",
        "object()",
        "b'bytes'",
        "'half an emoji: \\ud83d'",
    ],
)
def test_whatever_an_agent_returns_can_be_kept(
    one_node: Callable[..., AgentVersion], run: Callable[..., Outcome], value: str
) -> None:
    (sample,) = run(one_node(f"def answer(state):\n    return {{'answer': {value}}}\n")).samples
    assert sample.error is None
    assert sample.trace.to_json()


def test_an_endpoint_that_is_down_ends_the_run_and_is_no_failure_of_the_agent(
    one_node: Callable[..., AgentVersion], jobs: Callable[..., list[Job]], unused_port: int
) -> None:
    version = one_node(ASK_A_MODEL.format(url=f"http://127.0.0.1:{unused_port}/v1"))
    outcome = Outcome()
    with pytest.raises(
        ModelError, match=r"failed 5 samples in a row.*--resume r --retry-errors`"
    ) as told:
        carry_out(jobs(version, 20), outcome, concurrency=2, stop=Stop())
    assert "Connection error" in str(told.value)
    assert 5 <= len(outcome.samples) <= 6
    assert set(kinds(outcome)) == {"infrastructure"}


def test_an_endpoint_that_fails_now_and_then_does_not_end_the_run(
    one_node: Callable[..., AgentVersion], run: Callable[..., Outcome]
) -> None:
    node = """
def answer(state):
    if state["question"] % 5:
        raise TimeoutError("no answer in 60 s")
    return {"answer": 1}
"""
    outcome = run(one_node(node), cases=20, concurrency=1)
    assert kinds(outcome) == [None, *["infrastructure"] * 4] * 4


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_key_or_an_unknown_model_ends_the_run_at_once(
    one_node: Callable[..., AgentVersion],
    jobs: Callable[..., list[Job]],
    serve: Callable[[int], str],
    status: int,
) -> None:
    version = one_node(ASK_A_MODEL.format(url=serve(status)))
    with pytest.raises(ModelError, match=rf"/v1/chat/completions answered {status}: .* Check the"):
        carry_out(jobs(version, 20), concurrency=1, stop=Stop())


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, "infrastructure"), (500, "infrastructure"), (503, "infrastructure"), (400, "agent")],
)
def test_who_failed_is_told_by_what_the_endpoint_answered(
    one_node: Callable[..., AgentVersion],
    run: Callable[..., Outcome],
    serve: Callable[[int], str],
    status: int,
    kind: str,
) -> None:
    assert kinds(run(one_node(ASK_A_MODEL.format(url=serve(status))))) == [kind]


def test_a_mistake_that_every_sample_would_meet_ends_the_run(
    one_node: Callable[..., AgentVersion], jobs: Callable[..., list[Job]]
) -> None:
    node = """
from linenotes.agents import prompt

def answer(state):
    return {"answer": prompt("greet").format(name=state["question"])}
"""
    version = one_node(node, {"prompts/greet.md": "Hello {{name}}, it is {{day}}."})
    with pytest.raises(PromptError, match=r"needs a value for 'day'"):
        carry_out(jobs(version, 10), stop=Stop())


def test_the_prompt_in_force_is_the_one_of_the_version(
    one_node: Callable[..., AgentVersion], run: Callable[..., Outcome]
) -> None:
    node = """
from linenotes.agents import prompt

def answer(state):
    return {"answer": prompt("greet").text}
"""
    version = one_node(node, {"prompts/greet/v1.md": "Hello", "prompts/greet/v2.md": "Good day"})
    first = AgentVersion.resolve(version.agent, prompts={"greet": "1"})
    assert run(first).outputs["c0", 0]["answer"] == "Hello"


def test_a_stop_lets_what_is_in_flight_finish_and_starts_nothing_more(
    one_node: Callable[..., AgentVersion], jobs: Callable[..., list[Job]]
) -> None:
    stop, outcome = Stop(), Outcome()
    planned = jobs(one_node(), 20)

    def stopping() -> Iterator[Job]:
        for number, job in enumerate(planned):
            if number == 5:
                stop.asked = True
            yield job

    carry_out(stopping(), outcome, concurrency=2, stop=stop)
    assert len(outcome.samples) == len(outcome.order) == 5


def test_a_sample_repeats_its_seeds_and_no_other_sample_has_them(
    one_node: Callable[..., AgentVersion], run: Callable[..., Outcome]
) -> None:
    node = """
from linenotes.agents import current_sample

def answer(state):
    scope = current_sample()
    return {"answer": [scope.call_seed(role, "same request") for role in ("a", "b", "a")]}
"""
    version = one_node(node)
    one_by_one = run(version, cases=4, samples=3, concurrency=1).outputs
    at_once = run(version, cases=4, samples=3, concurrency=12).outputs
    assert one_by_one == at_once
    seeds = [seed for output in at_once.values() for seed in output["answer"]]
    assert len(set(seeds)) == 4 * 3 * 3


def test_the_trace_tells_case_sample_and_agent(
    one_node: Callable[..., AgentVersion], run: Callable[..., Outcome]
) -> None:
    (sample,) = run(one_node()).samples
    assert (sample.trace.name, sample.trace.case, sample.trace.sample) == ("app", "c0", 0)
    assert sample.trace.state == "OK"
    assert sample.seconds > 0


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def serve() -> Iterator[Callable[[int], str]]:
    """Start an endpoint on the loopback that answers every request with one status."""
    servers: list[tuple[ThreadingHTTPServer, Thread]] = []

    def start(status: int) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                body = b'{"error": {"message": "that is what the test wants"}}'
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/v1"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()
