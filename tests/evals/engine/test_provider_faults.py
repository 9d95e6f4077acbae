"""Whatever a provider does, samples finish or are the infrastructure's errors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import Job, Sample, Stop
from linenotes.evals.engine._engine import execute, run_here
from linenotes.evals.engine._event_loop import complete
from linenotes.evals.testing import (
    Fault,
    Faults,
    ScriptedServer,
    faults_in_order,
    random_faults,
)

ASK = """
from linenotes.agents import chat_model

async def answer(state):
    return {"answer": (await chat_model("writer").ainvoke(str(state["question"]))).content}
"""
ASK_IN_A_THREAD = ASK.replace("async def", "def").replace("await ", "").replace("ainvoke", "invoke")
ASK_FOR_A_STREAM = """
from linenotes.agents import chat_model

async def answer(state):
    parts = [part.content async for part in chat_model("writer").astream(str(state["question"]))]
    return {"answer": "".join(parts)}
"""
ASK_FOR_A_STREAM_IN_A_THREAD = """
from linenotes.agents import chat_model

def answer(state):
    parts = chat_model("writer").stream(str(state["question"]))
    return {"answer": "".join(part.content for part in parts)}
"""
OWN_CLIENT = """
import httpx2
from langchain_openai import ChatOpenAI

async def answer(state):
    async with httpx2.AsyncClient() as http:
        model = ChatOpenAI(model="m", max_retries=0, http_async_client=http)
        return {"answer": (await model.ainvoke(str(state["question"]))).content}
