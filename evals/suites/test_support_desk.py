"""The golden tests of the support desk, from committed recordings of the embedded model.

`pytest evals/suites --linenotes-replay` tries the champion, prompts v2, and is unchanged; with
`--linenotes-prompt 1` it tries prompts v1, which fail the gate.
"""

from functools import partial

from linenotes.evals import Gate, golden

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
def test_routes_to_the_right_team(sample):
    assert sample.output["team"] == sample.expectations["team"]


@support_desk()
def test_names_the_right_intent(sample):
    assert sample.output["intent"] == sample.expectations["intent"]
