"""A gate on a number, and a candidate that is as good where it does not crash."""

from __future__ import annotations

from collections.abc import Callable

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import Gate, GateOrder, VersionBase, find_scorers, gate_report, run_gate
from linenotes.project import Project

CRASHING = """
import hashlib

from linenotes.agents import current_sample, prompt


def answer(state):
    sample = current_sample()
    drawn = hashlib.sha256(f"{sample.case} {sample.sample}".encode()).digest()
    if drawn[0] / 256 < float(prompt("crashes").text):
        raise ValueError("no answer")
    return {"answer": drawn[1]}
"""
SCORER = """
def tone(sample):
    return 0.5 + sample.output["answer"] / 1000
"""
PROMPTS = {"prompts/crashes/v1.md": "0", "prompts/crashes/v2.md": "0.3"}


def test_it_fails_by_a_guardrail_that_nobody_had_to_name(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    agent = one_node(CRASHING, {**PROMPTS, "scorers.py": SCORER}).agent
    base, candidate = (
        AgentVersion.resolve(agent, prompts={"crashes": version}) for version in ("v1", "v2")
    )
    scorers = find_scorers(["scorers.py:tone"], agent.project)
    order = GateOrder(
        Gate(margin=0.2), VersionBase("@v1", base), candidate, numbers(40), scorers, samples=4
    )
    result = run_gate(order, Project.find(agent.project.root))
    text = " ".join(" ".join(gate_report.lines(result)).split())
    assert result.decision.verdict == "fail"
    assert text.startswith("FAIL guardrail fail: agent completed 100% → ")
    assert "It is worse (one-sided test at " in text
    assert "Not counted: the agent failed in " in text
    metrics = [one.metric for one in result.decision.comparisons]
    assert metrics == ["tone", "agent completed"]