"""
WAYS = {
    "async": ASK,
    "thread": ASK_IN_A_THREAD,
    "async stream": ASK_FOR_A_STREAM,
    "stream in a thread": ASK_FOR_A_STREAM_IN_A_THREAD,
}
SETTINGS = """
[tool.linenotes.models.default]
model = "m"
base-url = "{url}"
api-key-env = "FAULTY_KEY"
timeout = {timeout}
max-retries = {retries}
patience = {patience}
max-in-flight = {most}
"""
EVERY_FAULT = (
    Fault.status(429),
    Fault.status(429, retry_after=0),
    Fault.status(429, retry_after="Thu, 01 Jan 1970 00:00:00 GMT"),
    Fault.status(408),
    Fault.status(409),
    Fault.status(500),
    Fault.status(502),
    Fault.status(503, retry_after=0),
    Fault.status(529),
    Fault.reset(),
    Fault.cut(),
    Fault.truncated(),
    Fault.login_page(),
    Fault.slow(0.2),
)

Play = Callable[..., list[Sample]]


@pytest.fixture
def play(
    one_node: Callable[..., AgentVersion],
    numbers: Callable[..., Dataset],
    monkeypatch: pytest.MonkeyPatch,
) -> Play:
    """Execute some cases against a server, and return the samples."""
    monkeypatch.setenv("FAULTY_KEY", "k")

    def run(
        server: ScriptedServer,
        node: str = ASK,
        *,
        cases: int = 6,
        concurrency: int = 6,
        **settings: float,
    ) -> list[Sample]:
        given = {"timeout": 5, "retries": 2, "patience": 60, "most": 99, **settings}
        files = {"pyproject.toml": SETTINGS.format(url=server.base_url, **given)}
        version, samples = one_node(node, files), []

        async def on_finish(_job: Job, sample: Sample) -> None:
            samples.append(sample)

        work = execute(
            [Job("r", version, case, 0, seed=0) for case in numbers(cases).cases],
            run=partial(run_here, time_limit=60),
            concurrency=concurrency,
            on_start=lambda _: None,
            on_finish=on_finish,
            stop=Stop(),
            retries=1,
        )
        with server.in_environment():
            complete(work)
        return samples

    return run


def kinds(samples: list[Sample]) -> set[str | None]:
    return {sample.error.kind if sample.error else None for sample in samples}


def first_time(*faults: Fault) -> Faults:
    """Spoil the first attempt of each request, the faults in turn."""
    left = list(faults)
    return lambda _request, times: left.pop(0) if times == 0 and left else None


@pytest.mark.parametrize("way", WAYS)
def test_what_goes_wrong_once_is_made_good_however_a_model_is_called(play: Play, way: str) -> None:
    with ScriptedServer("Hello.", faults=first_time(*EVERY_FAULT)) as server:
        samples = play(server, WAYS[way], cases=len(EVERY_FAULT), concurrency=4)
    assert {str(sample.error) for sample in samples} == {"None"}
    assert {sample.output["answer"] for sample in samples if isinstance(sample.output, dict)} == {
        "Hello."
    }
    assert len(samples) == len(EVERY_FAULT)
    assert server.faults.total() == len(EVERY_FAULT)


def test_a_stall_ends_with_the_timeout_and_is_tried_again(play: Play) -> None:
    with ScriptedServer("Hello.", faults=first_time(Fault.stall())) as server:
        assert kinds(play(server, cases=2, timeout=0.5)) == {None}
    assert server.faults == {"stall": 1}


@pytest.mark.parametrize("node", [ASK, ASK_IN_A_THREAD], ids=["async", "thread"])
def test_a_body_that_drips_does_not_outlast_the_timeout(play: Play, node: str) -> None:
    with ScriptedServer("Hello.", faults=first_time(Fault.slow(60))) as server:
        assert kinds(play(server, node, cases=1, timeout=0.5)) == {None}
    assert server.faults == {"slow": 1}


@pytest.mark.parametrize(
    "fault",
    [
        Fault.status(500),
        Fault.status(503),
        Fault.reset(),
        Fault.cut(),
        Fault.truncated(),
        Fault.login_page(),
        Fault.stall(),
    ],
    ids=lambda fault: f"{fault.kind} {fault.http_status}",
)
@pytest.mark.parametrize("way", ["async", "stream in a thread"])
def test_a_fault_that_stays_is_the_infrastructures_and_never_the_agents(
    play: Play, fault: Fault, way: str
) -> None:
    with ScriptedServer("Hello.", faults=lambda *_: fault) as server:
        samples = play(server, WAYS[way], cases=2, retries=0, timeout=0.5)
    assert kinds(samples) == {"infrastructure"}
    assert server.faults.total() == 4  # each sample twice


def test_an_endless_storm_of_refusals_ends_with_the_patience(play: Play) -> None:
    with ScriptedServer("Hello.", faults=lambda *_: Fault.status(429)) as server:
        samples = play(server, cases=2, patience=1)
    assert kinds(samples) == {"infrastructure"}
    assert all(sample.error and "429" in sample.error.message for sample in samples)


def test_a_pause_longer_than_the_patience_is_not_waited_for(play: Play) -> None:
    with ScriptedServer("Hello.", faults=lambda *_: Fault.status(429, retry_after=9e9)) as server:
        samples = play(server, cases=2)
    assert kinds(samples) == {"infrastructure"}
    assert server.faults.total() <= 2  # nobody asks again


def test_a_quota_that_is_used_up_is_not_asked_again(play: Play) -> None:
    said = "You exceeded your current quota, please check your plan and billing details."
    with ScriptedServer("Hello.", faults=lambda *_: Fault.status(429, text=said)) as server:
        samples = play(server, cases=1)
    assert kinds(samples) == {"infrastructure"}
    assert server.faults == {"429": 2}  # by the sample's own second try


@pytest.mark.parametrize("seed", range(3))
def test_random_faults_lose_no_sample_and_blame_no_agent(play: Play, seed: int) -> None:
    faults = random_faults(*EVERY_FAULT, share=0.4, seed=seed)
    with ScriptedServer("Hello.", faults=faults) as server:
        samples = play(server, cases=20, concurrency=10)
    assert server.faults.total() >= 5
    assert len(server.faults) >= 3
    assert len({sample.case.id for sample in samples}) == len(samples) == 20
    assert {None} <= kinds(samples) <= {None, "infrastructure"}
    whole = [sample for sample in samples if sample.error is None]
    assert {sample.ledger.messages[-1].text for sample in whole} == {"Hello."}
    assert all(sample.ledger.calls == 1 for sample in whole)


def test_the_window_finds_a_limit_and_keeps_under_it(play: Play) -> None:
    with ScriptedServer("Hello.", latency=0.02, max_in_flight=4) as server:
        samples = play(server, cases=120, concurrency=40)
    assert kinds(samples) == {None}
    first_burst = 40 - 4
    assert server.faults["429"] < first_burst + 40
    assert server.most_in_flight == 4


def test_a_cap_of_the_settings_holds(play: Play) -> None:
    with ScriptedServer("Hello.", latency=0.02) as server:
        assert kinds(play(server, cases=12, concurrency=12, most=3)) == {None}
    assert server.most_in_flight <= 3


def test_a_client_of_the_agents_own_is_tried_again_by_the_sample(play: Play) -> None:
    faults = faults_in_order(Fault.status(429), Fault.reset(), Fault.status(503))
    with ScriptedServer("Hello.", faults=faults) as server:
        assert kinds(play(server, OWN_CLIENT, cases=3)) == {None}
    assert server.faults.total() == 3
