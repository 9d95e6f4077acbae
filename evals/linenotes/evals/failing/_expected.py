"""What a case expects in plain words, what came instead, and who first said something else.

Only what a person could look for is looked for: a text or a number, wherever it stands in what was
said. What cannot be told apart from the question, or from chance, is not told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from linenotes.evals.failing._departures import Place, before, place, told
from linenotes.tracing import USER, Ledger, Message, output_text

_FEWEST = 2
"""Characters of an answer that is looked for; single ones stand everywhere."""


@dataclass(frozen=True)
class Unmet:
    """An expectation that the output does not hold."""

    name: str
    expected: str
    got: str
    is_text: bool = True
    """Whether it can be looked for in what was said: a text that is not in what came."""

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got}"


def unmet(
    expectations: Mapping[str, JsonValue], output: JsonValue, metric: str = ""
) -> Unmet | None:
    """Return the first plain expectation that an output does not hold, or none.

    Where the metric is named after some, such as `team_correct`, the others are left out. One that
    is held without being all that stands there comes last.
    """
    found = _unmet(_asked(expectations, metric), output)
    return min(found, key=lambda one: not one.is_text, default=None)


def is_met(expectations: Mapping[str, JsonValue], output: JsonValue, metric: str = "") -> bool:
    """Tell whether an output holds the texts that are expected, as far as a metric asks."""
    return not any(one.is_text for one in _unmet(_asked(expectations, metric), output))


def first_with(expected: str, ledger: Ledger) -> Message | None:
    """Return the first message of an agent that holds a text; None where the question has it."""
    question, said = _question_and_rest(ledger)
    if len(expected.strip()) < _FEWEST or any(_holds(text, expected) for text in question):
        return None
    return next((one for one in said if _holds(one.text, expected)), None)


def first_without(
    answer: Unmet, ledger: Ledger, answering: Collection[Place] = ()
) -> Message | None:
    """Return the first message that lacks the expected answer; None where that cannot be said.

    Where somebody said what is expected, that is the first one on the way to the end that answers
    them and has it no more. Else it is the first one in a place where passing samples first say it.
    Without those it is the first one to say what came instead, but not where all that is known of
    it is that it came last.

    Args:
        answer: what was expected, and what came.
        ledger: what was said.
        answering: where passing samples first say what is expected.
    """
    question, said = _question_and_rest(ledger)
    if not said or not answer.is_text or len(answer.expected.strip()) < _FEWEST:
        return None
    if any(_holds(text, answer.expected) for text in question):
        return None
    right = [one for one in said if _holds(one.text, answer.expected)]
    if right:
        return _lost(right, said, ledger)
    if instead := next((one for one in said if place(one) in answering), None):
        return instead
    if not answer.got.strip() or any(_holds(text, answer.got) for text in question):
        return None
    first = next((one for one in said if _holds(one.text, answer.got)), None)
    return None if first is said[-1] and len({one.sender for one in said}) > 1 else first


def _question_and_rest(ledger: Ledger) -> tuple[list[str], list[Message]]:
    messages = told(ledger)
    question = [one.text for one in messages if one.sender == USER]
    return question, [one for one in messages if one.sender != USER]


def _lost(right: Sequence[Message], said: Sequence[Message], ledger: Ledger) -> Message | None:
    """Return the first message after the right ones that leads to the end without them."""
    holders = {one.id for one in right}
    regained = set[str]().union(holders, *(before(one, ledger) for one in right))
    leading = {said[-1].id, *before(said[-1], ledger)}
    return next(
        (one for one in said if one.id in leading - regained and holders & before(one, ledger)),
        None,
    )


def _asked(expectations: Mapping[str, JsonValue], metric: str) -> Mapping[str, JsonValue]:
    """Return the expectations that a metric is named after, or all where it is after none."""
    words = {*re.split(r"[\W_]+", metric)}
    named = {
        name: one for name, one in expectations.items() if words >= {*re.split(r"[\W_]+", name)}
    }
    return named or expectations


def _unmet(expectations: Mapping[str, JsonValue], output: JsonValue) -> Iterator[Unmet]:
    for name, expected in expectations.items():
        if isinstance(expected, list | dict) or expected is None:
            continue
        is_named = isinstance(output, dict) and name in output
        got = output[name] if isinstance(output, dict) and is_named else output_text(output)
        held = isinstance(expected, str) and _holds(str(got), expected)
        if got == expected or (held and not is_named):
            continue
        shown = got if isinstance(got, str) else output_text(got)
        yield Unmet(name, str(expected), shown, isinstance(expected, str) and not held)


def _holds(text: str, words: str) -> bool:
    """Tell whether a text holds these words, and not as a part of longer ones."""
    wanted = r"\s+".join(map(re.escape, words.split()))
    return re.search(rf"(?<!\w){wanted}(?!\w)", text, re.IGNORECASE) is not None
