"""Conversations made by hand: who answers what, in whatever order they ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest
from pydantic import JsonValue

from linenotes.evals import RunRecord, Sample
from linenotes.tracing import Ledger, Message

Line = tuple[str, str, str]
"""Sender, recipient, text."""
Tell = Callable[..., Ledger]


@pytest.fixture(scope="session")
def tell() -> Tell:
    return _told


def _told(*lines: Line, answers: dict[int, tuple[int, ...]] | None = None) -> Ledger:
    """Return a ledger; each message answers the one before it unless `answers` says otherwise."""
    said = answers or {}
    return Ledger(
        tuple(
            Message(
                id=f"m{number}",
                kind="input" if sender == "user" else "reply",
                sender=sender,
                recipients=(recipient,),
                text=text,
                cause=tuple(f"m{one}" for one in said.get(number, (number - 1,)) if one >= 0),
            )
            for number, (sender, recipient, text) in enumerate(lines)
        )
    )


@pytest.fixture
def talked(make_record: Callable[..., RunRecord]) -> Callable[..., RunRecord]:
    """Return a run in which a worker says what is right or wrong, and an editor repeats it."""

    def make(values: Mapping[str, Sequence[bool | None]], **how: object) -> RunRecord:
        record = make_record(values, **how)
        cases = tuple(
            case.model_copy(update={"expectations": {"answer": "right"}})
            for case in record.plan.cases
        )
        samples = {
            key: _said_by_worker(sample, passed=values[key[0]][key[1]] is True)
            for key, sample in record.samples.items()
        }
        plan = record.plan.model_copy(update={"cases": cases})
        return replace(record, plan=plan, samples=samples)

    return make


def _said_by_worker(sample: Sample, *, passed: bool) -> Sample:
    word = "right" if passed else "wrong"
    lines = [("user", "planner", "Go"), ("planner", "worker", "go on")]
    ledger = _told(*lines, ("worker", "editor", word), ("editor", "user", word))
    trace = replace(sample.trace, messages=ledger.messages)
    case = sample.case.model_copy(update={"expectations": {"answer": "right"}})
    output: JsonValue = None if sample.error else {"answer": word}
    return replace(sample, case=case, output=output, trace=trace)
