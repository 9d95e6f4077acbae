"""Small real graphs that are run with recordings, against a model provider on the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linenotes.evals.testing import Request, ScriptedServer
from linenotes.project import Project, digest
from linenotes.tracing import (
    CallKey,
    Ledger,
    RecordedCall,
    RecordingPolicy,
    RecordingUse,
    open_recordings,
    record,
    recordings_in_use,
    sample_recordings,
)

if TYPE_CHECKING:
    from linenotes.tracing import Library

RECORD = RecordingPolicy(record="auto")
REPLAY = RecordingPolicy(replay=True)


@dataclass(frozen=True)
class Ran:
    """What an execution gave."""

    output: Any
    ledger: Ledger
    use: RecordingUse
    replayed: frozenset[str]

    @property
    def said(self) -> list[tuple[object, ...]]:
        """The ledger without times and ids, in an order of its own."""
        rows = [
            (m.kind, m.sender, m.recipients, m.text, repr(m.content), m.model, m.tokens, m.sampled)
            for m in self.ledger
        ]
        return sorted(rows, key=repr)


@dataclass
class Studio:
    """Runs graphs with recordings in one project."""

    project: Project
    refuses: tuple[type[BaseException], ...] = (ConnectionError, TimeoutError)
    """Exceptions that are no answers."""
    agent: str = "agent"

    def library(self, policy: RecordingPolicy) -> Library:
        return open_recordings(
            self.project,
            policy,
            dataset="cases",
            agent=self.agent,
            is_answer=lambda error: not isinstance(error, self.refuses),
        )

    @property
    def path(self) -> Path:
        return self.project.root / "recordings" / "cases" / f"{self.agent}.jsonl.gz"

    def run(
        self,
        graph: Any,  # noqa: ANN401  LangGraph's
        inputs: object,
        policy: RecordingPolicy = RECORD,
        *,
        case: str = "c0",
        sample: int = 0,
        sync: bool = False,
    ) -> Ran:
        """Run a graph once, as the engine runs a sample."""

        async def invoke() -> object:
            if sync:
                return await asyncio.to_thread(graph.invoke, inputs)
            return await graph.ainvoke(inputs)

        with recordings_in_use(), self.library(policy) as library:
            with (
                record(project=self.project) as ledger,
                sample_recordings(library, case, sample) as taped,
            ):
                output = asyncio.run(invoke())
                taped.raise_refusal()
            library.note_executed(case, sample)
            return Ran(output, ledger.trace.ledger, library.use, frozenset(taped.replayed))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.delenv("LINENOTES_STATE", raising=False)
    monkeypatch.chdir(tmp_path)
    return Project.find()


@pytest.fixture
def studio(project: Project) -> Studio:
    return Studio(project)


@pytest.fixture
def counting() -> Iterator[ScriptedServer]:
    """A provider that never says the same twice."""
    counted = iter(range(1, 10_000))

    def say(_: Request) -> str:
        return f"answer {next(counted)}"

    with ScriptedServer(say) as server, server.in_environment():
        yield server


Chain = Callable[..., Any]
"""Builds a graph of nodes in a row."""


@pytest.fixture
def chain() -> Chain:
    """Build a graph of nodes in a row whose state is one dict."""

    def build(*nodes: Callable[..., Any]) -> object:
        from langgraph.graph import START, StateGraph

        graph = StateGraph(dict)  # type: ignore[type-var]  # which LangGraph takes
        graph.add_sequence(nodes)
        graph.add_edge(START, nodes[0].__name__)
        return graph.compile(name="chain")

    return build


@pytest.fixture(scope="session")
def make_call() -> Callable[..., RecordedCall]:
    """Make a recorded call by hand."""

    def make(
        case: str = "c0",
        sample: int = 0,
        *,
        answer: str = "yes",
        asked: str = "Is it?",
        model: str = "gpt-5",
        recorded: str = "2026-01-01T00:00:00.000+00:00",
    ) -> RecordedCall:
        return RecordedCall(
            key=CallKey(case, sample, "triage", "model", model, digest(asked)[:32], 0),
            answer="message",
            content={"generations": [{"message": {"content": answer}, "info": None}]},
            asked={"messages": [{"role": "human", "content": asked}]},
            seconds=0.5,
            recorded=recorded,
        )

    return make
