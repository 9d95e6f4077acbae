"""Runs made by hand, of which everything that a comparison tells is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from linenotes.datasets import Case
from linenotes.evals import RunPlan, RunRecord, Sample, Score
from linenotes.evals.journal._samples import Outcome
from linenotes.tracing import trace_id_for

Values = Mapping[str, Sequence[float | bool | str | None]]


@pytest.fixture(scope="session")
def make_run(
    make_plan: Callable[..., RunPlan], make_sample: Callable[..., Sample]
) -> Callable[..., RunRecord]:
    """Return a run from {metric: {case: [value a sample]}}; the first metric is the primary one."""

    def make(
        metrics: Mapping[str, Values],
        *,
        tags: Mapping[str, Mapping[str, str]] | None = None,
        amounts: Mapping[str, Any] | None = None,
        why: str | None = None,
        **plan: object,
    ) -> RunRecord:
        first = next(iter(metrics.values()))
        made = make_plan(
            **{
                "run_id": "a" * 32,
                "cases": tuple(_case(case, (tags or {}).get(case, {})) for case in first),
                "samples": max(map(len, first.values())),
                "metrics": tuple(metrics),
                "scorers": tuple(metrics),
                **plan,
            }
        )
        keys = [(case, i) for case in made.cases for i in range(len(first[case.id]))]
        samples = {(case.id, i): make_sample(case, i) for case, i in keys}
        outcomes = {
            key: replace(
                Outcome.of(one), trace_id=trace_id_for(made.run_id, *key), **(amounts or {})
            )
            for key, one in samples.items()
        }
        scores = {
            key: tuple(
                Score(name, value=value[key[0]][key[1]], rationale=why)
                for name, value in metrics.items()
                if value[key[0]][key[1]] is not None
            )
            for key in samples
        }
        return RunRecord(made, outcomes, samples, scores)

    return make


def _case(case_id: str, tags: Mapping[str, str]) -> Case:
    return Case(
        id=case_id, inputs={"question": case_id}, expectations={"answer": 1}, tags=dict(tags)
    )


HOSTILE = "</title></pre><script>alert(1)</script>|`# [x](http://e.example)\x1b[31m\u202e"


@pytest.fixture
def hostile(make_run: Callable[..., RunRecord]) -> tuple[RunRecord, RunRecord]:
    """Two runs in which everything that others write tries to be more than text."""
    cases = [f"{HOSTILE.replace(chr(27), '')}{i}" for i in range(40)]
    tags = {case: {"<b>team": f"<i>{i % 2}"} for i, case in enumerate(cases)}

    def run(version: str, text: str, *, passes: bool, **plan: object) -> RunRecord:
        prompts = {"<u>triage": {"version": version, "text": text, "registry_version": 1}}
        values = {case: [passes, i % 2 == 0] for i, case in enumerate(cases)}
        return make_run(
            {"<s>correct": values}, tags=tags, why=HOSTILE, prompts=prompts, version=version, **plan
        )

    before = run(f"v1{HOSTILE}", f"a\n{HOSTILE}\n````\nb", passes=False)
    after = run(f"v2{HOSTILE}", f"a\nc\n{HOSTILE}2", passes=True, run_id="b" * 32)
    return before, after
