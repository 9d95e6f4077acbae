"""The words in which built-in scorers name messages: who, to whom, and which one it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from linenotes.evals.journal._samples import Score
from linenotes.evals.scorers._turns import Turn
from linenotes.tracing import Ledger

_NAMED = 5
"""How many messages a sentence names."""


def said(passed: bool, rationale: str) -> Score:
    """Return a pass or a failure with its reason; whoever asked gives it its name."""
    return Score("", value=passed, rationale=rationale)


def numbered(ledger: Ledger, number: int) -> str:
    """Return a message as `#3 triage → specialist`."""
    return f"#{ordinal(ledger, number)} {ledger.messages[number].route}"


def ordinal(ledger: Ledger, number: int) -> int:
    """Return which line of `linenotes trace show` a message is, from 1: it shows no `ack`."""
    return sum(message.kind != "ack" for message in ledger.messages[: number + 1])


def listed(ledger: Ledger, numbers: Collection[int]) -> str:
    """Return the first messages of some, and how many more there are."""
    shown = [numbered(ledger, number) for number in sorted(numbers)[:_NAMED]]
    more = len(numbers) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def route(ledger: Ledger, found: Iterable[Turn]) -> str:
    """Return turns as `triage (#2), specialist (#3)`, each with its first message."""
    firsts = ((turn.agent, ordinal(ledger, turn.messages[0])) for turn in found)
    return ", ".join(f"{agent} (#{number})" for agent, number in firsts) or "nobody"
