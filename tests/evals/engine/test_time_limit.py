from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Case
from linenotes.evals import Failure, Job
from linenotes.evals.engine._engine import run_sample
from linenotes.evals.engine._event_loop import complete
from linenotes.evals.testing import Fault, ScriptedServer

SLEEP = "import asyncio\nasync def answer(state):\n    await asyncio.sleep(600)\n"
SLEEP_IN_A_THREAD = "import time\ndef answer(state):\n    time.sleep(600)\n"
ASK = """
import httpx2
from langchain_openai import ChatOpenAI

async def answer(state):
    async with httpx2.AsyncClient() as http:
        model = ChatOpenAI(model="m", max_retries=0, http_async_client=http)
        await model.ainvoke("hello")
"""
LOOP = ASK.replace("await model", "while True: await model")
CLEAN_UP = """
import asyncio

async def answer(state):
    try:
        await asyncio.sleep(600)
    finally:
        await asyncio.sleep(0)
        open("cleaned up", "w").close()
"""
DEAF = """
import asyncio

async def answer(state):
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            pass
"""
AT_THE_END = """
from pathlib import Path
from linenotes.agents import AgentVersion, load_agent
from linenotes.datasets import Case
from linenotes.evals import Job
from linenotes.evals.engine._engine import run_sample
from linenotes.evals.engine._event_loop import complete
from linenotes.project import Project

version = AgentVersion.resolve(load_agent("app.py:build", Project.find()))
job = Job("r", version, Case(id="c", inputs={"question": 1}), 0, seed=0)
print(complete(run_sample(job, time_limit=0.3)).error.kind)
"""


def failure(version: AgentVersion, time_limit: float = 0.5) -> Failure | None:
    _ = version.graph  # importing and building it is not the sample's time
    job = Job("r", version, Case(id="c", inputs={"question": 1}), 0, seed=0)
    return complete(run_sample(job, time_limit=time_limit)).error


@pytest.mark.parametrize("node", [SLEEP, SLEEP_IN_A_THREAD], ids=["async", "thread"])
def test_an_agent_that_never_ends_is_to_blame_itself(
    one_node: Callable[..., AgentVersion], node: str
) -> None:
    error = failure(one_node(node))
    assert error is not None
    assert (error.kind, error.type) == ("agent", "OutOfTimeError")
    assert "still at work after 0.5 s. --sample-timeout gives it more" in error.message


def test_an_endpoint_that_does_not_answer_is_to_blame(
    one_node: Callable[..., AgentVersion],
) -> None:
    with ScriptedServer(faults=lambda *_: Fault.stall()) as server, server.in_environment():
        error = failure(one_node(ASK), time_limit=3)
    assert error is not None
    assert (error.kind, error.type) == ("infrastructure", "OutOfTimeError")
    assert "still waiting for its model after 3 s" in error.message


def test_an_agent_that_asks_for_ever_is_to_blame_although_it_is_waiting_for_its_model(
    one_node: Callable[..., AgentVersion],
) -> None:
    with ScriptedServer("Hello.", latency=0.05) as server, server.in_environment():
        error = failure(one_node(LOOP), time_limit=3)
    assert error is not None
    assert error.kind == "agent"


def test_a_sample_in_time_is_left_alone(one_node: Callable[..., AgentVersion]) -> None:
    assert failure(one_node(), time_limit=60) is None


def test_an_agent_may_clean_up(one_node: Callable[..., AgentVersion]) -> None:
    version = one_node(CLEAN_UP)
    assert failure(version)
    assert (version.agent.source().parent / "cleaned up").exists()


@pytest.mark.parametrize("node", [SLEEP_IN_A_THREAD, DEAF], ids=["thread", "deaf"])
def test_a_program_ends_although_an_agent_does_not(
    one_node: Callable[..., AgentVersion], node: str
) -> None:
    folder = one_node(node).agent.source().parent
    command = [sys.executable, "-c", AT_THE_END]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "agent\n"
