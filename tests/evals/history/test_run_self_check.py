from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from linenotes.evals import (
    Quarantine,
    QuarantinedCase,
    RunRecord,
    check_gate,
    one_run,
    self_check_document,
)
from linenotes.evals.documents._history_documents import SelfCheckDocument
from linenotes.project import RunError

MakeRecord = Callable[..., RunRecord]


def noisy(n: int, k: int) -> dict[str, list[bool]]:
    rng = np.random.default_rng(1)
    hits = rng.random((n, k)) < rng.beta(1.4, 0.6, n)[:, None]
    return {f"c{i:03}": row.tolist() for i, row in enumerate(hits)}


def test_a_run_says_how_often_its_gate_cries_wolf(make_record: MakeRecord) -> None:
    found = check_gate(one_run(make_record(noisy(60, 6))), target="dataset", margin=0.05)
    assert found.exit_code == 0
    document = self_check_document(found)
    SelfCheckDocument.model_validate(document)
    assert found.result.gate is not None
    assert found.result.at_once is not None
    assert document["false_alarms"] == found.result.gate.false_alarms
    assert document["at_once"] == asdict(found.result.at_once)


def test_too_few_samples_cannot_be_measured(make_record: MakeRecord) -> None:
    history = one_run(make_record(noisy(20, 3)))
    found = check_gate(history, target="dataset", margin=0.05)
    assert found.exit_code == 2
    assert self_check_document(found)["at_once"] is None
    assert check_gate(history, target="population", margin=0.05).exit_code in (0, 3)


def test_quarantined_cases_are_left_out_as_the_gate_does(
    make_record: MakeRecord, tmp_path: Path
) -> None:
    entry = QuarantinedCase(
        case="c003", dataset="numbers", owner="ana", expires=date(2026, 12, 1), reason="slow"
    )
    held = Quarantine(tmp_path / "quarantine.yaml", date(2026, 11, 23), (entry,))
    history = one_run(make_record(noisy(20, 4)))
    found = check_gate(history, target="population", margin=0.05, quarantine=held)
    assert found.result.n_cases == 19
    assert found.quarantined == ("c003",)


def test_what_cannot_be_split_is_an_error_of_the_user(make_record: MakeRecord) -> None:
    with pytest.raises(RunError, match="no scored sample"):
        check_gate(one_run(make_record({"a": [None]})), target="dataset", margin=0.05)
    with pytest.raises(RunError, match="Halves of 1 samples a case cannot be compared"):
        check_gate(one_run(make_record(noisy(9, 4))), target="dataset", margin=0.05, samples=1)
