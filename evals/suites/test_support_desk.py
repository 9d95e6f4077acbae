"""The golden tests of the support desk, from committed recordings of the embedded model.

    pytest evals/suites --linenotes-replay                       # prompts v2, the champion
    pytest evals/suites --linenotes-replay --linenotes-prompt 1  # prompts v1 fail the gate
"""

from functools import partial

from linenotes.evals import Gate, Sample, golden

support_desk = partial(
    golden,
    "support-desk",
    agent="support_desk",
    split="val",
    limit=40,
    samples=3,
    gate=Gate(baseline="champion", margin=0.05),
)


@support_desk()
def test_routes_to_the_right_team(sample: Sample) -> None:
    assert sample.output["team"] == sample.expectations["team"]


@support_desk()
def test_names_the_right_intent(sample: Sample) -> None:
    assert sample.output["intent"] == sample.expectations["intent"]
