from __future__ import annotations

from collections.abc import Callable

from linenotes.evals import RunPlan
from linenotes.evals.journal._instruments import Instrument, instrument_of


def test_a_metric_is_known_by_its_scorer_with_its_code_and_its_judge(
    make_plan: Callable[..., RunPlan],
) -> None:
    plan = make_plan()
    metric, spec = plan.metrics[0], plan.scorers[0]
    judged = plan.model_copy(update={"codes": {metric: "c0de"}, "judges": {metric: "gpt-x"}})
    assert instrument_of(plan, metric) == Instrument(spec, None)
    assert instrument_of(judged, metric) == Instrument(spec, "c0de", "gpt-x")
    assert instrument_of(plan, "unknown") == Instrument(None, None)
