"""What a gate on a number says of agents that crash now and then, simulated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import pytest

from linenotes.datasets import Case
from linenotes.evals import (
    Failure,
    Gate,
    RunPlan,
    RunRecord,
    Score,
    decide,
    decide_in_looks,
)
from linenotes.evals.journal._samples import Outcome
from linenotes.evals.statistics import Target

Array = npt.NDArray[np.float64]
Decide = Callable[[Gate, RunRecord, RunRecord], str]
K = 5
CASES = [f"c{i:03}" for i in range(100)]
COMPLETED = Outcome("t", 0, 1, 0, 0, None, 0)
CRASHED = Outcome("t", 0, 1, 0, 0, None, 0, Failure("agent", "ValueError", "no"))


@pytest.fixture(scope="module")
def plan(make_plan: Callable[..., RunPlan]) -> RunPlan:
    cases = tuple(Case(id=case, inputs={"question": case}) for case in CASES)
    return make_plan(cases=cases, samples=K)


def run(plan: RunPlan, rng: np.random.Generator, means: Array, crashes: Array) -> RunRecord:
    """Return a run whose scores say nothing of which samples crash."""
    values = means[:, None] + rng.normal(0, 0.1, (len(CASES), K))
    crashed = rng.random((len(CASES), K)) < crashes[:, None]
    keys = [(i, k) for i in range(len(CASES)) for k in range(K)]
    return RunRecord(
        plan,
        {(CASES[i], k): CRASHED if crashed[i, k] else COMPLETED for i, k in keys},
        scores={
            (CASES[i], k): (Score("correct", value=float(values[i, k])),)
            for i, k in keys
            if not crashed[i, k]
        },
    )


def at_once(gate: Gate, base: RunRecord, candidate: RunRecord) -> str:
    return decide(gate, base, candidate).verdict


def in_looks(gate: Gate, base: RunRecord, candidate: RunRecord) -> str:
    found = decide_in_looks(gate, base, candidate, planned=K, reached=K, base_run="interleaved")
    return found.verdict


def verdicts(
    plan: RunPlan, decided: Decide, gate: Gate, *, rate: float, more: float, trials: int
) -> Counter[str]:
    """Return what is said of versions that are equal, but for `more` crashes of the candidate."""
    rng, said = np.random.default_rng(7), []
    make = partial(run, plan, rng)
    for _ in range(trials):
        means = rng.normal(0.7, 0.15, len(CASES))
        moved = rng.normal(0, 0.1, len(CASES)) if gate.target == "population" else 0.0
        crashes = rng.beta(0.5, 0.5 / rate - 0.5, len(CASES))
        said.append(decided(gate, make(means, crashes), make(means + moved, crashes + more)))
    return Counter(said)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("decided", "target", "rate", "trials"),
    [
        # Few crashes: the guardrail joins after some looks. Many: it is there from the first.
        (in_looks, "dataset", 0.004, 200),
        (in_looks, "dataset", 0.05, 150),
        (at_once, "dataset", 0.004, 400),
        (at_once, "population", 0.05, 400),
    ],
)
def test_equal_versions_that_crash_now_and_then_seldom_fail(
    plan: RunPlan, decided: Decide, target: Target, rate: float, trials: int
) -> None:
    gate = Gate(target=target, margin=0.001)  # so small that a pass hides no drop
    said = verdicts(plan, decided, gate, rate=rate, more=0.0, trials=trials)
    assert said["fail"] / trials <= 0.065


@pytest.mark.slow
@pytest.mark.parametrize("decided", [at_once, in_looks])
@pytest.mark.parametrize("target", ["dataset", "population"])
def test_crashes_in_15_of_100_samples_are_never_passed(
    plan: RunPlan, decided: Decide, target: Target
) -> None:
    said = verdicts(plan, decided, Gate(target=target), rate=0.02, more=0.15, trials=40)
    assert said == {"fail": 40}
