"""An agent that is right as often as its prompt says, the same way each time it is asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import (
    Gate,
    GateOrder,
    RunRecord,
    StoredBase,
    VersionBase,
    evaluate,
    find_scorers,
    save_baseline,
)

RATED = """
import hashlib

from linenotes.agents import current_sample, prompt


def answer(state):
    rate, sample = prompt("rate").text, current_sample()
    drawn = hashlib.sha256(f"{rate} {sample.case} {sample.sample}".encode()).digest()[0] / 256
    return {"answer": state["question"] if drawn < float(rate) else -1}
"""
RATES = {"v1": "0.90", "v2": "0.45", "v3": "0.97"}
CASES = 30


@pytest.fixture
def rated(one_node: Callable[..., AgentVersion]) -> Callable[[str], AgentVersion]:
    """Return a version of one agent: v1 is good, v2 bad, v3 a little better than v1."""
    files = {f"prompts/rate/{version}.md": rate for version, rate in RATES.items()}
    agent = one_node(RATED, files).agent

    def make(version: str) -> AgentVersion:
        return AgentVersion.resolve(agent, prompts={"rate": version})

    return make


@pytest.fixture
def champion(rated: Callable[[str], AgentVersion], numbers: Callable[..., Dataset]) -> RunRecord:
    """v1, measured and saved as the baseline `champion`."""
    record = evaluate(rated("v1"), numbers(CASES), samples=4).record
    save_baseline(rated("v1").agent.project, record, "champion")
    return record


@pytest.fixture
def order(
    rated: Callable[[str], AgentVersion], numbers: Callable[..., Dataset]
) -> Callable[..., GateOrder]:
    """Return a gate of a candidate against a stored record, or against another version."""

    def make(
        candidate: str,
        base: RunRecord | str,
        *,
        gate: Gate = Gate(),  # noqa: B008  it is immutable
        cases: int = CASES,
        samples: int = 4,
        scorers: tuple[object, ...] = (),
        **more: object,
    ) -> GateOrder:
        version = rated(candidate)
        against = (
            VersionBase(f"@{base}", rated(base))
            if isinstance(base, str)
            else StoredBase("champion", base)
        )
        judges = find_scorers(list(scorers), version.agent.project)
        return GateOrder(
            gate,
            against,
            version,
            numbers(cases),
            judges,
            samples=samples,
            **more,  # type: ignore[arg-type]
        )

    return make
