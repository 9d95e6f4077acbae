from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from linenotes.evals import RunRecord, RunStore
from linenotes.evals.journal._journal import Journal

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def write_run(store: RunStore, make_record: Callable[..., RunRecord]) -> Callable[..., str]:
    """Write the journal of a run like `make_record`, later than those before; return its id."""

    def write(values: Mapping[str, Sequence[bool | float | None]], **plan: object) -> str:
        number = len(store.plans())
        stamp = {"run_id": f"{number:032x}", "sequence": number}
        record = make_record(
            values, **{**stamp, "created": START + timedelta(hours=number), **plan}
        )
        with Journal.create(store.path(record.plan.run_id), record.plan) as journal:
            for key, sample in record.samples.items():
                journal.finished(sample)
                journal.scored(sample, record.scores[key])
        return record.plan.run_id

    return write
