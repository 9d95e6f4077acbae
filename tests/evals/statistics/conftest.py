from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ScoreTable = Callable[..., pd.DataFrame]


@pytest.fixture(scope="session")
def score_table() -> ScoreTable:
    """Build a run from one list of sample values a case."""

    def build(
        cases: Sequence[Sequence[float]],
        *,
        clusters: Sequence[object] | None = None,
        weights: Sequence[float] | None = None,
    ) -> pd.DataFrame:
        sizes = [len(values) for values in cases]
        table = pd.DataFrame(
            {
                "case": np.repeat([f"case-{i:05d}" for i in range(len(cases))], sizes),
                "sample": [k for size in sizes for k in range(size)],
                "value": [float(value) for values in cases for value in values],
            }
        )
        if clusters is not None:
            table["cluster"] = np.repeat(np.asarray(clusters, dtype=object), sizes)
        if weights is not None:
            table["weight"] = np.repeat(np.asarray(weights, dtype=float), sizes)
        return table

    return build


@pytest.fixture(scope="session")
def tau_bench() -> pd.DataFrame:
    data = pd.read_csv(Path(__file__).parent / "data" / "tau_bench_airline_gpt-4o.csv")
    return data.rename(columns={"task_id": "case", "trial": "sample", "reward": "value"})
