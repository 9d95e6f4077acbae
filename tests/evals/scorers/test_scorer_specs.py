from __future__ import annotations

import pytest

from linenotes.evals.scorers._scorer_specs import Parameters, Spec, call_text, parse_spec
from linenotes.project import ScorerError


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("right_team", Spec("right_team")),
        ("own.py:polite", Spec("own.py:polite")),
        ("C:/my folder (1)/own.py:polite", Spec("C:/my folder (1)/own.py:polite")),
        ("tone = own.py:polite", Spec("own.py:polite", "tone")),
        ("no_loop()", Spec("no_loop", None, Parameters())),
        (
            "own.py:Overlap(threshold=-.5)",
            Spec("own.py:Overlap", None, Parameters((), {"threshold": -0.5})),
        ),
        (
            'route=handoffs("a:b(c)", "d = e", order="strict")',
            Spec("handoffs", "route", Parameters(("a:b(c)", "d = e"), {"order": "strict"})),
        ),
        (
            'value(\n  "a == 1",\n  failed=-12)',
            Spec("value", None, Parameters(("a == 1",), {"failed": -12})),
        ),
    ],
)
def test_a_spec_is_a_target_with_a_name_and_parameters(text: str, spec: Spec) -> None:
    assert parse_spec(text) == spec


@pytest.mark.parametrize(
    "text",
    ["handoffs(triage)", "handoffs(open('x'))", "handoffs(*[1])", "f(1) + (2)"],
)
def test_parameters_that_are_no_literals_are_refused_and_nothing_is_run(text: str) -> None:
    with pytest.raises(ScorerError, match=r"cannot be read. Write literals, such as .*quotes"):
        parse_spec(text)


def test_a_spec_that_was_written_is_read_as_the_same() -> None:
    parameters = Parameters(('say "so"', 3, None), {"order": "strict", "words": ["ä"]})
    text = call_text("handoffs", parameters)
    assert text == r'handoffs("say \"so\"", 3, None, order="strict", words=[' + "'ä'])"
    assert parse_spec(text) == Spec("handoffs", None, parameters)
    assert call_text("no_loop", Parameters()) == "no_loop"
