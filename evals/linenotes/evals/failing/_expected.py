"""What a case expects in plain words, what came instead, and who first said something else.

Only what a person could look for is looked for: a text or a number, wherever it stands in what was
said. What cannot be told apart from the question, or from chance, is not told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from linenotes.evals.failing._departures import before, told
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

    Rather one whose name the metric has in its own, such as `team` of `team_correct`; one that is
    held without being all that stands there comes last.
    """
    found = [*_unmet(expectations, output)]
    return min(found, key=lambda one: (not one.is_text, one.name not in metric), default=None)


def is_met(expectations: Mapping[str, JsonValue], output: JsonValue) -> bool:
    """Tell whether an output holds the texts that are expected."""
    return not any(one.is_text for one in _unmet(expectations, output))


def first_without(answer: Unmet, ledger: Ledger) -> Message | None:
    """Return the first message that lacks the expected answer; None where that cannot be said.

    Where somebody said what is expected, that is the first one on the way to the end that answers
    them and has it no more. Else it is the first one to say what came instead, but not where all
    that is known of it is that it came last.
    """
    messages = told(ledger)
    question = [one.text for one in messages if one.sender == USER]
    said = [one for one in messages if one.sender != USER]
    if not said or not answer.is_text or len(answer.expected.strip()) < _FEWEST:
        return None
    if any(_holds(text, answer.expected) for text in question):
        return None
    right = [one for one in said if _holds(one.text, answer.expected)]
    if right:
        return _lost(right, said, ledger)
    if not answer.got.strip() or any(_holds(text, answer.got) for text in question):
        return None
    first = next((one for one in said if _holds(one.text, answer.got)), None)
    return None if first is said[-1] and len({one.sender for one in said}) > 1 else first


def _lost(right: Sequence[Message], said: Sequence[Message], ledger: Ledger) -> Message | None:
    """Return the first message after the right ones that leads to the end without them."""
    holders = {one.id for one in right}
    regained = set[str]().union(holders, *(before(one, ledger) for one in right))
    leading = {said[-1].id, *before(said[-1], ledger)}
    return next(
        (one for one in said if one.id in leading - regained and holders & before(one, ledger)),
        None,
    )


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
